#include "hash_reader.hpp"
#include "payload.hpp"

#include "chargifyd/base/time.hpp"
#include "chargifyd/chargify/timestamp.hpp"

#include <algorithm>
#include <initializer_list>

namespace chargifyd::state {

namespace {

using chargify::envelope;
using chargify::form;
using index = form::index;
using text = std::optional<std::string>;

const value& at(const observation& seen, std::string_view column)
{
    return seen.columns[*table_of(seen.kind).find(column)];
}

text text_at(const observation& seen, std::string_view column)
{
    const auto* const found = std::get_if<std::string>(&at(seen, column));
    return found != nullptr ? text(*found) : std::nullopt;
}

std::optional<std::int64_t> integer_at(const observation& seen, std::string_view column)
{
    const auto* const found = std::get_if<std::int64_t>(&at(seen, column));
    return found != nullptr ? std::optional(*found) : std::nullopt;
}

std::string key_text(const observation& seen, std::size_t part = 0)
{
    if (const auto* const number = std::get_if<std::int64_t>(&seen.key[part]))
        return std::to_string(*number);
    return std::get<std::string>(seen.key[part]);
}

std::string joined(std::initializer_list<std::string_view> parts)
{
    std::string all;
    for (const std::string_view part : parts) {
        if (!all.empty())
            all += '/';
        all += part;
    }
    return all;
}

/// Collects the facts of one payload.
class fact_reader {
public:
    fact_reader(const envelope& e, const std::vector<observation>& observations)
        : e_(e)
        , tree_(e.tree)
        , observations_(observations)
    {}

    std::vector<change> read_all();

private:
    void read_object(const observation& seen);
    void read_customer(const observation& seen);
    void read_payment(const observation& seen);
    void read_refund(const observation& seen);
    void read_statement(const observation& seen);
    void read_invoice(const observation& seen);
    void read_custom_field(const observation& seen);
    void read_dunning(const observation& seen);
    void read_component();
    void read_price_point();
    void read_card();
    void read_balances();
    void read_deletion();

    change make(std::string kind) const;
    void keep(change c, std::initializer_list<std::string_view> identity);
    text text_of(index hash, std::string_view key) const;
    /// Distinguishes two equal facts that have no id and no moment of their own: webhooks that tell the same
    /// one share its event id.
    std::string occasion(const change& c) const;
    text describe_card(index hash) const;
    text name_of(index hash) const;

