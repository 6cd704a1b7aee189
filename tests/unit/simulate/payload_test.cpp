#include "wire.hpp"

#include "chargifyd/simulate/event.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace chargifyd::simulate {
namespace {

using chargify::form;
using testing::HasSubstr;
using testing::Not;

scene some_scene(std::string_view key, body_style style = body_style::current)
{
    scene_options with;
    with.style = style;
    return invented_scene(key, with);
}

std::string body_of(std::string_view key, body_style style = body_style::current)
{
    return event_webhook(key, some_scene(key, style)).body;
}

std::size_t count_of(const std::string& body, const std::string& key)
{
    std::size_t found = 0;
    for (const auto& pair : split_body(body))
        found += pair.first == key ? 1 : 0;
    return found;
}

std::size_t scalars(const webhook& sent)
{
    const chargify::envelope e = read(sent);
    std::size_t out = 0;
    for (auto i = e.tree.at(e.subscription).first_child; i != form::none; i = e.tree.at(i).next_sibling)
        out += e.tree.at(i).is_branch ? 0 : 1;
    return out;
}

TEST(payload, decimal_amounts)
{
    EXPECT_EQ(decimal(0), "0.00");
    EXPECT_EQ(decimal(7), "0.07");
    EXPECT_EQ(decimal(123456), "1234.56");
    EXPECT_EQ(decimal(-150), "-1.50");
}

TEST(payload, the_subscription_hash_grew)
{
    EXPECT_GE(scalars(event_webhook("renewal_success", some_scene("renewal_success"))), 51U);
    EXPECT_EQ(scalars(event_webhook("renewal_success", some_scene("renewal_success", body_style::older))),
              31U);
    EXPECT_EQ(scalars(event_webhook("renewal_success", panel_scene("renewal_success", "acme", 1))), 22U);
}

TEST(payload, signup_pages_repeat_without_an_index)
{
    for (const char* key : {"id", "return_url", "return_params", "url"})
        EXPECT_EQ(count_of(body_of("renewal_success"),
                           std::string("payload[subscription][product][public_signup_pages][") + key + "]"),
                  2U);
}

TEST(payload, the_profile_is_a_card_or_a_bank_account)
{
    scene of = some_scene("payment_success");
    EXPECT_THAT(event_webhook("payment_success", of).body,
                HasSubstr("&payload[subscription][credit_card][masked_card_number]=XXXX-XXXX-XXXX-"));
    of.subject.paid_with.method = payment_method::bank_account;
    const std::string body = event_webhook("payment_success", of).body;
    EXPECT_THAT(body, HasSubstr("&payload[subscription][payment_type]=bank_account&"));
    EXPECT_THAT(body, HasSubstr("&payload[subscription][bank_account][masked_bank_account_number]=XXXX"));
    EXPECT_THAT(body, HasSubstr("&payload[transaction][card_number]=&"));
    EXPECT_THAT(body, Not(HasSubstr("[credit_card]")));
}

TEST(payload, a_group_is_in_the_hash)
{
    scene of = some_scene("renewal_success");
    EXPECT_THAT(event_webhook("renewal_success", of).body, Not(HasSubstr("[group]")));
    of.subject.group = {"grp_example", 9};
    EXPECT_THAT(
        event_webhook("renewal_success", of).body,
        HasSubstr("&payload[subscription][group][uid]=grp_example&payload[subscription][group][scheme]=1"
                  "&payload[subscription][group][primary_subscription_id]=9"
                  "&payload[subscription][group][primary]=false"));
}

TEST(payload, dates_and_products_that_were_before)
{
    EXPECT_THAT(body_of("billing_date_change"),
                HasSubstr("&payload[subscription][previous_billing_date]=2027-"));
    EXPECT_THAT(body_of("expiration_date_change"),
                HasSubstr("&payload[subscription][previous_expires_at]=2027-"));
    EXPECT_THAT(body_of("subscription_product_change"),
                HasSubstr("&payload[previous_product][handle]=solo&"));
    EXPECT_THAT(body_of("subscription_plan_change"),
                HasSubstr("&payload[subscription][product][handle]=agency&"));
    EXPECT_THAT(body_of("upgrade_downgrade_success"), HasSubstr("&payload[previous_product][id]="));
    EXPECT_THAT(body_of("upgrade_downgrade_failure"), HasSubstr("&payload[target_product][handle]=agency&"));
    EXPECT_THAT(body_of("subscription_product_change_scheduled"),
                HasSubstr("&payload[subscription][next_product_id]=3700009&"));
    EXPECT_THAT(body_of("subscription_product_change_scheduled"),
                HasSubstr("&payload[new_product_id]=3700009&payload[effective_at]=2027-"));
}

TEST(payload, a_refund_names_its_subscription_in_two_ways)
{
    const std::string current = body_of("refund_success");
    EXPECT_THAT(current,
                HasSubstr("&payload[subscription][id]=60000001&payload[timestamp]=2027-03-01T15%3A00%3A00Z"));
    EXPECT_THAT(current, Not(HasSubstr("payload[subscription_id]")));
    const std::string older = body_of("refund_success", body_style::older);
    EXPECT_THAT(
        older,
        HasSubstr("&payload[subscription_id]=60000001&payload[timestamp]=2027-03-01%2015%3A00%3A00%20UTC"));
    EXPECT_THAT(older, Not(HasSubstr("payload[subscription][id]")));
    EXPECT_THAT(body_of("refund_failure"), HasSubstr("&payload[errors][]=The%20transaction"));
    EXPECT_THAT(body_of("refund_failure"), HasSubstr("&payload[amount_in_cents]=-"));
    EXPECT_THAT(body_of("refund_failure", body_style::older),
                HasSubstr("&payload[errors]=The%20transaction"));
}

TEST(payload, an_allocation_in_both_forms)
{
    scene of = some_scene("component_allocation_change");
    of.usage.after = "1.5";
    const std::string current = event_webhook("component_allocation_change", of).body;
    EXPECT_THAT(current,
                HasSubstr("&payload[allocation][proration_upgrade_scheme]=prorate-attempt-capture&"));
    EXPECT_THAT(current, HasSubstr("&payload[new_allocation]=1.5&"));
    EXPECT_THAT(current, HasSubstr("&payload[payment][success]=true&"));
    EXPECT_THAT(current, HasSubstr("&payload[timestamp]=2027-03-01T15%3A00%3A00Z&"));
    of.usage.payment_id = 0;
    EXPECT_THAT(event_webhook("component_allocation_change", of).body, HasSubstr("&payload[payment]=&"));
    of.style = body_style::older;
    const std::string older = event_webhook("component_allocation_change", of).body;
    EXPECT_THAT(older, Not(HasSubstr("[allocation]")));
    EXPECT_LT(older.size(), 800U);
}

TEST(payload, usage_tells_the_balances)
{
    EXPECT_THAT(body_of("metered_usage"),
                HasSubstr("&payload[previous_unit_balance]=120&payload[new_unit_balance]="
                          "165.5&payload[usage_quantity]=45.5&"));
    const std::string prepaid = body_of("prepaid_usage");
    EXPECT_THAT(prepaid, HasSubstr("&payload[new_overage_unit_balance]=2.5&"));
    EXPECT_THAT(prepaid, HasSubstr("&payload[allocation_details][0][usage_quantity]=10&"));
}

TEST(payload, balances)
{
    EXPECT_THAT(
        body_of("prepaid_subscription_balance_changed"),
        HasSubstr("&payload[current_account_balance_in_cents]=3750&payload[prepayment_account_balance_in_"
                  "cents]=5000&payload[current_usage_amount_in_cents]=1250&"));
    EXPECT_THAT(
        body_of("subscription_prepayment_account_balance_changed"),
        HasSubstr("&payload[prepayment_account_balance_in_cents]=5000&payload[prepayment_balance_change_in_"
                  "cents]=2500&payload[currency_code]=USD&"));
    EXPECT_THAT(body_of("subscription_service_credit_account_balance_changed"),
                HasSubstr("&payload[service_credit_account_balance_in_cents]=5000&"));
}

TEST(payload, statements_have_indexed_arrays)
{
    const std::string settled = body_of("statement_settled");
    EXPECT_THAT(settled, HasSubstr("&payload[statement][events][0][key]=renewal_success&"));
    EXPECT_THAT(settled, HasSubstr("&payload[statement][events][1][key]=payment_success&"));
    EXPECT_THAT(settled, HasSubstr("&payload[statement][transactions][1][type]=Payment&"));
    EXPECT_THAT(settled, HasSubstr("&payload[statement][settled_at]=2027-"));
    EXPECT_THAT(body_of("statement_closed"), HasSubstr("&payload[statement][settled_at]=&"));
}

TEST(payload, an_invoice_is_wrapped_or_flat)
{
    EXPECT_THAT(body_of("invoice_issued"), HasSubstr("&payload[invoice][uid]=inv_"));
    EXPECT_THAT(body_of("invoice_issued"), HasSubstr("&payload[invoice][line_items][0][amount]=19.00&"));
    EXPECT_THAT(body_of("invoice_issued"), HasSubstr("&payload[invoice][due_amount]=0.00&"));
    EXPECT_THAT(body_of("invoice_pending"), HasSubstr("&payload[invoice][due_amount]=19.00&"));
    EXPECT_THAT(body_of("invoice_issued", body_style::older), HasSubstr("&payload[uid]=inv_"));
}

TEST(payload, a_custom_field_says_nil_in_words)
{
    scene of = some_scene("custom_field_value_change");
    of.field = {"created", 5, "colour", std::nullopt, "blue"};
    EXPECT_THAT(
        event_webhook("custom_field_value_change", of).body,
        HasSubstr("&payload[metafield][old_value]=nil&payload[metafield][new_value]=blue&payload[metafield]["
                  "resource_type]=Subscription&payload[metafield][resource_id]=60000001&"));
    of.field = {"deleted", 5, "colour", "blue", std::nullopt, true};
    EXPECT_THAT(
        event_webhook("custom_field_value_change", of).body,
        HasSubstr("&payload[metafield][new_value]=nil&payload[metafield][resource_type]=Customer&payload["
                  "metafield][resource_id]=70000001&"));
}

TEST(payload, notices_in_two_forms_of_time)
{
    scene of = some_scene("upcoming_renewal_notice");
    of.subject.current_period_ends_at = std::chrono::sys_seconds(std::chrono::seconds(1705630195));
    EXPECT_THAT(event_webhook("upcoming_renewal_notice", of).body,
                HasSubstr("=Thu%2C%2018%20Jan%202024%2021%3A09%3A55.000000000%20EST%20-05%3A00"));
    of.style = body_style::older;
    EXPECT_THAT(event_webhook("upcoming_renewal_notice", of).body,
                HasSubstr("[current_period_ends_at]=2024-01-18%2021%3A09%3A55%20-0500"));
    EXPECT_THAT(body_of("trial_end_notice"), HasSubstr("&payload[subscription][state]=trialing&"));
}

TEST(payload, dunning_tells_this_step_and_the_next)
{
    scene of = some_scene("dunning_step_reached");
    EXPECT_THAT(event_webhook("dunning_step_reached", of).body,
                HasSubstr("&payload[next_step][action]=cancel&"));
    of.dunning.next_day = 0;
    EXPECT_THAT(event_webhook("dunning_step_reached", of).body, HasSubstr("&payload[next_step]=&"));
    EXPECT_THAT(event_webhook("dunning_step_reached", panel_scene("dunning_step_reached", "acme", 1)).body,
                HasSubstr("&payload[dunner][created_at]=2012-09-08%2015%3A49%3A44%20-0000&"));
}

TEST(payload, profile_updates_have_before_and_after)
{
    for (const char* event : {"subscription_card_update", "subscription_bank_account_update",
                              "subscription_paypal_account_update", "subscription_group_card_update"}) {
        EXPECT_THAT(body_of(event), HasSubstr("&payload[previous_payment_profile][id]=80000010&"));
        EXPECT_THAT(body_of(event), HasSubstr("&payload[updated_payment_profile][id]=80000011&"));
    }
}

} // namespace
} // namespace chargifyd::simulate
