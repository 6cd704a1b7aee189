#include "chargifyd/chargify/events.hpp"

#include <algorithm>
#include <array>

namespace chargifyd::chargify {

namespace {

using enum payload_shape;

constexpr std::array events{
    event_info{"account_transaction_changed", undocumented, "an account transaction was changed"},
    event_info{"allocation_change", undocumented, "component_allocation_change on enhanced-catalog sites"},
    event_info{"billing_date_change", subscription, "the next billing date was changed, not by a renewal"},
    event_info{"chargeback_accepted", undocumented, "a chargeback was accepted"},
    event_info{"chargeback_closed", undocumented, "a chargeback was closed"},
    event_info{"chargeback_lost", undocumented, "a chargeback was lost"},
    event_info{"chargeback_opened", undocumented, "a chargeback was opened"},
    event_info{"chargeback_won", undocumented, "a chargeback was won"},
    event_info{"chjs_tokenization_failure", undocumented, "Chargify.js could not make a payment token"},
    event_info{"chjs_tokenization_success", undocumented, "Chargify.js made a payment token"},
    event_info{"component_allocation_change", component, "a component's quantity or on/off setting changed"},
    event_info{"component_billing_date_changed", undocumented, "a component's billing date was changed"},
    event_info{"custom_field_value_change", metafield,
               "a custom field's value was created, updated or deleted"},
    event_info{"customer_create", customer, "a customer was created"},
    event_info{"customer_delete", undocumented, "a customer was deleted"},
    event_info{"customer_update", customer, "a customer's contact data changed"},
    event_info{"delayed_signup_creation_failure", undocumented, "a delayed signup failed"},
    event_info{"delayed_signup_creation_success", undocumented, "a delayed signup was created"},
    event_info{"delayed_subscription_creation_failure", undocumented,
               "a delayed subscription could not be created"},
    event_info{"delayed_subscription_creation_success", undocumented, "a delayed subscription was created"},
    event_info{"direct_debit_payment_paid_out", undocumented, "a direct debit was paid out"},
    event_info{"direct_debit_payment_pending", undocumented, "a direct debit is under way"},
    event_info{"direct_debit_payment_rejected", undocumented, "a direct debit was rejected"},
    event_info{"dunning_step_reached", subscription, "a step of dunning was taken for an unpaid renewal"},
    event_info{"end_of_trial_notice", partial, "the documentation's name of trial_end_notice"},
    event_info{"expiration_date_change", subscription, "the expiration date changed"},
    event_info{"expiring_card", subscription, "the card on file expires this month"},
    event_info{"go_cardless_payment_paid_out", undocumented, "a GoCardless payment was paid out"},
    event_info{"go_cardless_payment_pending", undocumented, "a GoCardless payment is under way"},
    event_info{"go_cardless_payment_rejected", undocumented, "a GoCardless payment was rejected"},
    event_info{"invoice_in_collections_canceled", undocumented, "an invoice in collections was canceled"},
    event_info{"invoice_issued", statement, "an invoice was issued"},
    event_info{"invoice_pending", statement, "an invoice is pending"},
    event_info{"item_price_point_changed", flat, "an item of a subscription moved to another price point"},
    event_info{"maxio_payments_direct_debit_payment_paid_out", undocumented,
               "a Maxio direct debit was paid out"},
    event_info{"maxio_payments_direct_debit_payment_pending", undocumented,
               "a Maxio direct debit is under way"},
    event_info{"maxio_payments_direct_debit_payment_rejected", undocumented,
               "a Maxio direct debit was rejected"},
    event_info{"metered_usage", component, "usage of a metered component was reported"},
    event_info{"payment_collection_method_changed", undocumented,
               "automatic, remittance, prepaid or invoice: changed"},
    event_info{"payment_failure", subscription, "a payment was refused"},
    event_info{"payment_failure_recreated", undocumented, "a payment_failure issued again in 2012"},
    event_info{"payment_success", subscription, "a payment went through"},
    event_info{"payment_success_recreated", undocumented, "a payment_success issued again in 2012"},
    event_info{"pending_cancellation_change", subscription,
               "cancellation at the period's end was set or removed"},
    event_info{"pending_payment_completed", undocumented, "a pending payment completed"},
    event_info{"pending_payment_created", undocumented, "a pending payment was created"},
    event_info{"pending_payment_failed", undocumented, "a pending payment failed"},
    event_info{"prepaid_subscription_balance_change", undocumented,
               "another spelling of the key that ends in changed"},
    event_info{"prepaid_subscription_balance_changed", undocumented,
               "the balance of a prepaid subscription moved"},
    event_info{"prepaid_usage", component, "usage of a prepaid component was reported"},
    event_info{"product_billing_date_change", undocumented,
               "component_billing_date_changed on enhanced-catalog sites"},
    event_info{"proforma_invoice_issued", undocumented, "a pro forma invoice was issued"},
    event_info{"refund_failure", flat, "a refund failed"},
    event_info{"refund_success", flat, "a refund went through"},
    event_info{"renewal_failure", subscription, "a period ended and its payment failed"},
    event_info{"renewal_failure_recreated", undocumented, "a renewal_failure issued again in 2012"},
    event_info{"renewal_success", subscription, "a period ended and the next one began"},
    event_info{"renewal_success_recreated", undocumented, "a renewal_success issued again in 2012"},
    event_info{"signup_failure", subscription, "the gateway refused a signup"},
    event_info{"signup_success", subscription, "a subscription was created"},
    event_info{"statement_closed", statement, "a period's statement was closed, not yet paid"},
    event_info{"statement_settled", statement, "a period's statement was paid"},
    event_info{"stripe_direct_debit_payment_paid_out", undocumented, "a Stripe direct debit was paid out"},
    event_info{"stripe_direct_debit_payment_pending", undocumented, "a Stripe direct debit is under way"},
    event_info{"stripe_direct_debit_payment_rejected", undocumented, "a Stripe direct debit was rejected"},
    event_info{"subscription_added_to_group", undocumented, "a subscription joined a subscription group"},
    event_info{"subscription_bank_account_update", undocumented, "the bank account on file changed"},
    event_info{"subscription_card_update", partial, "the card on file changed"},
    event_info{"subscription_customer_change", undocumented, "a subscription moved to another customer"},
    event_info{"subscription_deletion", undocumented, "a subscription was purged"},
    event_info{"subscription_group_bank_account_update", undocumented, "a group's bank account changed"},
    event_info{"subscription_group_card_update", undocumented, "a group's card changed"},
    event_info{"subscription_group_paypal_account_update", undocumented, "a group's PayPal account changed"},
    event_info{"subscription_group_signup_failure", undocumented,
               "the signup of a subscription group failed"},
    event_info{"subscription_group_signup_success", undocumented, "a subscription group was created"},
    event_info{"subscription_paypal_account_update", undocumented, "the PayPal account on file changed"},
    event_info{"subscription_plan_change", undocumented,
               "subscription_product_change on enhanced-catalog sites"},
    event_info{"subscription_prepayment_account_balance_changed", undocumented,
               "the prepayment balance moved"},
    event_info{"subscription_product_change", subscription, "the subscription changed to another product"},
    event_info{"subscription_product_change_scheduled", subscription,
               "a change of product was set for later"},
    event_info{"subscription_removed_from_group", undocumented, "a subscription left a subscription group"},
    event_info{"subscription_service_credit_account_balance_changed", undocumented,
               "the service credit moved"},
    event_info{"subscription_state_change", subscription, "the subscription's state changed"},
    event_info{"subscription_term_renewal_activated", undocumented, "a term renewal became active"},
    event_info{"subscription_term_renewal_pending", undocumented, "a term renewal is pending"},
    event_info{"subscription_term_renewal_removed", undocumented, "a term renewal was removed"},
    event_info{"subscription_term_renewal_scheduled", undocumented, "a term renewal was set for later"},
    event_info{"test", test, "sent by the test button"},
    event_info{"trial_end_notice", partial, "a trial ends in three days"},
    event_info{"upcoming_renewal_notice", partial, "a renewal comes in three days"},
    event_info{"upgrade_downgrade_failure", subscription, "a change of product failed"},
    event_info{"upgrade_downgrade_success", subscription,
               "a change of product, with proration, went through"},
    event_info{"zferral_revenue_post_failure", undocumented, "posting revenue to Zferral failed"},
    event_info{"zferral_revenue_post_success", undocumented, "revenue was posted to Zferral"},
};

static_assert(std::ranges::is_sorted(events, {}, &event_info::key));

} // namespace

std::span<const event_info> event_catalogue() noexcept
{
    return events;
}

const event_info* find_event(std::string_view key) noexcept
{
    const auto* const found = std::ranges::lower_bound(events, key, {}, &event_info::key);
    return found != events.end() && found->key == key ? found : nullptr;
}

} // namespace chargifyd::chargify
