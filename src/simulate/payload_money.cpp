#include "payload.hpp"

#include "chargifyd/base/time.hpp"

namespace chargifyd::simulate {

namespace {

/// `2013-11-27 00:59:35 UTC`
std::string old_refund_time(std::chrono::sys_seconds when)
{
    std::string out = format_utc(when);
    out.replace(10, 1, " ").replace(out.size() - 1, 1, " UTC");
    return out;
}

/// One text before January 2015, a list since.
void add_error(hash_writer& to, std::string_view text, bool as_list)
{
    if (as_list)
        to.below("errors").add("", text);
    else
        to.add("errors", text);
}

void add_refund(body_writer& out, const scene& of, bool success)
{
    const subscription& s = of.subject;
    const refund& r = of.refunded;
    hash_writer to = payload(out);
    to.add("refund_id", r.id).add("amount_in_cents", success ? r.amount_in_cents : -r.amount_in_cents);
    to.add("customer_id", s.owner.id).add("customer_email", s.owner.email());
    to.add("customer_name", s.owner.full_name()).add("customer_reference", s.owner.reference());
    to.add("gateway_transaction_id", "bogus-" + std::to_string(r.id)).add_nil("gateway_order_id");
    to.add("gateway_used", "bogus").add("masked_card_number", s.paid_with.masked_number());
    to.add("memo", r.memo).add("payment_id", r.payment_id);
    to.add("payment_amount_in_cents", r.payment_in_cents);
    const bool current = of.style == body_style::current;
    if (current)
        to.below("subscription").add_own_id(s.id);
    else
        to.add("subscription_id", s.id);
    to.add("timestamp", std::string_view(current ? format_utc(of.at) : old_refund_time(of.at)));
    if (current)
        to.add("currency", "USD");
    if (!success)
        add_error(to, r.error, current);
}

void add_balance(body_writer& out, const scene& of, const std::string& account)
{
    const balance_change& b = of.balance;
    hash_writer to = payload(out);
    to.add("subscription_id", of.subject.id).add("reason", b.reason);
    to.add(account + "_account_balance_in_cents", b.balance_in_cents);
    to.add(account + "_balance_change_in_cents", b.change_in_cents).add("currency_code", "USD");
}

} // namespace

void refund_success(body_writer& out, const scene& of)
{
    add_refund(out, of, true);
}

void refund_failure(body_writer& out, const scene& of)
{
    add_refund(out, of, false);
}

void prepaid_balance(body_writer& out, const scene& of)
{
    const balance_change& b = of.balance;
    hash_writer to = payload(out);
    to.add("subscription_id", of.subject.id).add("reason", b.reason);
    to.add("current_account_balance_in_cents", b.balance_in_cents - b.usage_in_cents);
    to.add("prepayment_account_balance_in_cents", b.balance_in_cents);
    to.add("current_usage_amount_in_cents", b.usage_in_cents);
}

void prepayment_balance(body_writer& out, const scene& of)
{
    add_balance(out, of, "prepayment");
}

void service_credit_balance(body_writer& out, const scene& of)
{
    add_balance(out, of, "service_credit");
}

void pending_payment(body_writer& out, const scene& of)
{
    add_who(out, of);
    hash_writer to(out, "payload[payment]");
    to.add("id", of.payment.id)
        .add("amount_in_cents", of.payment.amount_in_cents)
        .add("memo", of.payment.memo);
}

void chargeback(body_writer& out, const scene& of)
{
    add_who(out, of);
    hash_writer to(out, "payload[chargeback]");
    to.add("id", of.refunded.id).add("payment_id", of.refunded.payment_id);
    to.add("amount_in_cents", of.refunded.payment_in_cents).add("created_at", of.at);
}

} // namespace chargifyd::simulate
