#include "webhook_body.hpp"

#include "chargifyd/state/webhook.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace chargifyd::state {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

/// `kind object old new amount [detail] @ occurred_at`
std::vector<std::string> facts(const std::string& body)
{
    const webhook w = prepare(1, "acme", timestamp{}, body);
    EXPECT_EQ(w.error, "");
    std::vector<std::string> all;
    for (const change& c : w.facts) {
        EXPECT_NE(c.identity, "");
        all.push_back(c.kind + " " + c.object_id.value_or("-") + " " + c.old_value.value_or("-") + " " +
                      c.new_value.value_or("-") + " " +
                      (c.amount_in_cents ? std::to_string(*c.amount_in_cents) : "-") +
                      (c.detail ? " " + *c.detail : "") + " @ " + c.occurred_at.value_or("-"));
    }
    return all;
}

std::string identity(const std::string& body)
{
    const webhook w = prepare(1, "acme", timestamp{}, body);
    return w.facts.empty() ? "none" : w.facts.front().identity;
}

const std::string payment = "payload[transaction][id]=55&payload[transaction][subscription_id]=100&payload["
                            "transaction][type]=Payment&"
                            "payload[transaction][amount_in_cents]=6400&payload[transaction][created_at]="
                            "2016-11-08%2016:22:20%20-0500&"
                            "payload[transaction][kind]=one_time&payload[transaction][memo]=Ada%20Lovelace&"
                            "payload[transaction][success]=";

TEST(facts, payments)
{
    EXPECT_THAT(facts("id=1&event=payment_success&" + payment + "true"),
                ElementsAre("payment 55 - 6400 6400 one_time @ 2016-11-08T21:22:20Z"));
    EXPECT_THAT(facts("id=1&event=payment_failure&" + payment + "false"),
                ElementsAre("payment_failed 55 - 6400 6400 one_time @ 2016-11-08T21:22:20Z"));
    EXPECT_EQ(identity("id=1&event=payment_success&" + payment + "true"),
              identity("id=2&event=brand_new&payload[event_id]=9&" + payment + "true"));
}

TEST(facts, the_transactions_of_a_statement_are_payments_too)
{
    const std::string t = "payload[statement][transactions]";
    EXPECT_THAT(
        facts("id=1&event=statement_settled&payload[statement][id]=8&payload[statement][subscription_id]=100&"
              "payload[statement][total_in_cents]=6400&payload[statement][closed_at]=2016-11-08%2016:22:20%"
              "20-0500&"
              "payload[statement][settled_at]=2016-11-08%2016:22:21%20-0500&" +
              t + "[0][id]=54&" + t + "[0][type]=Charge&" + t + "[0][created_at]=2016-11-08T00:00:00Z&" + t +
              "[0][success]=true&" + t + "[1][id]=55&" + t + "[1][transaction_type]=payment&" + t +
              "[1][created_at]=2016-11-08T00:00:00Z&" + t + "[1][amount_in_cents]=64&" + t +
              "[1][success]=true"),
        ElementsAre("statement 8 - closed 6400 @ 2016-11-08T21:22:20Z",
                    "statement 8 - settled 6400 @ 2016-11-08T21:22:21Z",
                    "payment 55 - 64 64 @ 2016-11-08T00:00:00Z"));
}

// Both forms of the refund payload say the same.
TEST(facts, refunds)
{
    const std::string rest = "&payload[refund_id]=77&payload[amount_in_cents]=500&payload[payment_id]=55&"
                             "payload[customer_id]=7&payload[timestamp]=2015-02-01T00:00:00Z";
    const std::string older = "id=1&event=refund_success&payload[subscription_id]=100" + rest;
    const std::string newer = "id=2&event=refund_success&payload[subscription][id]=100" + rest;
    EXPECT_THAT(facts(older), ElementsAre("refund 77 - 500 500 payment 55 @ 2015-02-01T00:00:00Z"));
    EXPECT_EQ(facts(older), facts(newer));
    EXPECT_EQ(identity(older), identity(newer));
    EXPECT_THAT(facts("id=1&event=refund_failure&payload[subscription_id]=100&payload[errors][]=no" + rest),
                ElementsAre("refund_failed 77 - 500 500 payment 55 @ 2015-02-01T00:00:00Z"));
}

TEST(facts, allocations_and_usage)
{
    const std::string head = "id=1&event=component_allocation_change&payload[subscription][id]=100&"
                             "payload[component][id]=40&payload[timestamp]=2020-01-01T00:00:00Z";
    const std::string change = head + "&payload[previous_allocation]=1.0&payload[new_allocation]=1.50";
    EXPECT_THAT(facts(change), ElementsAre("allocation 40 1 1.5 - @ 2020-01-01T00:00:00Z"));
    EXPECT_NE(identity(change), identity(change + "&payload[allocation][id]=9"));
    EXPECT_THAT(facts(head + "&payload[previous_unit_balance]=10&payload[new_unit_balance]=15&"
                             "payload[usage_quantity]=5"),
                ElementsAre("usage 40 10 15 - 5 @ 2020-01-01T00:00:00Z"));
    EXPECT_THAT(facts(head), IsEmpty());
}

