#include "chargifyd/chargify/events.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace chargifyd::chargify {
namespace {

payload_shape shape_of(std::string_view key)
{
    const event_info* const found = find_event(key);
    return found == nullptr ? payload_shape::test : found->shape;
}

TEST(events, are_sorted_unique_and_found)
{
    const auto all = event_catalogue();
    EXPECT_EQ(std::ranges::adjacent_find(all, std::ranges::greater_equal{}, &event_info::key), all.end());
    for (const event_info& event : all) {
        EXPECT_EQ(find_event(event.key), &event);
        EXPECT_FALSE(event.summary.empty()) << event.key;
    }
}

TEST(events, hold_every_key_that_can_be_subscribed_to)
{
    for (const char* key : {"test",
                            "signup_success",
                            "signup_failure",
                            "renewal_success",
                            "renewal_failure",
                            "payment_success",
                            "payment_failure",
                            "billing_date_change",
                            "expiration_date_change",
                            "subscription_state_change",
                            "subscription_product_change",
                            "subscription_product_change_scheduled",
                            "upgrade_downgrade_success",
                            "upgrade_downgrade_failure",
                            "pending_cancellation_change",
                            "expiring_card",
                            "subscription_card_update",
                            "subscription_group_card_update",
                            "customer_create",
                            "customer_update",
                            "component_allocation_change",
                            "metered_usage",
                            "prepaid_usage",
                            "prepaid_subscription_balance_changed",
                            "subscription_prepayment_account_balance_changed",
                            "subscription_service_credit_account_balance_changed",
                            "upcoming_renewal_notice",
                            "trial_end_notice",
                            "dunning_step_reached",
                            "statement_closed",
                            "statement_settled",
                            "invoice_issued",
                            "invoice_pending",
                            "refund_success",
                            "refund_failure",
                            "direct_debit_payment_pending",
                            "direct_debit_payment_paid_out",
                            "direct_debit_payment_rejected",
                            "chjs_tokenization_success",
                            "chjs_tokenization_failure"})
        EXPECT_NE(find_event(key), nullptr) << key;
}

TEST(events, hold_the_keys_known_from_elsewhere)
{
    for (const char* key :
         {"custom_field_value_change", "item_price_point_changed", "customer_delete",
          "delayed_subscription_creation_failure", "pending_payment_completed",
          "subscription_group_signup_success", "prepaid_subscription_balance_change",
          "delayed_signup_creation_success", "subscription_deletion", "chargeback_won",
          "stripe_direct_debit_payment_rejected", "subscription_term_renewal_removed",
          "renewal_success_recreated", "subscription_plan_change", "allocation_change",
          "product_billing_date_change", "end_of_trial_notice", "zferral_revenue_post_success"})
        EXPECT_NE(find_event(key), nullptr) << key;
}

TEST(events, tell_the_shape_of_their_payload)
{
    EXPECT_EQ(shape_of("payment_success"), payload_shape::subscription);
    EXPECT_EQ(shape_of("dunning_step_reached"), payload_shape::subscription);
    EXPECT_EQ(shape_of("upcoming_renewal_notice"), payload_shape::partial);
    EXPECT_EQ(shape_of("subscription_card_update"), payload_shape::partial);
    EXPECT_EQ(shape_of("customer_update"), payload_shape::customer);
    EXPECT_EQ(shape_of("metered_usage"), payload_shape::component);
    EXPECT_EQ(shape_of("statement_settled"), payload_shape::statement);
    EXPECT_EQ(shape_of("refund_success"), payload_shape::flat);
    EXPECT_EQ(shape_of("custom_field_value_change"), payload_shape::metafield);
    EXPECT_EQ(shape_of("chargeback_opened"), payload_shape::undocumented);
    EXPECT_EQ(find_event("test")->shape, payload_shape::test);
}

TEST(events, that_nobody_documented_are_not_found)
{
    EXPECT_EQ(find_event(""), nullptr);
    EXPECT_EQ(find_event("Payment_success"), nullptr);
    EXPECT_EQ(find_event("payment_succes"), nullptr);
    EXPECT_EQ(find_event("~"), nullptr);
}

} // namespace
} // namespace chargifyd::chargify
