#include "chargifyd/simulate/event.hpp"

#include "payload.hpp"

#include <algorithm>
#include <array>

namespace chargifyd::simulate {

namespace {

struct known_payload {
    std::string_view key;
    payload_builder build;
};

// Documented in full, in part, or only by a name that says what must be in it; `bare_reference` where even
// that is missing.
constexpr std::array payloads{
    known_payload{"account_transaction_changed", pending_payment},
    known_payload{"allocation_change", allocation},
    known_payload{"billing_date_change", billing_date_change},
    known_payload{"chargeback_accepted", chargeback},
    known_payload{"chargeback_closed", chargeback},
    known_payload{"chargeback_lost", chargeback},
    known_payload{"chargeback_opened", chargeback},
    known_payload{"chargeback_won", chargeback},
    known_payload{"chjs_tokenization_failure", token_failed},
    known_payload{"chjs_tokenization_success", token_made},
    known_payload{"component_allocation_change", allocation},
    known_payload{"component_billing_date_changed", component_billing_date},
    known_payload{"custom_field_value_change", custom_field_change},
    known_payload{"customer_create", customer_event},
    known_payload{"customer_delete", customer_event},
    known_payload{"customer_update", customer_event},
    known_payload{"delayed_signup_creation_failure", bare_reference},
    known_payload{"delayed_signup_creation_success", bare_reference},
    known_payload{"delayed_subscription_creation_failure", bare_reference},
    known_payload{"delayed_subscription_creation_success", bare_reference},
    known_payload{"direct_debit_payment_paid_out", pending_payment},
    known_payload{"direct_debit_payment_pending", pending_payment},
    known_payload{"direct_debit_payment_rejected", pending_payment},
    known_payload{"dunning_step_reached", dunning_step_reached},
    known_payload{"end_of_trial_notice", trial_notice},
    known_payload{"expiration_date_change", expiration_date_change},
    known_payload{"expiring_card", full_subscription},
    known_payload{"go_cardless_payment_paid_out", pending_payment},
    known_payload{"go_cardless_payment_pending", pending_payment},
    known_payload{"go_cardless_payment_rejected", pending_payment},
    known_payload{"invoice_in_collections_canceled", invoice_in_collections},
    known_payload{"invoice_issued", invoice_event},
    known_payload{"invoice_pending", invoice_event},
    known_payload{"item_price_point_changed", item_price_point},
    known_payload{"maxio_payments_direct_debit_payment_paid_out", pending_payment},
    known_payload{"maxio_payments_direct_debit_payment_pending", pending_payment},
    known_payload{"maxio_payments_direct_debit_payment_rejected", pending_payment},
    known_payload{"metered_usage", metered_usage},
    known_payload{"payment_collection_method_changed", collection_method_change},
    known_payload{"payment_failure", payment},
    known_payload{"payment_failure_recreated", payment},
    known_payload{"payment_success", payment},
    known_payload{"payment_success_recreated", payment},
    known_payload{"pending_cancellation_change", full_subscription},
    known_payload{"pending_payment_completed", pending_payment},
    known_payload{"pending_payment_created", pending_payment},
    known_payload{"pending_payment_failed", pending_payment},
    known_payload{"prepaid_subscription_balance_change", prepaid_balance},
    known_payload{"prepaid_subscription_balance_changed", prepaid_balance},
    known_payload{"prepaid_usage", prepaid_usage},
    known_payload{"product_billing_date_change", component_billing_date},
    known_payload{"proforma_invoice_issued", proforma_invoice},
    known_payload{"refund_failure", refund_failure},
    known_payload{"refund_success", refund_success},
    known_payload{"renewal_failure", full_subscription},
    known_payload{"renewal_failure_recreated", full_subscription},
    known_payload{"renewal_success", full_subscription},
    known_payload{"renewal_success_recreated", full_subscription},
    known_payload{"signup_failure", full_subscription},
    known_payload{"signup_success", full_subscription},
    known_payload{"statement_closed", statement_event},
    known_payload{"statement_settled", statement_event},
    known_payload{"stripe_direct_debit_payment_paid_out", pending_payment},
    known_payload{"stripe_direct_debit_payment_pending", pending_payment},
    known_payload{"stripe_direct_debit_payment_rejected", pending_payment},
    known_payload{"subscription_added_to_group", group_membership},
    known_payload{"subscription_bank_account_update", bank_account_update},
    known_payload{"subscription_card_update", card_update},
    known_payload{"subscription_customer_change", customer_change},
    known_payload{"subscription_deletion", bare_reference},
    known_payload{"subscription_group_bank_account_update", group_bank_account_update},
    known_payload{"subscription_group_card_update", group_card_update},
    known_payload{"subscription_group_paypal_account_update", group_paypal_account_update},
    known_payload{"subscription_group_signup_failure", group_signup_failure},
    known_payload{"subscription_group_signup_success", group_signup},
    known_payload{"subscription_paypal_account_update", paypal_account_update},
    known_payload{"subscription_plan_change", product_change},
    known_payload{"subscription_prepayment_account_balance_changed", prepayment_balance},
    known_payload{"subscription_product_change", product_change},
    known_payload{"subscription_product_change_scheduled", scheduled_product_change},
    known_payload{"subscription_removed_from_group", group_membership},
    known_payload{"subscription_service_credit_account_balance_changed", service_credit_balance},
    known_payload{"subscription_state_change", full_subscription},
    known_payload{"subscription_term_renewal_activated", term_renewal},
    known_payload{"subscription_term_renewal_pending", term_renewal},
    known_payload{"subscription_term_renewal_removed", term_renewal},
    known_payload{"subscription_term_renewal_scheduled", term_renewal},
    known_payload{"test", test_button},
    known_payload{"trial_end_notice", trial_notice},
    known_payload{"upcoming_renewal_notice", renewal_notice},
    known_payload{"upgrade_downgrade_failure", failed_product_change},
    known_payload{"upgrade_downgrade_success", product_change},
    known_payload{"zferral_revenue_post_failure", revenue_post},
    known_payload{"zferral_revenue_post_success", revenue_post},
};

static_assert(std::ranges::is_sorted(payloads, {}, &known_payload::key));

payload_builder builder_of(std::string_view key) noexcept
{
    const auto* const found = std::ranges::lower_bound(payloads, key, {}, &known_payload::key);
    return found != payloads.end() && found->key == key ? found->build : bare_reference;
}

} // namespace

webhook event_webhook(std::string_view key, const scene& of)
{
    const bool has_site = key != "test";
    const bool site_last = of.style == body_style::panel;
    body_writer out;
    out.add("id", of.webhook_id).add("event", key);
    if (has_site && !site_last)
        add_site(out, of.site);
    builder_of(key)(out, of);
    if (has_site && site_last)
        add_site(out, of.site);
    if (of.event_id != 0 && has_site)
        out.add("payload[event_id]", of.event_id);
    return {of.webhook_id, std::string(key), out.str(), of.at};
}

webhook tell(std::string_view key, scene& of)
{
    webhook told = event_webhook(key, of);
    ++of.webhook_id;
    ++of.event_id;
    return told;
}

} // namespace chargifyd::simulate