TEST(facts, cards)
{
    const std::string p = "payload[previous_payment_profile]";
    const std::string u = "payload[updated_payment_profile]";
    const std::string update =
        "event=subscription_card_update&payload[subscription][id]=100&" + p + "[id]=1&" + p +
        "[card_type]=visa&" + p + "[masked_card_number]=XXXX-XXXX-XXXX-1111&" + u + "[id]=2&" + u +
        "[card_type]=master&" + u + "[masked_card_number]=XXXX-XXXX-XXXX-4444&" + u +
        "[expiration_month]=9&" + u + "[expiration_year]=2029&" + u + "[vault_token]=canary";
    EXPECT_THAT(facts("id=1&" + update), ElementsAre("card_updated 2 visa 1111 master 4444 9/2029 - @ -"));
    // Told again for the same event, or for another one.
    EXPECT_EQ(identity("id=1&payload[event_id]=5&" + update), identity("id=2&payload[event_id]=5&" + update));
    EXPECT_NE(identity("id=1&payload[event_id]=5&" + update), identity("id=2&payload[event_id]=6&" + update));

    const std::string c = "payload[subscription][credit_card]";
    const std::string expiring = "payload[subscription][id]=100&" + c + "[id]=2&" + c + "[card_type]=visa&" +
                                 c + "[masked_card_number]=XXXX-1111&" + c + "[expiration_month]=4&" + c +
                                 "[expiration_year]=2026";
    EXPECT_THAT(facts("id=1&event=expiring_card&" + expiring),
                ElementsAre("card_expiring 2 - visa 1111 4/2026 - @ -"));
    EXPECT_EQ(identity("id=1&event=expiring_card&payload[event_id]=5&" + expiring),
              identity("id=2&event=expiring_card&payload[event_id]=6&" + expiring));
    EXPECT_THAT(facts("id=1&event=payment_success&" + expiring), IsEmpty());
}

TEST(facts, custom_fields)
{
    const std::string m = "payload[metafield]";
    const std::string body = "id=1&event=custom_field_value_change&payload[event_id]=5&" + m +
                             "[resource_type]=Subscription&" + m + "[resource_id]=100&" + m +
                             "[metafield_name]=size&" + m + "[event_type]=created&" + m + "[old_value]=nil&" +
                             m + "[new_value]=";
    EXPECT_THAT(facts(body + "large"), ElementsAre("custom_field size - large - created @ -"));
    EXPECT_THAT(facts(body + "nil"), ElementsAre("custom_field size - - - created @ -"));
}

TEST(facts, dunning_steps)
{
    const std::string body =
        "event=dunning_step_reached&payload[subscription][id]=100&"
        "payload[dunner][created_at]=2016-12-21T00:00:00Z&payload[dunner][state]=active&"
        "payload[dunner][revenue_at_risk_in_cents]=900&payload[current_step][day_threshold]=3&"
        "payload[current_step][action]=retry&payload[dunner][last_attempted_at]=2016-12-2";
    EXPECT_THAT(facts("id=1&" + body + "4T00:00:00Z"),
                ElementsAre("dunning - - retry 900 day 3 @ 2016-12-24T00:00:00Z"));
    EXPECT_EQ(identity("id=1&" + body + "4T00:00:00Z"), identity("id=2&" + body + "5T00:00:00Z"));
}

TEST(facts, invoices_and_their_amounts)
{
    const std::string i = "payload[invoice]";
    const std::string body = "id=1&event=invoice_issued&" + i + "[uid]=inv_1&" + i + "[number]=12&" + i +
                             "[issue_date]=2026-01-31&" + i + "[total_amount]=";
    EXPECT_THAT(facts(body + "100.5"), ElementsAre("invoice inv_1 - issued 10050 12 @ 2026-01-31T00:00:00Z"));
    EXPECT_THAT(facts(body + "-0.05"), ElementsAre("invoice inv_1 - issued -5 12 @ 2026-01-31T00:00:00Z"));
    EXPECT_THAT(facts(body + "0.005"), ElementsAre("invoice inv_1 - issued - 12 @ 2026-01-31T00:00:00Z"));
    EXPECT_THAT(facts("id=1&event=invoice_pending&payload[uid]=inv_2"),
                ElementsAre("invoice inv_2 - pending - @ -"));
    EXPECT_THAT(facts("id=1&event=brand_new&payload[invoice][uid]=inv_2&payload[invoice][status]=paid"),
                ElementsAre("invoice inv_2 - paid - @ -"));
}

TEST(facts, price_points_and_balances)
{
    EXPECT_THAT(facts("id=1&event=item_price_point_changed&payload[subscription_id]=100&payload[item_id]=40&"
                      "payload[item_type]=QuantityBasedComponent&payload[previous_price_point][handle]=old&"
                      "payload[current_price_point][id]=9&payload[current_price_point][handle]=new"),
                ElementsAre("price_point 40 old new - QuantityBasedComponent @ -"));
    EXPECT_THAT(
        facts("id=1&event=subscription_prepayment_account_balance_changed&payload[subscription][id]=100&"
              "payload[reason]=spent&payload[prepayment_account_balance_in_cents]=900&"
              "payload[prepayment_balance_change_in_cents]=-100"),
        ElementsAre("balance prepayment - 900 -100 spent @ -"));
}

TEST(facts, customers)
{
    const std::string c = "payload[customer]";
    const std::string body =
        c + "[id]=7&" + c + "[created_at]=2026-01-01T00:00:00Z&" + c + "[updated_at]=2026-02-01T00:00:00Z";
    EXPECT_THAT(facts("id=1&event=customer_update&" + body),
                ElementsAre("customer - - created - @ 2026-01-01T00:00:00Z",
                            "customer - - updated - @ 2026-02-01T00:00:00Z"));
    EXPECT_THAT(facts("id=1&event=customer_create&" + body),
                ElementsAre("customer - - created - @ 2026-01-01T00:00:00Z"));
    // The customer inside a subscription is told with every event.
    EXPECT_THAT(facts(test::subscription_body{}.str()), IsEmpty());
}

} // namespace
} // namespace chargifyd::state
