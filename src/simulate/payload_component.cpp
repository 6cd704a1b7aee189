#include "payload.hpp"

#include "chargifyd/base/time.hpp"

namespace chargifyd::simulate {

namespace {

std::int64_t price_point_of(const component& what)
{
    return what.id == 0 ? 0 : what.id + 1000;
}

void add_plan_of_component(hash_writer to, const product& plan, bool with_price_point)
{
    to.add("id", plan.id).add("name", plan.name);
    if (with_price_point)
        to.add("product_price_point_id", plan.id + 1000).add_nil("product_price_point_handle");
    to.add("interval", 1).add("interval_unit", "month");
}

void add_component(body_writer& out, const scene& of)
{
    const component& what = of.usage.what;
    hash_writer to(out, "payload[component]");
    to.add("id", what.id).add("kind", what.kind).add("name", what.name).add("unit_name", what.unit_name);
    if (of.style == body_style::current)
        to.add("handle", what.handle).add_flag("recurring", what.kind != "metered_component");
}

/// Component, subscription and product: what all these events have in common. There is no customer.
void add_item(body_writer& out, const scene& of)
{
    add_component(out, of);
    const subscription& s = of.subject;
    hash_writer to(out, "payload[subscription]");
    to.add_own_id(s.id).add("name", s.owner.full_name());
    if (of.style != body_style::current) {
        hash_writer(out, "payload[product]").add("id", s.plan.id).add("name", s.plan.name);
        return;
    }
    to.add("state", s.state);
    add_plan_of_component(to.below("product"), s.plan, true);
    add_plan_of_component({out, "payload[product]"}, s.plan, false);
}

void add_payment(body_writer& out, const component_change& u)
{
    if (u.payment_id == 0) {
        out.add("payload[payment]", "");
        return;
    }
    hash_writer to(out, "payload[payment]");
    to.add("id", u.payment_id).add_flag("success", true).add("amount_in_cents", u.payment_in_cents);
    to.add("memo", u.what.name + ": prorated change");
}

void add_memo(body_writer& out, const scene& of)
{
    out.add("payload[memo]", of.usage.memo).add("payload[timestamp]", format_utc(of.at));
}

} // namespace

void allocation(body_writer& out, const scene& of)
{
    const component_change& u = of.usage;
    add_item(out, of);
    if (of.style != body_style::current) {
        out.add("payload[new_allocation]", u.after).add("payload[previous_allocation]", u.before);
        return add_memo(out, of);
    }
    hash_writer to(out, "payload[allocation]");
    to.add("id", u.allocation_id).add("proration_upgrade_scheme", "prorate-attempt-capture");
    to.add("proration_downgrade_scheme", "no-prorate");
    hash_writer(out, "payload[transaction_exchange_rate]")
        .add("actual_rate", "1.0")
        .add("reporting_rate", "1.0");
    out.add("payload[previous_allocation]", u.before).add("payload[new_allocation]", u.after);
    add_memo(out, of);
    out.add("payload[price_point_id]", price_point_of(u.what));
    add_payment(out, u);
}

void metered_usage(body_writer& out, const scene& of)
{
    const component_change& u = of.usage;
    add_item(out, of);
    out.add("payload[previous_unit_balance]", u.before).add("payload[new_unit_balance]", u.after);
    out.add("payload[usage_quantity]", u.quantity);
    add_memo(out, of);
    if (of.style == body_style::current)
        out.add("payload[price_point_id]", price_point_of(u.what));
}

void prepaid_usage(body_writer& out, const scene& of)
{
    const component_change& u = of.usage;
    add_item(out, of);
    hash_writer to = payload(out);
    to.add("previous_unit_balance", u.before).add("previous_overage_unit_balance", u.overage_before);
    to.add("new_unit_balance", u.after).add("new_overage_unit_balance", u.overage_after);
    to.add("usage_quantity", u.quantity).add("overage_usage_quantity", u.overage_quantity);
    add_memo(out, of);
    hash_writer details = to.below("allocation_details").below("0");
    details.add("allocation_id", u.allocation_id).add_id("charge_id", u.payment_id);
    details.add("usage_quantity", u.quantity);
}

void component_billing_date(body_writer& out, const scene& of)
{
    add_item(out, of);
    hash_writer to = payload(out);
    to.add("previous_billing_date", of.previous_date);
    to.add("billing_date", of.subject.next_assessment_at);
}

void item_price_point(body_writer& out, const scene& of)
{
    const component& what = of.usage.what;
    hash_writer to = payload(out);
    to.add("item_id", what.id);
    to.add("item_type", what.kind == "on_off_component" ? "OnOffComponent" : "QuantityBasedComponent");
    to.add("item_name", what.name).add("item_handle", what.handle);
    to.add("subscription_id", of.subject.id);
    const std::string handle = "uuid:00000000-0000-4000-8000-";
    for (const bool current : {true, false}) {
        const std::int64_t id = price_point_of(what) + (current ? 1 : 0);
        hash_writer point = to.below(current ? "current_price_point" : "previous_price_point");
        point.add("id", id).add("name", current ? "Custom Pricing" : "Original");
        point.add("handle", handle + std::to_string(100000000000 + id));
    }
}

} // namespace chargifyd::simulate
