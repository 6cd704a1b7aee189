#include "payload.hpp"

namespace chargifyd::simulate {

namespace {

void add_profile_summary(body_writer& out, const scene& of)
{
    const subscription& s = of.subject;
    hash_writer to(out, "payload[payment_profile]");
    to.add("id", s.paid_with.id).add("first_name", s.owner.first_name).add("last_name", s.owner.last_name);
    to.add("card_type", "visa").add("masked_card_number", s.paid_with.masked_number());
    to.add("expiration_month", s.paid_with.expiration_month);
    to.add("expiration_year", s.paid_with.expiration_year);
}

void notice(body_writer& out, const scene& of, std::string_view message, std::string_view period_ends_at)
{
    const subscription& s = of.subject;
    add_customer_summary(out, of);
    out.add("payload[email_sent]", "true");
    out.add("payload[estimated_renewal_amount_in_cents]", s.plan.price_in_cents + s.balance_in_cents);
    out.add("payload[message]", message);
    add_profile_summary(out, of);
    add_product_summary(out, of);
    hash_writer to(out, "payload[subscription]");
    to.add_own_id(s.id).add("state", s.state).add("current_period_ends_at", period_ends_at);
}

std::string eastern_or_nil(const moment& when)
{
    return when ? eastern_time(*when) : std::string();
}

void profile_update(body_writer& out, const scene& of, payment_method method)
{
    payment_profile before = of.other_profile;
    payment_profile after = of.subject.paid_with;
    before.method = after.method = method;
    add_profile({out, "payload[previous_payment_profile]"}, of, before);
    add_profile({out, "payload[updated_payment_profile]"}, of, after);
}

void subscription_profile_update(body_writer& out, const scene& of, payment_method method)
{
    add_subscription_summary(out, of);
    add_product_summary(out, of);
    add_customer_summary(out, of);
    profile_update(out, of, method);
}

void group_profile_update(body_writer& out, const scene& of, payment_method method)
{
    hash_writer to(out, "payload[subscription_group]");
    to.add("uid", of.subject.group.uid);
    to.add("primary_subscription_id", of.subject.group.primary_subscription_id);
    add_subscription_summary(out, of);
    add_customer_summary(out, of);
    profile_update(out, of, method);
}

} // namespace

void renewal_notice(body_writer& out, const scene& of)
{
    const moment& ends = of.subject.current_period_ends_at;
    const bool inspected = of.style == body_style::current && ends;
    notice(out, of, "Upcoming renewal notice sent", inspected ? inspected_time(*ends) : eastern_or_nil(ends));
}

void trial_notice(body_writer& out, const scene& of)
{
    notice(out, of, "End of trial notice sent", eastern_or_nil(of.subject.current_period_ends_at));
}

void card_update(body_writer& out, const scene& of)
{
    subscription_profile_update(out, of, payment_method::credit_card);
}

void bank_account_update(body_writer& out, const scene& of)
{
    subscription_profile_update(out, of, payment_method::bank_account);
}

void paypal_account_update(body_writer& out, const scene& of)
{
    subscription_profile_update(out, of, payment_method::paypal_account);
}

void group_card_update(body_writer& out, const scene& of)
{
    group_profile_update(out, of, payment_method::credit_card);
}

void group_bank_account_update(body_writer& out, const scene& of)
{
    group_profile_update(out, of, payment_method::bank_account);
}

void group_paypal_account_update(body_writer& out, const scene& of)
{
    group_profile_update(out, of, payment_method::paypal_account);
}

} // namespace chargifyd::simulate
