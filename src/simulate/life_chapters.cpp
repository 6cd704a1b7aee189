#include "life.hpp"

#include <string>
#include <utility>

namespace chargifyd::simulate {

using namespace std::chrono;

/// Between signup and the first renewal: hours, not days, so that they fit into it.
void life::early_chapters()
{
    if (has(4))
        send_messages();
    if (has(5))
        switch_support_on();
    if (has(6))
        buy_hours();
    if (has(7))
        fill_in_fields();
    if (has(17))
        join_group();
    if (has(18))
        sign_up_group();
    if (has(16))
        prepay();
}

void life::middle_chapters()
{
    if (has(8))
        get_refund();
    if (has(9))
        dispute_payment();
    if (has(10))
        book_plan_change();
    if (has(11))
        hold_and_resume();
    if (has(12))
        move_dates();
    if (has(13))
        change_terms();
    if (has(22))
        owe_invoices();
}

/// After the plan change, before the cancellation.
void life::late_chapters()
{
    if (has(14))
        hand_over();
    if (has(15))
        renew_term();
    if (has(17))
        leave_group();
    if (has(19))
        pay_by_debit();
    if (has(20))
        renew_card();
    if (has(21))
        use_other_accounts();
}

/// The gateway refuses the first attempt: a subscription of its own, that never lives.
void life::fail_to_sign_up()
{
    const subscription later = sub();
    wait(1s);
    sub().id = s_.style == body_style::older ? nil_id : sub().id + 900'000'000;
    sub().created_at = s_.at;
    sub().enter("failed_to_create", s_.at);
    say("signup_failure");
    sub() = later;
    wait(1min);
}

void life::wait_for_signup()
{
    const std::string kind = seed_ % 2 == 0 ? "delayed_signup_creation" : "delayed_subscription_creation";
    sub().state = sub().previous_state = "awaiting_signup";
    say_after(1s, kind + "_failure");
    say_after(1h, kind + "_success");
    wait(days(1));
}

/// No card at the end of the trial; one comes later.
void life::lose_trial_and_return()
{
    touch(until_period_ends());
    sub().enter("trial_ended", s_.at);
    say("subscription_state_change");
    touch(days(3));
    begin_period(s_.at);
    sub().enter("active", s_.at);
    bill();
    pay();
    say("subscription_state_change");
    settle();
}

void life::send_messages()
{
    std::int64_t balance = 0;
    for (const std::int64_t sent : {40, 25}) {
        wait(2h);
        s_.usage = component_change();
        s_.usage.what = messages;
        s_.usage.before = std::to_string(balance);
        s_.usage.quantity = std::to_string(sent);
        s_.usage.after = std::to_string(balance += sent);
        s_.usage.memo = std::to_string(sent) + " messages of one day";
        say("metered_usage");
    }
    messages_in_cents_ = balance * 2;
}

void life::switch_support_on()
{
    wait(1h);
    change_component(support, "0", "1", "Switched on");
}

void life::buy_hours()
{
    wait(1h);
    change_component(hours, "0", "1.5", "An hour and a half");
    say_after(10min, "item_price_point_changed");
    wait(1h);
    change_component(hours, "1.5", "2.25", "Three quarters more");
}

void life::fill_in_fields()
{
    s_.field = {"created", 5'001, "favourite_colour", std::nullopt, "green & blue"};
    say_after(1h, "custom_field_value_change");
    s_.field = {"updated", 5'001, "favourite_colour", "green & blue", "r\xc3\xb6t"};
    say_after(1h, "custom_field_value_change");
    s_.field = {"deleted", 5'001, "favourite_colour", "r\xc3\xb6t", std::nullopt};
    say_after(1h, "custom_field_value_change");
    s_.field = {"created", 5'002, "account_manager", std::nullopt, "Example Manager", true};
    say_after(1h, "custom_field_value_change");
}

void life::get_refund()
{
    s_.refunded = {next_transaction_++, s_.payment.amount_in_cents / 2, s_.payment.id,
                   s_.payment.amount_in_cents, "Refund for an unused half month."};
    say_after(3h, "refund_success");
    s_.refunded.id = next_transaction_++;
    s_.refunded.amount_in_cents = s_.payment.amount_in_cents;
    say_after(1h, "refund_failure");
}

void life::dispute_payment()
{
    s_.refunded = {next_transaction_++, s_.payment.amount_in_cents, s_.payment.id, s_.payment.amount_in_cents,
                   ""};
    say_after(2h, "chargeback_opened");
    say_after(2h, seed_ % 2 == 0 ? "chargeback_won" : "chargeback_accepted");
    say_after(2h, seed_ % 2 == 0 ? "chargeback_closed" : "chargeback_lost");
}

void life::book_plan_change()
{
    touch(4h);
    sub().next_plan = sub().plan.id == plans[1].id ? plans[2] : plans[1];
    say("subscription_product_change_scheduled");
}

void life::hold_and_resume()
{
    touch(days(1));
    sub().enter("on_hold", s_.at);
    sub().automatically_resume_at = s_.at + days(6);
    say("subscription_state_change");
    touch(days(6));
    sub().enter("active", s_.at);
    say("subscription_state_change");
}

void life::move_dates()
{
    touch(2h);
    s_.previous_date = sub().next_assessment_at;
    sub().current_period_ends_at = sub().next_assessment_at = *sub().next_assessment_at + days(2);
    say("billing_date_change");
    s_.usage.what = seats;
    say("component_billing_date_changed");
    touch(2h);
    s_.previous_date = sub().expires_at;
    sub().expires_at = s_.at + days(800);
    say("expiration_date_change");
}

void life::change_terms()
{
    touch(2h);
    s_.previous_value = std::exchange(sub().payment_collection_method, "remittance");
    say("payment_collection_method_changed");
    say_after(1h, "account_transaction_changed");
    say_after(1h, seed_ % 2 == 0 ? "zferral_revenue_post_success" : "zferral_revenue_post_failure");
    touch(2h);
    s_.previous_value = std::exchange(sub().payment_collection_method, "automatic");
    say("payment_collection_method_changed");
}

/// The subscription gets another owner.
void life::hand_over()
{
    wait(2h);
    s_.other_owner = sub().owner;
    sub().owner = invented_customer(sub().owner.id + 500'000'000, s_.at, random_);
    say("customer_create");
    touch(1s);
    say("subscription_customer_change");
}

void life::renew_term()
{
    for (const char* step : {"scheduled", "removed", "scheduled", "pending", "activated"})
        say_after(1h, std::string("subscription_term_renewal_") + step);
}

/// Prepaid credits are bought, used up and overdrawn.
void life::prepay()
{
    s_.balance = {"Prepayment", 0, 0, 0};
    s_.balance.change_in_cents = s_.balance.balance_in_cents = sub().prepayment_balance_in_cents = 5000;
    touch(1h);
    say("subscription_prepayment_account_balance_changed");
    s_.usage = component_change();
    s_.usage.what = credits;
    s_.usage.before = "10";
    s_.usage.quantity = "10";
    s_.usage.overage_after = s_.usage.overage_quantity = "2.5";
    s_.usage.memo = "Rendered the example film";
    s_.usage.allocation_id = next_transaction_++;
    say_after(1h, "prepaid_usage");
    s_.balance.usage_in_cents = 1250;
    s_.balance.reason = "Usage";
    say(seed_ % 2 == 0 ? "prepaid_subscription_balance_changed" : "prepaid_subscription_balance_change");
    s_.balance = {"Bonus of the example site", 700, 700, 0};
    sub().credit_balance_in_cents = 700;
    touch(1h);
    say("subscription_service_credit_account_balance_changed");
}

void life::join_group()
{
    touch(1h);
    sub().group = {"grp_example" + std::to_string(sub().id), sub().id};
    say("subscription_added_to_group");
}

void life::leave_group()
{
    touch(1h);
    say("subscription_removed_from_group");
    sub().group = {};
}

/// The customer buys for others too; the first attempt fails.
void life::sign_up_group()
{
    const subscription_group own =
        std::exchange(sub().group, {"grp_new" + std::to_string(sub().id), sub().id});
    say_after(1h, "subscription_group_signup_failure");
    say_after(1h, "subscription_group_signup_success");
    sub().group = own;
}

void life::pay_by_debit()
{
    using names = std::vector<std::string>;
    const names gateways = seed_ % 2 == 0 ? names{"direct_debit", "go_cardless"}
                                          : names{"stripe_direct_debit", "maxio_payments_direct_debit"};
    for (const std::string& gateway : gateways)
        for (const char* step :
             {"_payment_pending", "_payment_rejected", "_payment_pending", "_payment_paid_out"})
            say_after(1h, gateway + step);
}

void life::renew_card()
{
    touch(1h);
    say("expiring_card");
    say_after(1h, "chjs_tokenization_failure");
    say_after(1min, "chjs_tokenization_success");
}

void life::use_other_accounts()
{
    const subscription_group own =
        std::exchange(sub().group, {"grp_example" + std::to_string(sub().id), sub().id});
    for (const char* of : {"subscription", "subscription_group"})
        for (const char* account : {"_card_update", "_bank_account_update", "_paypal_account_update"})
            say_after(1h, std::string(of) + account);
    sub().group = own;
}

void life::owe_invoices()
{
    s_.issued.paid_at = moment();
    number_invoice("adhoc");
    say_after(1h, "proforma_invoice_issued");
    number_invoice("adhoc");
    say_after(1h, "invoice_pending");
    say_after(1h, "pending_payment_created");
    say_after(1h, "pending_payment_failed");
    say_after(1h, "pending_payment_created");
    say_after(1h, "pending_payment_completed");
    say_after(1h, "invoice_in_collections_canceled");
}

void life::fail_upgrade()
{
    touch(1h);
    s_.other_plan = largest_plan;
    s_.payment.id = next_transaction_++;
    s_.payment.success = false;
    say("upgrade_downgrade_failure");
    say("payment_failure");
}

/// Dunning runs out: unpaid, then canceled.
void life::fail_for_good()
{
    miss_payment();
    run_dunning();
    touch(days(3));
    pay({}, false);
    s_.dunning.attempts = 3;
    s_.dunning.day = 4;
    s_.dunning.action = "unpaid";
    s_.dunning.next_day = 0;
    sub().enter("unpaid", s_.at);
    say("payment_failure");
    say("subscription_state_change");
    say("dunning_step_reached");
    touch(days(10));
    sub().cancellation_method = "dunning";
    sub().enter("canceled", s_.at);
    say("subscription_state_change");
}

/// The subscription runs its term.
void life::expire()
{
    touch(days(2));
    s_.previous_date = sub().expires_at;
    sub().expires_at = sub().current_period_ends_at;
    say("expiration_date_change");
    touch(until_period_ends());
    sub().enter("expired", s_.at);
    say("subscription_state_change");
}

void life::be_purged()
{
    say_after(days(30), "subscription_deletion");
    say_after(1min, "customer_delete");
}

void life::number_invoice(std::string_view role)
{
    const std::string number = std::to_string(++next_invoice_);
    s_.issued.uid = "inv_example" + number;
    s_.issued.number = next_invoice_;
    s_.issued.role = role;
    s_.issued.issued_at = s_.at;
    s_.issued.due_at = s_.at + days(15);
}

} // namespace chargifyd::simulate
