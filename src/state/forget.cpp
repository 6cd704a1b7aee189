#include "chargifyd/state/forget.hpp"

#include "chargifyd/chargify/envelope.hpp"
#include "chargifyd/chargify/form.hpp"
#include "chargifyd/state/tables.hpp"

#include <algorithm>
#include <initializer_list>
#include <utility>
#include <vector>

namespace chargifyd::state {

namespace {

using chargify::form;
using words = std::initializer_list<std::string_view>;

bool is_one_of(std::string_view word, words list)
{
    return std::ranges::find(list, word) != list.end();
}

/// What belongs to the merchant, not to a person: kept whole.
bool is_impersonal_hash(std::string_view key)
{
    return is_one_of(key,
                     {"site", "product", "product_family", "previous_product", "target_product", "component",
                      "current_price_point", "previous_price_point", "group", "subscription_group"});
}

/// Never kept whole, wherever it stands.
bool is_personal_hash(std::string_view key)
{
    return is_one_of(key, {"customer", "payment_profile", "updated_payment_profile",
                           "previous_payment_profile", "credit_card", "bank_account", "paypal_account",
                           "metafield", "billing_address", "shipping_address"});
}

bool is_impersonal_column(object_kind kind, std::string_view key)
{
    const object_table& table = table_of(kind);
    const auto found = table.find(key);
    return found && !table.columns[*found].personal;
}

/// The hash that a value stands in, the tables its keys are columns of, and what else in it is used.
struct hash_rule {
    std::string_view hash;
    std::vector<object_kind> kinds;
    std::vector<std::string_view> others;
};

const std::vector<hash_rule>& rules()
{
    using enum object_kind;
    static const std::vector<hash_rule> all = {
        {"", {}, {"id", "event"}},
        {"payload",
         {invoice, refund},
         {"event_id",
          "timestamp",
          "uid",
          "subscription_id",
          "customer_id",
          "refund_id",
          "new_allocation",
          "previous_allocation",
          "price_point_id",
          "new_unit_balance",
          "previous_unit_balance",
          "new_overage_unit_balance",
          "usage_quantity",
          "prepayment_account_balance_in_cents",
          "prepayment_balance_change_in_cents",
          "service_credit_account_balance_in_cents",
          "service_credit_balance_change_in_cents",
          "current_usage_amount_in_cents",
          "current_value",
          "previous_value",
          "item_type",
          "item_id",
          "item_name",
          "item_handle",
          "scheme",
          "state",
          "primary_subscription_id"}},
        {"subscription", {subscription}, {"id", "previous_billing_date"}},
        {"customer", {customer}, {"id"}},
        {"transaction", {transaction}, {"id", "transaction_type"}},
        {"transactions", {transaction}, {"id", "transaction_type"}},
        {"payment", {transaction}, {"id", "transaction_type"}},
        {"allocation", {}, {"id"}},
        {"statement", {statement}, {"id"}},
        {"invoice", {invoice}, {"uid"}},
        {"credit_card", {payment_profile}, {"id", "current_vault"}},
        {"bank_account", {payment_profile}, {"id", "current_vault"}},
        {"paypal_account", {payment_profile}, {"id", "current_vault"}},
        {"payment_profile", {payment_profile}, {"id", "current_vault"}},
        {"updated_payment_profile", {payment_profile}, {"id", "current_vault"}},
        {"previous_payment_profile", {payment_profile}, {"id", "current_vault"}},
        {"metafield", {custom_field}, {"resource_type", "resource_id", "metafield_name", "event_type"}},
        {"dunner", {dunning}, {"subscription_id"}},
        {"current_step", {}, {"day_threshold", "action"}},
        {"next_step", {}, {"day_threshold", "action"}},
    };
    return all;
}

bool is_number(std::string_view key)
{
    return key.find_first_not_of("0123456789") == std::string_view::npos;
}

/// `path`: the parts of a key, outermost first.
bool is_kept(const std::vector<std::string_view>& path)
{
    if (std::ranges::any_of(path, is_impersonal_hash) && std::ranges::none_of(path, is_personal_hash))
        return true;
    std::string_view hash;
    for (std::size_t i = 0; i + 1 < path.size(); ++i) {
        if (!is_number(path[i]))
            hash = path[i];
    }
    const auto rule = std::ranges::find(rules(), hash, &hash_rule::hash);
    if (rule == rules().end())
        return false;
    const std::string_view key = path.back();
    return std::ranges::find(rule->others, key) != rule->others.end() ||
           std::ranges::any_of(rule->kinds,
                               [&](object_kind kind) { return is_impersonal_column(kind, key); });
}

/// One pair of a body, as it stands there.
bool keeps(std::string_view pair)
{
    const auto tree = form::parse(pair.substr(0, pair.find('=')));
    if (!tree || tree->size() < 2)
        return false;
    std::vector<std::string_view> path;
    for (auto i = static_cast<form::index>(tree->size() - 1); i != form::root; i = tree->at(i).parent)
        path.push_back(tree->at(i).key);
    std::ranges::reverse(path);
    return is_kept(path);
}

} // namespace

bool concerns(const person& who, std::string_view site, std::string_view body)
{
    if (site != who.site)
        return false;
    auto tree = form::parse(body);
    if (!tree)
        return false;
    const auto e = chargify::read_envelope(std::move(*tree));
    if (!e)
        return false;
    if (e->customer_id)
        return *e->customer_id == who.customer_id;
    return e->subscription_id && who.subscriptions.contains(*e->subscription_id);
}

bool blank_personal(std::span<char> body)
{
    std::string left;
    left.reserve(body.size());
    std::string_view rest(body.data(), body.size());
    while (!rest.empty()) {
        const std::string_view pair = rest.substr(0, rest.find('&'));
        rest.remove_prefix(std::min(pair.size() + 1, rest.size()));
        if (pair.empty() || !keeps(pair))
            continue;
        if (!left.empty())
            left += '&';
        left += pair;
    }
    left.resize(body.size(), '&');
    if (std::ranges::equal(left, body))
        return false;
    std::ranges::copy(left, body.begin());
    return true;
}

} // namespace chargifyd::state
