#include "chargifyd/state/webhook.hpp"

#include "chargifyd/chargify/envelope.hpp"
#include "chargifyd/chargify/events.hpp"
#include "chargifyd/chargify/form.hpp"
#include "chargifyd/chargify/signature.hpp"
#include "chargifyd/chargify/timestamp.hpp"

#include <algorithm>
#include <exception>
#include <map>

namespace chargifyd::state {

namespace {

using chargify::envelope;
using chargify::form;

constexpr std::size_t longest_event_name = 200;

/// Tokens that let their holder charge a card: they stay in the journal and go no further.
bool is_vault_token(std::string_view key)
{
    return key.find("vault_token") != std::string_view::npos;
}

/// Objects inside the subscription hash that have tables of their own.
bool has_own_table(object_kind kind, std::string_view key)
{
    return kind == object_kind::subscription && (key == "customer" || key == "product");
}

/// The text as the column stores it; nothing when it does not fit the column's kind.
std::optional<value> convert(column_kind kind, std::string_view text)
{
    switch (kind) {
    case column_kind::integer: {
        std::int64_t number = 0;
        bool negative = false;
        std::string_view digits = text;
        if (!digits.empty() && (digits.front() == '-' || digits.front() == '+')) {
            negative = digits.front() == '-';
            digits.remove_prefix(1);
        }
        if (digits.empty())
            return std::nullopt;
        for (const char c : digits) {
            if (c < '0' || c > '9' || __builtin_mul_overflow(number, 10, &number) ||
                __builtin_sub_overflow(number, c - '0', &number))
                return std::nullopt;
        }
        if (!negative && __builtin_sub_overflow(std::int64_t{0}, number, &number))
            return std::nullopt;
        return value(number);
    }
    case column_kind::text:
        return value(chargify::clean_utf8(text));
    case column_kind::time: {
        const auto when = chargify::parse_timestamp(text);
        if (!when)
            return std::nullopt;
        return value(format_utc(*when));
    }
    case column_kind::flag:
        if (text == "true" || text == "1")
            return value(std::int64_t{1});
        if (text == "false" || text == "0")
            return value(std::int64_t{0});
        return std::nullopt;
    }
    return std::nullopt;
}

void append_key(std::string& json, std::string_view key)
{
    if (json.size() > 1)
        json += ',';
    form::append_json_string(json, key);
    json += ':';
}

std::string json_of(const form& tree, form::index node)
{
    if (tree.at(node).is_branch)
        return tree.to_json(node, is_vault_token);
    std::string text;
    form::append_json_string(text, tree.at(node).value);
    return text;
}

/// Fills the columns and attributes from the fields of one hash, in the order received; of a repeated key the
/// last wins, as in Rails.
class hash_reader {
public:
    hash_reader(const form& tree, form::index hash, observation& into)
        : tree_(tree)
        , hash_(hash)
        , into_(into)
        , table_(table_of(into.kind))
    {}

    void read()
    {
        into_.columns.assign(table_.columns.size(), value());
        for (form::index i = tree_.at(hash_).first_child; i != form::none; i = tree_.at(i).next_sibling)
            read_field(i);
        if (into_.full)
            write_attributes();
        else
            write_extras();
    }

private:
    void read_field(form::index i)
    {
        const form::node& field = tree_.at(i);
        if (field.key == "id" || is_vault_token(field.key) || has_own_table(into_.kind, field.key))
            return;
        const auto column = field.is_branch ? std::nullopt : table_.find(field.key);
        if (!column) {
            add_extra(i);
            return;
        }
        if (field.value.empty()) {
            if (into_.full)
                into_.columns[*column] = value();
            return;
        }
        if (auto converted = convert(table_.columns[*column].kind, field.value))
            into_.columns[*column] = std::move(*converted);
        else
            add_extra(i); // nothing is dropped in silence: what does not fit its column is kept as received
    }

    void add_extra(form::index i)
    {
        std::string key = chargify::clean_utf8(tree_.at(i).key);
        const auto [known, is_new] = position_.try_emplace(key, extras_.size());
        if (is_new)
            extras_.emplace_back(std::move(key), i);
        else
            extras_[known->second].second = i;
    }

    bool is_nil(form::index i) const { return !tree_.at(i).is_branch && tree_.at(i).value.empty(); }

    void write_attributes()
    {
        std::string& json = into_.attributes;
        json = "{";
        for (const auto& [key, node] : extras_) {
            append_key(json, key);
            json += is_nil(node) ? "null" : json_of(tree_, node);
        }
        json += '}';
    }

    void write_extras()
    {
        for (auto& [key, node] : extras_) {
            if (!is_nil(node))
                into_.extras.emplace_back(std::move(key), json_of(tree_, node));
        }
    }

