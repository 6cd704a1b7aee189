#include "payload.hpp"

namespace chargifyd::simulate {

namespace {

using namespace std::chrono;

constexpr sys_seconds catalogue_made = sys_days(2025y / March / 24) + 17h + 38min + 39s;

/// An array of hashes without indices: the same keys once for each page.
void add_signup_pages(const hash_writer& product, const scene& of, const simulate::product& p)
{
    for (const int page : {1, 2}) {
        const std::string path = "/subscribe/page" + std::to_string(page) + "/" + p.handle;
        hash_writer to = product.below("public_signup_pages");
        to.add("id", 10 * p.id + page);
        to.add("return_url", page == 1 ? "https://www.example.com/welcome?from=signup" : "");
        to.add_nil("return_params").add("url", "https://" + of.site + ".example.com" + path);
    }
}

/// What has come to the product's hash since 2016.
void add_newer_product_fields(hash_writer& to, const simulate::product& p)
{
    const std::int64_t price_point = p.id + 1000;
    to.add_nil("tax_code").add("default_product_price_point_id", price_point);
    to.add_flag("request_billing_address", false).add_flag("require_billing_address", false);
    to.add_flag("require_shipping_address", false).add_flag("use_site_exchange_rate", true);
    to.add("product_price_point_id", price_point).add("product_price_point_name", "Original");
    to.add("product_price_point_handle",
           "uuid:00000000-0000-4000-8000-" + std::to_string(100000000000 + p.id));
}

void add_bank_account_fields(hash_writer& to, const payment_profile& p)
{
    to.add("bank_name", "Bank of Example").add("masked_bank_account_number", "XXXX" + p.last_digits);
    to.add("bank_account_type", "checking")
        .add("bank_account_holder_type", "personal")
        .add_flag("verified", true);
}

/// The scalar fields of 2016.
void add_first_fields(hash_writer& to, const subscription& s)
{
    to.add_own_id(s.id).add("state", s.state).add("trial_started_at", s.trial_started_at);
    to.add("trial_ended_at", s.trial_ended_at).add("activated_at", s.activated_at);
    to.add("created_at", s.created_at).add("updated_at", s.updated_at).add("expires_at", s.expires_at);
    to.add("balance_in_cents", s.balance_in_cents).add("current_period_ends_at", s.current_period_ends_at);
    to.add("next_assessment_at", s.next_assessment_at).add("canceled_at", s.canceled_at);
    to.add("cancellation_message", s.cancellation_message);
    to.add_id("next_product_id", s.next_plan ? s.next_plan->id : 0);
    to.add_flag("cancel_at_end_of_period", s.cancel_at_end_of_period);
    to.add("payment_collection_method", s.payment_collection_method).add_nil("snap_day");
    to.add("cancellation_method", s.cancellation_method);
    to.add("current_period_started_at", s.current_period_started_at).add("previous_state", s.previous_state);
    to.add_id("signup_payment_id", s.signup_payment_id);
    to.add("signup_revenue", decimal(s.signup_revenue_in_cents))
        .add("delayed_cancel_at", s.delayed_cancel_at);
    to.add("coupon_code", s.coupon_code).add("total_revenue_in_cents", s.total_revenue_in_cents);
    to.add("product_price_in_cents", s.plan.price_in_cents).add("product_version_number", 1);
    to.add("payment_type", to_string(s.paid_with.method)).add_nil("referral_code");
    to.add("coupon_use_count", s.coupon_code.empty() ? "" : "1").add_nil("coupon_uses_allowed");
}

/// Those that have come since.
void add_newer_fields(hash_writer& to, const subscription& s)
{
    to.add("reason_code", s.reason_code).add("automatically_resume_at", s.automatically_resume_at);
    to.add("on_hold_at", s.on_hold_at).add("scheduled_cancellation_at", s.delayed_cancel_at);
    to.add("next_product_handle", s.next_plan ? s.next_plan->handle : std::string());
    to.add_id("next_product_price_point_id", s.next_plan ? s.next_plan->id + 1000 : 0);
    to.add("product_price_point_id", s.plan.id + 1000).add("product_price_point_type", "default");
    to.add_nil({"offer_id", "payer_id", "net_terms", "stored_credential_transaction_id"});
    to.add("reference", "subscription-" + std::to_string(s.id)).add_flag("prepaid_dunning", false);
    to.add_flag("dunning_communication_delay_enabled", false);
    to.add_nil({"dunning_communication_delay_time_zone", "receives_invoice_emails", "locale"});
    to.add("currency", "USD").add("credit_balance_in_cents", s.credit_balance_in_cents);
    to.add("prepayment_balance_in_cents", s.prepayment_balance_in_cents);
}

} // namespace

void subscription::enter(std::string_view next_state, sys_seconds at)
{
    previous_state = state;
    state = next_state;
    updated_at = at;
    on_hold_at = automatically_resume_at = canceled_at = moment();
    const bool ended = state == "canceled" || state == "expired";
    if (ended) {
        canceled_at = at;
        cancel_at_end_of_period = false;
        delayed_cancel_at = moment();
    } else if (previous_state == "canceled" || previous_state == "expired") {
        cancellation_message.clear();
        cancellation_method.clear();
        reason_code.clear();
    }
    if (state == "expired")
        expires_at = at;
    if (state == "on_hold")
        on_hold_at = at;
    if (state == "active" && !activated_at)
        activated_at = at;
    if (ended || state == "on_hold" || state == "unpaid" || state == "suspended" || state == "trial_ended" ||
        state == "failed_to_create")
        next_assessment_at = moment();
    else if (!next_assessment_at)
        next_assessment_at = current_period_ends_at;
}

void add_customer(hash_writer to, const scene& of, const customer& c)
{
    to.add_own_id(c.id).add("first_name", c.first_name).add("last_name", c.last_name);
    to.add("organization", c.organization).add("email", c.email());
    to.add("created_at", c.created_at).add("updated_at", c.updated_at).add("reference", c.reference());
    to.add("address", "1 Example Street").add_nil("address_2").add("city", c.city).add("state", "NC");
    to.add("zip", "12345").add("country", "US").add("phone", c.phone);
    if (of.style == body_style::panel)
        return;
    to.add_nil("portal_invite_last_sent_at").add_nil("portal_invite_last_accepted_at");
    to.add_flag("verified", false).add_nil("portal_customer_created_at").add_nil("cc_emails");
    if (of.style == body_style::current)
        to.add_flag("tax_exempt", false).add_nil({"vat_number", "parent_id", "locale"});
}

void add_product(hash_writer to, const scene& of, const product& p)
{
    const bool frozen = of.style == body_style::panel;
    const moment made = frozen ? of.subject.owner.created_at : catalogue_made;
    to.add("id", p.id).add("name", p.name).add("handle", p.handle).add("description", "lorem ipsum");
    to.add("accounting_code", p.handle).add_flag("request_credit_card", true).add_nil("expiration_interval");
    to.add("expiration_interval_unit", "never").add("created_at", made).add("updated_at", made);
    to.add("price_in_cents", p.price_in_cents).add("interval", 1).add("interval_unit", "month");
    to.add_nil({"initial_charge_in_cents", "trial_price_in_cents", "trial_interval"});
    to.add("trial_interval_unit", "month").add_nil("archived_at").add_flag("require_credit_card", true);
    to.add_nil("return_params");
    if (frozen)
        to.add_nil({"return_url", "update_return_url"});
    else
        to.add_flag("taxable", false).add_nil("update_return_url");
    if (!frozen) {
        to.add_flag("initial_charge_after_trial", false).add("version_number", 1);
        to.add_nil("update_return_params");
    }
    if (of.style == body_style::current)
        add_newer_product_fields(to, p);
    hash_writer family = to.below("product_family");
    family.add("id", frozen ? 0 : family_id).add("name", family_name).add_nil("description");
    family.add("handle", "example-plans").add_nil("accounting_code");
    if (!frozen)
        add_signup_pages(to, of, p);
}

void add_profile(hash_writer to, const scene& of, const payment_profile& p)
{
    const customer& owner = of.subject.owner;
    to.add("id", p.id).add("first_name", owner.first_name).add("last_name", owner.last_name);
    if (p.method == payment_method::credit_card) {
        to.add("masked_card_number", p.masked_number()).add("card_type", "visa");
        to.add("expiration_month", p.expiration_month).add("expiration_year", p.expiration_year);
    }
    to.add("customer_id", owner.id);
    to.add("current_vault", p.method == payment_method::bank_account ? "gocardless" : "bogus");
    to.add("vault_token", p.vault_token);
    to.add_nil({"billing_address", "billing_city", "billing_state"}).add("billing_zip", "12345");
    to.add("billing_country", "US").add("customer_vault_token", p.customer_vault_token);
    to.add_nil("billing_address_2");
    if (of.style == body_style::panel)
        return;
    if (p.method == payment_method::bank_account)
        add_bank_account_fields(to, p);
    if (p.method == payment_method::paypal_account)
        to.add("paypal_email", owner.email());
    to.add("payment_type", to_string(p.method)).add_nil({"site_gateway_setting_id", "gateway_handle"});
}

namespace {

/// The hash as it was in 2012.
void add_panel_subscription(body_writer& out, const scene& of)
{
    const subscription& s = of.subject;
    hash_writer to(out, "payload[subscription]");
    to.add("activated_at", s.activated_at).add("balance_in_cents", s.balance_in_cents);
    to.add_flag("cancel_at_end_of_period", s.cancel_at_end_of_period).add("canceled_at", s.canceled_at);
    to.add_nil({"cancellation_message", "coupon_code"}).add("created_at", s.created_at);
    add_profile(to.below("credit_card"), of, s.paid_with);
    to.add("current_period_ends_at", s.current_period_ends_at);
    to.add("current_period_started_at", s.current_period_started_at);
    add_customer(to.below("customer"), of, s.owner);
    to.add_nil("delayed_cancel_at").add("expires_at", s.expires_at).add("id", s.id);
    to.add("next_assessment_at", s.next_assessment_at).add("previous_state", s.previous_state);
    to.add("payment_type", "credit_card");
    add_product(to.below("product"), of, s.plan);
    to.add("signup_payment_id", 1).add("signup_revenue", decimal(s.signup_revenue_in_cents));
    to.add("state", s.state).add("total_revenue_in_cents", s.total_revenue_in_cents);
    to.add("trial_ended_at", s.trial_ended_at).add("trial_started_at", s.trial_started_at);
    to.add("updated_at", s.updated_at);
}

} // namespace

void full_subscription(body_writer& out, const scene& of)
{
    if (of.style == body_style::panel)
        return add_panel_subscription(out, of);
    const subscription& s = of.subject;
    hash_writer to(out, "payload[subscription]");
    add_first_fields(to, s);
    if (of.style == body_style::current)
        add_newer_fields(to, s);
    add_customer(to.below("customer"), of, s.owner);
    add_product(to.below("product"), of, s.plan);
    add_profile(to.below(to_string(s.paid_with.method)), of, s.paid_with);
    if (!s.group.uid.empty()) {
        hash_writer group = to.below("group");
        group.add("uid", s.group.uid).add("scheme", 1);
        group.add("primary_subscription_id", s.group.primary_subscription_id);
        group.add_flag("primary", s.group.primary_subscription_id == s.id);
    }
}

void billing_date_change(body_writer& to, const scene& of)
{
    full_subscription(to, of);
    hash_writer(to, "payload[subscription]").add("previous_billing_date", of.previous_date);
}

void expiration_date_change(body_writer& to, const scene& of)
{
    full_subscription(to, of);
    hash_writer(to, "payload[subscription]").add("previous_expires_at", of.previous_date);
}

void product_change(body_writer& to, const scene& of)
{
    full_subscription(to, of);
    add_product({to, "payload[previous_product]"}, of, of.other_plan);
}

void scheduled_product_change(body_writer& to, const scene& of)
{
    const subscription& s = of.subject;
    full_subscription(to, of);
    payload(to)
        .add("previous_product_id", s.plan.id)
        .add("new_product_id", s.next_plan ? s.next_plan->id : s.plan.id)
        .add("effective_at", s.current_period_ends_at);
}

void failed_product_change(body_writer& to, const scene& of)
{
    full_subscription(to, of);
    add_product({to, "payload[target_product]"}, of, of.other_plan);
}

void payment(body_writer& to, const scene& of)
{
    full_subscription(to, of);
    add_transaction({to, "payload[transaction]"}, of, of.payment);
}

void dunning_step_reached(body_writer& to, const scene& of)
{
    const dunning_step& d = of.dunning;
    const bool frozen = of.style == body_style::panel;
    const auto time = [frozen](sys_seconds when) {
        return frozen ? zoneless_time(when) : eastern_time(when);
    };
    full_subscription(to, of);
    hash_writer dunner(to, "payload[dunner]");
    dunner.add("state", "active").add("subscription_id", of.subject.id);
    if (!frozen)
        dunner.add("revenue_at_risk_in_cents", of.subject.balance_in_cents);
    dunner.add("created_at", std::string_view(time(d.began_at))).add("attempts", d.attempts);
    dunner.add("last_attempted_at", std::string_view(time(d.attempted_at)));
    for (const bool current : {true, false}) {
        const int day = current ? d.day : d.next_day;
        if (day == 0) {
            to.add("payload[next_step]", "");
            continue;
        }
        hash_writer step(to, current ? "payload[current_step]" : "payload[next_step]");
        step.add("day_threshold", day).add("action", current ? d.action : d.next_action);
        step.add("email_body", "Please update your card.").add("email_subject", "Payment failed");
        step.add_flag("send_email", true).add_flag("send_bcc_email", false).add_flag("send_sms", false);
        step.add_nil("sms_body");
    }
}

} // namespace chargifyd::simulate