    const envelope& e_;
    const form& tree_;
    const std::vector<observation>& observations_;
    std::vector<change> all_;
};

change fact_reader::make(std::string kind) const
{
    change c;
    c.kind = std::move(kind);
    c.subscription_id = e_.subscription_id;
    c.customer_id = e_.customer_id;
    if (e_.occurred_at)
        c.occurred_at = format_utc(*e_.occurred_at);
    return c;
}

void fact_reader::keep(change c, std::initializer_list<std::string_view> identity)
{
    c.identity = c.kind + "/" + joined(identity);
    all_.push_back(std::move(c));
}

text fact_reader::text_of(index hash, std::string_view key) const
{
    const auto found = tree_.text(hash, key);
    return found ? text(chargify::clean_utf8(*found)) : std::nullopt;
}

std::string fact_reader::occasion(const change& c) const
{
    if (e_.event_id)
        return std::to_string(*e_.event_id);
    return c.old_value.value_or("") + ">" + c.new_value.value_or("");
}

void fact_reader::read_customer(const observation& seen)
{
    // Most payloads carry the customer as it is; these say that something about it happened.
    const bool alone = e_.subscription == form::none;
    const auto created_at = text_at(seen, "created_at");
    change c = make("customer");
    c.subscription_id.reset();
    c.customer_id = std::get<std::int64_t>(seen.key[0]);
    if (e_.event == "customer_delete") {
        c.new_value = "deleted";
        return keep(c, {key_text(seen), "deleted"});
    }
    if (!created_at || !(alone || e_.event == "signup_success"))
        return;
    c.new_value = "created";
    c.occurred_at = created_at;
    const std::string id = key_text(seen);
    keep(c, {id, "created"});
    const auto updated_at = text_at(seen, "updated_at");
    if (e_.event != "customer_update" || !updated_at)
        return;
    c.new_value = "updated";
    c.occurred_at = updated_at;
    keep(std::move(c), {id, *updated_at});
}

void fact_reader::read_payment(const observation& seen)
{
    const auto success = integer_at(seen, "success");
    if (text_at(seen, "type") != "Payment" || !success || !integer_at(seen, "amount_in_cents"))
        return;
    change c = make(*success != 0 ? "payment" : "payment_failed");
    c.subscription_id = integer_at(seen, "subscription_id");
    c.customer_id = integer_at(seen, "customer_id");
    c.object_id = key_text(seen);
    c.amount_in_cents = integer_at(seen, "amount_in_cents");
    if (c.amount_in_cents)
        c.new_value = std::to_string(*c.amount_in_cents);
    c.detail = text_at(seen, "kind");
    if (const auto created_at = text_at(seen, "created_at"))
        c.occurred_at = created_at;
    keep(std::move(c), {key_text(seen)});
}

void fact_reader::read_refund(const observation& seen)
{
    change c = make(integer_at(seen, "success") != 0 ? "refund" : "refund_failed");
    c.subscription_id = integer_at(seen, "subscription_id");
    c.customer_id = integer_at(seen, "customer_id");
    c.object_id = key_text(seen);
    c.amount_in_cents = integer_at(seen, "amount_in_cents");
    if (c.amount_in_cents)
        c.new_value = std::to_string(*c.amount_in_cents);
    if (const auto payment = integer_at(seen, "payment_id"))
        c.detail = "payment " + std::to_string(*payment);
    if (const auto created_at = text_at(seen, "created_at"))
        c.occurred_at = created_at;
    keep(std::move(c), {key_text(seen)});
}

void fact_reader::read_statement(const observation& seen)
{
    for (const char* const what : {"closed", "settled"}) {
        const auto when = text_at(seen, std::string(what) + "_at");
        if (!when)
            continue;
        change c = make("statement");
        c.subscription_id = integer_at(seen, "subscription_id");
        c.object_id = key_text(seen);
        c.new_value = what;
        c.amount_in_cents = integer_at(seen, "total_in_cents");
        c.occurred_at = when;
        keep(std::move(c), {key_text(seen), what});
    }
}

/// Whole cents of a decimal amount; nothing when it has fractions of a cent.
std::optional<std::int64_t> cents(const text& amount)
{
    if (!amount)
        return std::nullopt;
    std::string digits = *amount;
    const std::size_t dot = digits.find('.');
    const std::size_t fraction = dot == std::string::npos ? 0 : digits.size() - dot - 1;
    if (fraction > 2)
        return std::nullopt;
    if (dot != std::string::npos)
        digits.erase(dot, 1);
    digits.append(2 - fraction, '0');
    const auto converted = convert(column_kind::integer, digits);
    return converted ? std::optional(std::get<std::int64_t>(*converted)) : std::nullopt;
}

void fact_reader::read_invoice(const observation& seen)
{
    change c = make("invoice");
    c.subscription_id = integer_at(seen, "subscription_id");
    c.customer_id = integer_at(seen, "customer_id");
    c.object_id = key_text(seen);
    if (e_.event == "invoice_issued" || e_.event == "proforma_invoice_issued")
        c.new_value = "issued";
    else if (e_.event == "invoice_pending")
        c.new_value = "pending";
    else
        c.new_value = text_at(seen, "status");
    if (!c.new_value)
        return;
    c.amount_in_cents = cents(text_at(seen, "total_amount"));
    c.detail = text_at(seen, "number");
    const char* const date = c.new_value == "paid"     ? "paid_date"
                             : c.new_value == "issued" ? "issue_date"
                                                       : "";
    const auto text_of_day = *date != '\0' ? text_at(seen, date) : std::nullopt;
    if (const auto day = text_of_day ? chargify::parse_timestamp(*text_of_day + "T00:00:00Z") : std::nullopt)
        c.occurred_at = format_utc(*day);
    keep(c, {key_text(seen), *c.new_value});
}

void fact_reader::read_custom_field(const observation& seen)
{
    const index hash = tree_.branch(e_.payload, "metafield");
    change c = make("custom_field");
    c.object_id = key_text(seen, 2);
    const auto old_value = text_of(hash, "old_value");
    if (old_value != "nil")
        c.old_value = old_value;
    c.new_value = text_at(seen, "value");
    c.detail = text_of(hash, "event_type");
    keep(c, {key_text(seen, 0), key_text(seen, 1), key_text(seen, 2), occasion(c)});
}

void fact_reader::read_dunning(const observation& seen)
{
    change c = make("dunning");
    c.new_value = text_at(seen, "step_action");
    if (!c.new_value)
        c.new_value = text_at(seen, "state");
    if (const auto day = integer_at(seen, "step_day"))
        c.detail = "day " + std::to_string(*day);
    c.amount_in_cents = integer_at(seen, "revenue_at_risk_in_cents");
    if (const auto attempted_at = text_at(seen, "last_attempted_at"))
        c.occurred_at = attempted_at;
    keep(c, {key_text(seen), text_at(seen, "created_at").value_or(occasion(c)), c.detail.value_or(""),
             c.new_value.value_or("")});
}

void fact_reader::read_object(const observation& seen)
{
    switch (seen.kind) {
    case object_kind::customer:
        return read_customer(seen);
    case object_kind::transaction:
        return read_payment(seen);
    case object_kind::statement:
        return read_statement(seen);
    case object_kind::invoice:
        return read_invoice(seen);
    case object_kind::custom_field:
        return read_custom_field(seen);
    case object_kind::refund:
        return read_refund(seen);
    case object_kind::dunning:
        return read_dunning(seen);
    case object_kind::subscription:
    case object_kind::product:
    case object_kind::component:
    case object_kind::payment_profile:
    case object_kind::subscription_group:
        return;
    }
}

void fact_reader::read_component()
{
    const auto seen = std::ranges::find(observations_, object_kind::component, &observation::kind);
    if (seen == observations_.end() || tree_.branch(e_.payload, "component") == form::none)
        return;
    const auto decimal = [&](std::string_view key) -> text {
        const auto found = tree_.text(e_.payload, key);
        const auto converted = found ? convert(column_kind::decimal, quantity_text(*found)) : std::nullopt;
        return converted ? text(std::get<std::string>(*converted)) : text_of(e_.payload, key);
    };
    const std::string id = key_text(*seen, 1);
    const std::string subscription = key_text(*seen, 0);
    const text when = text_at(*seen, "updated_at");
    change c = make("allocation");
    c.object_id = id;
    if (tree_.value(e_.payload, "new_allocation")) {
        c.old_value = decimal("previous_allocation");
        c.new_value = decimal("new_allocation");
        keep(c, {subscription, id, when.value_or(""), c.old_value.value_or(""), c.new_value.value_or(""),
                 text_of(tree_.branch(e_.payload, "allocation"), "id").value_or("")});
    }
    if (!tree_.value(e_.payload, "new_unit_balance") && !tree_.value(e_.payload, "usage_quantity") &&
        !tree_.value(e_.payload, "new_overage_unit_balance"))
        return;
    c.kind = "usage";
    c.old_value = decimal("previous_unit_balance");
    c.new_value = decimal("new_unit_balance");
    c.detail = decimal("usage_quantity");
    keep(c, {subscription, id, when.value_or(""), c.old_value.value_or(""), c.new_value.value_or(""),
             c.detail.value_or(""), decimal("new_overage_unit_balance").value_or("")});
}

text fact_reader::name_of(index hash) const
{
    for (const char* const key : {"handle", "name", "id"}) {
        if (auto found = text_of(hash, key))
            return found;
    }
    return std::nullopt;
}

void fact_reader::read_price_point()
{
    const auto item = text_of(e_.payload, "item_id");
    const index current = tree_.branch(e_.payload, "current_price_point");
    if (!item || current == form::none)
        return;
    change c = make("price_point");
    c.object_id = item;
    c.old_value = name_of(tree_.branch(e_.payload, "previous_price_point"));
    c.new_value = name_of(current);
    c.detail = text_of(e_.payload, "item_type");
    keep(c, {e_.subscription_id ? std::to_string(*e_.subscription_id) : "", c.detail.value_or(""), *item,
             occasion(c)});
}

/// What tells a card from another for people: `visa 1111 04/2026`.
text fact_reader::describe_card(index hash) const
{
    const auto id = tree_.integer(hash, "id");
    if (!id)
        return std::nullopt;
    std::string words;
    const auto add = [&](const text& word, std::string_view separator) {
        if (word)
            words += (words.empty() ? "" : std::string(separator)) + *word;
    };
    add(text_of(hash, "card_type"), " ");
    add(text_of(hash, "bank_name"), " ");
    text masked = text_of(hash, "masked_card_number");
    if (!masked)
        masked = text_of(hash, "masked_bank_account_number");
    if (masked && !last_digits(*masked).empty())
        add(std::string(last_digits(*masked)), " ");
    add(text_of(hash, "expiration_month"), " ");
    add(text_of(hash, "expiration_year"), "/");
    return words.empty() ? std::to_string(*id) : words;
}

void fact_reader::read_card()
{
    const index updated = tree_.branch(e_.payload, "updated_payment_profile");
    const std::string subscription = e_.subscription_id ? std::to_string(*e_.subscription_id) : "";
    if (const auto now = describe_card(updated)) {
        change c = make("card_updated");
        c.object_id = text_of(updated, "id");
        c.old_value = describe_card(tree_.branch(e_.payload, "previous_payment_profile"));
        c.new_value = now;
        keep(c, {subscription, occasion(c)});
    }
    const index card = tree_.branch(e_.subscription, "credit_card");
    const auto month = tree_.text(card, "expiration_month");
    const auto year = tree_.text(card, "expiration_year");
    if (e_.event != "expiring_card" || !month || !year || !tree_.integer(card, "id"))
        return;
    change c = make("card_expiring");
    c.object_id = text_of(card, "id");
    c.new_value = describe_card(card);
    c.occurred_at.reset(); // the subscription's clock has nothing to do with it
    keep(c, {subscription, *c.object_id, *year, *month});
}

void fact_reader::read_deletion()
{
    if (e_.event != "subscription_deletion" || !e_.subscription_id)
        return;
    keep(make("deletion"), {std::to_string(*e_.subscription_id)});
}

void fact_reader::read_balances()
{
    struct balance {
        const char* name;
        const char* now;
        const char* moved;
    };
    static constexpr balance balances[] = {
        {"prepayment", "prepayment_account_balance_in_cents", "prepayment_balance_change_in_cents"},
        {"service_credit", "service_credit_account_balance_in_cents",
         "service_credit_balance_change_in_cents"},
        {"prepaid_usage", "current_usage_amount_in_cents", ""},
    };
    for (const balance& b : balances) {
        const auto now = text_of(e_.payload, b.now);
        if (!now)
            continue;
        change c = make("balance");
        c.object_id = b.name;
        c.new_value = now;
        c.amount_in_cents = tree_.integer(e_.payload, b.moved);
        c.detail = text_of(e_.payload, "reason");
        keep(c, {e_.subscription_id ? std::to_string(*e_.subscription_id) : "", b.name, occasion(c)});
    }
}

std::vector<change> fact_reader::read_all()
{
    for (const observation& seen : observations_)
        read_object(seen);
    read_component();
    read_price_point();
    read_card();
    read_balances();
    read_deletion();
    return std::move(all_);
}

/// Of products billed at different intervals the price a year tells which is more.
std::optional<std::int64_t> price_a_year(const envelope& e)
{
    auto price = e.tree.integer(e.subscription, "product_price_in_cents");
    if (!price)
        price = e.tree.integer(e.product, "price_in_cents");
    const std::int64_t interval =
        std::max<std::int64_t>(e.tree.integer(e.product, "interval").value_or(1), 1);
    const std::int64_t units = e.tree.text(e.product, "interval_unit") == "day" ? 365 : 12;
    std::int64_t a_year = 0;
    if (!price || __builtin_mul_overflow(*price, units, &a_year))
        return std::nullopt;
    return a_year / interval;
}

} // namespace

std::optional<subscription_facts> read_timeline(const envelope& e,
                                                const std::vector<observation>& observations)
{
    const auto found = std::ranges::find(observations, object_kind::subscription, &observation::kind);
    if (found == observations.end() || !found->full)
        return std::nullopt;
    const observation& seen = *found;
    const auto words = [&](std::string_view column) { return text_at(seen, column).value_or(""); };
    subscription_facts f;
    f.state = words("state");
    f.customer_id = integer_at(seen, "customer_id");
    f.product_id = integer_at(seen, "product_id");
    f.product_handle = words("product_handle");
    f.product_price = price_a_year(e);
    f.next_product = words("next_product_handle");
    if (const auto id = integer_at(seen, "next_product_id"); f.next_product.empty() && id)
        f.next_product = std::to_string(*id);
    f.created_at = words("created_at");
    f.period_started_at = words("current_period_started_at");
    f.period_ends_at = words("current_period_ends_at");
    f.next_assessment_at = words("next_assessment_at");
    if (const auto previous = e.tree.text(e.subscription, "previous_billing_date")) {
        if (const auto when = chargify::parse_timestamp(*previous))
            f.previous_billing_date = format_utc(*when);
    }
    f.trial_started_at = words("trial_started_at");
    f.trial_ended_at = words("trial_ended_at");
    f.expires_at = words("expires_at");
    f.resume_at = words("automatically_resume_at");
    f.canceled_at = words("canceled_at");
    f.on_hold_at = words("on_hold_at");
    f.updated_at = words("updated_at");
    f.cancellation_method = words("cancellation_method");
    if (integer_at(seen, "cancel_at_end_of_period").value_or(0) != 0)
        f.cancel_at = words("delayed_cancel_at");
    if (f.cancel_at.empty())
        f.cancel_at = words("scheduled_cancellation_at");
    if (f.cancel_at.empty() && integer_at(seen, "cancel_at_end_of_period").value_or(0) != 0)
        f.cancel_at = f.period_ends_at.empty() ? "scheduled" : f.period_ends_at;
    return f;
}

std::vector<change> read_facts(const envelope& e, const std::vector<observation>& observations)
{
    return fact_reader(e, observations).read_all();
}

} // namespace chargifyd::state