    const form& tree_;
    form::index hash_;
    observation& into_;
    const object_table& table_;
    std::vector<std::pair<std::string, form::index>> extras_;
    std::map<std::string, std::size_t> position_; ///< of a key in extras_
};

/// Whether the hash has the object's own clock and the fields that only the whole object has.
bool is_full(const form& tree, form::index hash, object_kind kind)
{
    const auto updated = tree.text(hash, "updated_at");
    return updated && chargify::parse_timestamp(*updated) && tree.value(hash, "created_at") &&
           (kind != object_kind::subscription || tree.value(hash, "state"));
}

observation observe(const form& tree, form::index hash, object_kind kind, std::int64_t id)
{
    observation seen;
    seen.kind = kind;
    seen.id = id;
    seen.full = is_full(tree, hash, kind);
    if (seen.full)
        seen.updated_at =
            chargify::parse_timestamp(*tree.text(hash, "updated_at"))->time_since_epoch().count();
    hash_reader(tree, hash, seen).read();
    return seen;
}

void set(observation& seen, std::string_view column, value v)
{
    if (!std::holds_alternative<std::monostate>(v) || seen.full)
        seen.columns[*table_of(seen.kind).find(column)] = std::move(v);
}

value integer_or_null(std::optional<std::int64_t> number)
{
    return number ? value(*number) : value();
}

value text_or_null(std::optional<std::string_view> text)
{
    return text ? value(chargify::clean_utf8(*text)) : value();
}

void observe_subscription(const envelope& e, webhook& w)
{
    if (e.subscription == form::none || !e.subscription_id)
        return;
    const auto own_id = e.tree.integer(e.subscription, "id");
    if (!own_id || *own_id != *e.subscription_id)
        return;
    observation seen = observe(e.tree, e.subscription, object_kind::subscription, *own_id);
    set(seen, "customer_id", integer_or_null(e.customer_id));
    // A patch that names the product without its handle would leave the two columns disagreeing.
    const auto handle = e.tree.text(e.product, "handle");
    if (seen.full || (e.product_id && handle)) {
        set(seen, "product_id", integer_or_null(e.product_id));
        set(seen, "product_handle", text_or_null(handle));
    }
    w.observations.push_back(std::move(seen));
}

void observe_customer(const envelope& e, webhook& w)
{
    const auto id = e.tree.integer(e.customer, "id");
    if (id && *id > 0)
        w.observations.push_back(observe(e.tree, e.customer, object_kind::customer, *id));
}

void observe_product(const envelope& e, webhook& w)
{
    const auto id = e.tree.integer(e.product, "id");
    if (!id || *id <= 0)
        return;
    observation seen = observe(e.tree, e.product, object_kind::product, *id);
    form::index family = e.tree.branch(e.product, "product_family");
    if (family == form::none)
        family = e.tree.branch(e.payload, "product_family");
    set(seen, "family_id", integer_or_null(e.tree.integer(family, "id")));
    set(seen, "family_handle", text_or_null(e.tree.text(family, "handle")));
    w.observations.push_back(std::move(seen));
}

bool same_site(std::string_view a, std::string_view b)
{
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [&](char x, char y) { return lower(x) == lower(y); });
}

void read_envelope_into(const envelope& e, webhook& w)
{
    w.event = chargify::clean_utf8(e.event.substr(0, longest_event_name));
    w.webhook_id = e.webhook_id;
    w.event_id = e.event_id;
    w.subscription_id = e.subscription_id;
    w.customer_id = e.customer_id;
    if (e.occurred_at)
        w.occurred_at = format_utc(*e.occurred_at);
    w.test = e.test;
    w.known_event = chargify::find_event(e.event) != nullptr;
    if (e.subdomain && !same_site(*e.subdomain, w.site)) {
        w.error = "the body names the site '" + chargify::clean_utf8(e.subdomain->substr(0, 63)) +
                  "' but was posted to, and signed for, '" + w.site + "'";
        return;
    }
    if (w.test)
        return;
    observe_subscription(e, w);
    observe_customer(e, w);
    observe_product(e, w);
}

} // namespace

std::string_view to_string(outcome o) noexcept
{
    switch (o) {
    case outcome::applied:
        return "applied";
    case outcome::unchanged:
        return "unchanged";
    case outcome::stale:
        return "stale";
    case outcome::test:
        return "test";
    case outcome::unknown:
        return "unknown";
    case outcome::dead:
        return "dead";
    }
    return "dead";
}

webhook prepare(std::uint64_t sequence, std::string_view site, timestamp received_at, std::string_view body)
{
    webhook w;
    w.sequence = sequence;
    w.site = site;
    w.received_at = received_at;
    try {
        auto tree = form::parse(body);
        if (!tree) {
            w.error = tree.error().message;
        } else if (auto e = chargify::read_envelope(std::move(*tree)); !e) {
            w.error = e.error().message;
        } else {
            read_envelope_into(*e, w);
        }
    } catch (const std::exception& unexpected) {
        w.observations.clear();
        w.error = std::string("internal error while reading: ") + unexpected.what();
    }
    if (!w.webhook_id)
        w.body_sha256 = chargify::sha256(body);
    return w;
}

} // namespace chargifyd::state
