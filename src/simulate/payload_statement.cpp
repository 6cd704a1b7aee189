#include "payload.hpp"

#include <algorithm>
#include <cctype>

namespace chargifyd::simulate {

namespace {

std::int64_t total_of(const statement& bill)
{
    std::int64_t total = 0;
    for (const transaction& t : bill.transactions)
        total += t.type == "Charge" ? t.amount_in_cents : 0;
    return total;
}

std::string lower(std::string text)
{
    std::ranges::transform(text, text.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

std::string written_date(const moment& when)
{
    return when ? eastern_time(*when).substr(0, 10) : std::string();
}

/// Without a clock of its own.
void add_billed_customer(body_writer& out, const scene& of)
{
    const customer& c = of.subject.owner;
    hash_writer to(out, "payload[customer]");
    to.add_own_id(c.id).add("first_name", c.first_name).add("last_name", c.last_name);
    to.add("reference", c.reference()).add("organization", c.organization).add("address", "1 Example Street");
    to.add_nil("address_2").add("city", c.city).add("state", "NC").add("zip", "12345").add("country", "US");
    to.add("email", c.email()).add("phone", c.phone);
}

void add_billing_profile(body_writer& out, const scene& of)
{
    const subscription& s = of.subject;
    hash_writer to(out, "payload[payment_profile]");
    to.add("id", s.paid_with.id).add("first_name", s.owner.first_name).add("last_name", s.owner.last_name);
    to.add_nil({"billing_address", "billing_address_2", "billing_city"}).add("billing_country", "US");
    to.add_nil("billing_state").add("billing_zip", "12345");
}

void add_statement(hash_writer to, const scene& of)
{
    const statement& bill = of.bill;
    to.add("closed_at", bill.closed_at).add("created_at", bill.closed_at).add("id", bill.id);
    to.add("opened_at", bill.opened_at).add("settled_at", bill.settled_at);
    to.add("subscription_id", of.subject.id).add("updated_at", of.at).add("starting_balance_in_cents", 0);
    to.add("ending_balance_in_cents", of.subject.balance_in_cents).add("total_in_cents", total_of(bill));
    to.add("memo", "We thank you for your continued business!");
    for (std::size_t i = 0; i < bill.events.size(); ++i) {
        hash_writer row = to.below("events").below(std::to_string(i));
        row.add("id", bill.events[i].first).add("key", bill.events[i].second);
        row.add("message", bill.events[i].second + " for " + of.subject.owner.full_name() +
                               "'s subscription to " + of.subject.plan.name);
    }
    for (std::size_t i = 0; i < bill.transactions.size(); ++i)
        add_transaction(to.below("transactions").below(std::to_string(i)), of, bill.transactions[i], true);
}

void add_line(hash_writer to, const scene& of, const transaction& t, std::size_t number)
{
    to.add("uid", "li_example" + std::to_string(of.issued.number) + std::to_string(number));
    to.add("title", t.memo).add("description", t.kind).add("quantity", "1.0").add_nil("quantity_delta");
    to.add("unit_price", decimal(t.amount_in_cents));
    to.add("period_range_start", written_date(of.subject.current_period_started_at));
    to.add("period_range_end", written_date(of.subject.current_period_ends_at));
    to.add("amount", decimal(t.amount_in_cents)).add("product_id", of.subject.plan.id);
    to.add("product_price_point_id", of.subject.plan.id + 1000).add_id("component_id", t.component_id);
}

void add_lines(const hash_writer& to, const scene& of)
{
    std::size_t number = 0;
    for (const transaction& t : of.bill.transactions) {
        if (t.type != "Charge")
            continue;
        add_line(to.below("line_items").below(std::to_string(number)), of, t, number);
        ++number;
    }
}

void add_invoice(hash_writer to, const scene& of)
{
    const invoice& i = of.issued;
    const std::int64_t total = total_of(of.bill);
    const bool paid = i.paid_at.has_value();
    to.add("uid", i.uid).add("number", i.number).add("role", i.role);
    to.add("due_date", written_date(i.due_at)).add("issue_date", written_date(i.issued_at));
    to.add("paid_date", written_date(i.paid_at)).add("due_amount", decimal(paid ? 0 : total));
    to.add("paid_amount", decimal(paid ? total : 0)).add("tax_amount", "0.00").add("refund_amount", "0.00");
    to.add("total_amount", decimal(total)).add("status_amount", decimal(total));
    to.add("product_name", of.subject.plan.name).add("consolidation_level", "none");
    add_lines(to, of);
}

void add_card_used(hash_writer& to, const payment_profile& p)
{
    if (p.method != payment_method::credit_card) {
        to.add_nil({"card_number", "card_expiration", "card_type"});
        return;
    }
    to.add("card_number", p.masked_number());
    to.add("card_expiration", (p.expiration_month < 10 ? "0" : "") + std::to_string(p.expiration_month) +
                                  "/" + std::to_string(p.expiration_year));
    to.add("card_type", "visa");
}

/// Straight under `payload` the invoice would hide whom it is for, so they come first.
void add_owner_ids(hash_writer to, const scene& of)
{
    to.add("subscription_id", of.subject.id).add("customer_id", of.subject.owner.id);
}

} // namespace

void add_transaction(hash_writer to, const scene& of, const transaction& t, bool of_statement)
{
    const subscription& s = of.subject;
    const bool charge = t.type == "Charge";
    const bool frozen = of.style == body_style::panel;
    to.add("id", t.id).add("subscription_id", s.id).add("type", t.type).add("kind", t.kind);
    to.add("transaction_type", lower(t.type)).add_flag("success", t.success);
    to.add("amount_in_cents", t.amount_in_cents).add("memo", t.memo).add("created_at", t.created_at);
    if (!frozen)
        to.add("starting_balance_in_cents", t.starting_balance_in_cents);
    to.add("ending_balance_in_cents", t.ending_balance_in_cents).add("gateway_used", charge ? "" : "bogus");
    to.add("gateway_transaction_id", charge ? "" : "bogus-" + std::to_string(t.id));
    if (!of_statement && !frozen)
        to.add_nil("gateway_response_code");
    to.add_nil("gateway_order_id").add_id("payment_id", t.payment_id);
    to.add("product_id", s.plan.id).add_nil("tax_id").add_id("component_id", t.component_id);
    to.add("statement_id", t.statement_id);
    if (!frozen)
        to.add("customer_id", s.owner.id);
    if (charge)
        to.add_nil({"original_amount_in_cents", "discount_amount_in_cents", "taxable_amount_in_cents"});
    else
        add_card_used(to, s.paid_with);
    if (!charge && !frozen)
        to.add("refunded_amount_in_cents", 0);
    if (!of_statement)
        to.add_nil("invoice_id");
}

void statement_event(body_writer& out, const scene& of)
{
    const product& plan = of.subject.plan;
    add_subscription_summary(out, of);
    add_billed_customer(out, of);
    add_statement({out, "payload[statement]"}, of);
    hash_writer(out, "payload[product]").add("id", plan.id).add("name", plan.name);
    hash_writer(out, "payload[product_family]").add("id", family_id).add("name", family_name);
    add_billing_profile(out, of);
}

void invoice_event(body_writer& out, const scene& of)
{
    add_owner_ids(payload(out), of);
    if (of.style != body_style::current)
        return add_invoice(payload(out), of);
    add_invoice({out, "payload[invoice]"}, of);
    add_owner_ids({out, "payload[invoice]"}, of);
}

void proforma_invoice(body_writer& out, const scene& of)
{
    const std::int64_t total = total_of(of.bill);
    add_owner_ids(payload(out), of);
    hash_writer to = payload(out);
    to.add("uid", "pro_" + of.issued.uid.substr(4)).add("number", of.issued.number).add("role", "proforma");
    to.add("delivery_date", written_date(of.issued.issued_at)).add("created_at", of.issued.issued_at);
    to.add("due_amount", decimal(total)).add("paid_amount", "0.00").add("tax_amount", "0.00");
    to.add("total_amount", decimal(total)).add("product_name", of.subject.plan.name);
    add_lines(to, of);
}

void invoice_in_collections(body_writer& out, const scene& of)
{
    add_owner_ids(payload(out), of);
    hash_writer to(out, "payload[invoice]");
    to.add("uid", of.issued.uid).add("number", of.issued.number).add("status", "canceled");
    to.add("total_amount", decimal(total_of(of.bill)));
}

} // namespace chargifyd::simulate
