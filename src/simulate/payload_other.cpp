#include "payload.hpp"

namespace chargifyd::simulate {

void customer_event(body_writer& to, const scene& of)
{
    add_customer({to, "payload[customer]"}, of, of.subject.owner);
}

void customer_change(body_writer& to, const scene& of)
{
    add_who(to, of);
    hash_writer(to, "payload[previous_customer]")
        .add("id", of.other_owner.id)
        .add("email", of.other_owner.email());
}

void group_signup(body_writer& out, const scene& of)
{
    const subscription& s = of.subject;
    hash_writer to = payload(out);
    to.add("uid", s.group.uid).add("scheme", 1).add("customer_id", s.owner.id);
    to.add("payment_profile_id", s.paid_with.id).below("subscription_ids").add("", s.id);
    to.add("primary_subscription_id", s.group.primary_subscription_id);
    to.add("next_assessment_at", s.next_assessment_at).add("state", s.state);
    to.add_flag("cancel_at_end_of_period", false).add("subscription_id", s.id);
}

void group_signup_failure(body_writer& out, const scene& of)
{
    const subscription& s = of.subject;
    hash_writer to = payload(out);
    hash_writer group = to.below("subscription_group");
    group.add("payment_collection_method", s.payment_collection_method).add_nil("uid");
    group.below("payment_profile").add("id", s.paid_with.id).add("card_number", s.paid_with.masked_number());
    to.add("customer_id", s.owner.id).below("errors").add("", "The card was declined.");
}

void group_membership(body_writer& out, const scene& of)
{
    add_who(out, of);
    hash_writer to(out, "payload[subscription_group]");
    to.add("uid", of.subject.group.uid).add("scheme", 1);
    to.add("primary_subscription_id", of.subject.group.primary_subscription_id);
}

void token_made(body_writer& out, const scene& of)
{
    add_profile({out, "payload[payment_profile]"}, of, of.subject.paid_with);
    payload(out).add("customer_id", of.subject.owner.id);
}

void token_failed(body_writer& out, const scene& of)
{
    payload(out)
        .add("customer_id", of.subject.owner.id)
        .below("errors")
        .add("", "Card number: is not valid.");
}

void custom_field_change(body_writer& out, const scene& of)
{
    const custom_field& f = of.field;
    hash_writer to(out, "payload[metafield]");
    to.add("event_type", f.event_type).add("metafield_name", f.name).add("metafield_id", f.id);
    // The literal word: elsewhere nil is an empty value.
    to.add("old_value", f.old_value.value_or("nil")).add("new_value", f.new_value.value_or("nil"));
    to.add("resource_type", f.of_customer ? "Customer" : "Subscription");
    to.add("resource_id", f.of_customer ? of.subject.owner.id : of.subject.id);
}

void collection_method_change(body_writer& out, const scene& of)
{
    add_who(out, of);
    payload(out)
        .add("previous_value", of.previous_value)
        .add("current_value", of.subject.payment_collection_method);
}

void term_renewal(body_writer& out, const scene& of)
{
    add_who(out, of);
    hash_writer to(out, "payload[term]");
    to.add("starts_at", of.subject.current_period_ends_at).add("expires_at", of.subject.expires_at);
}

void revenue_post(body_writer& out, const scene& of)
{
    add_who(out, of);
    payload(out).add("revenue", decimal(of.payment.amount_in_cents)).add("transaction_id", of.payment.id);
}

void bare_reference(body_writer& out, const scene& of)
{
    add_who(out, of);
}

void test_button(body_writer& out, const scene&)
{
    out.add("payload[chargify]", "testing");
}

} // namespace chargifyd::simulate
