#include "chargifyd/chargify/envelope.hpp"

#include "chargifyd/chargify/timestamp.hpp"

#include <array>
#include <initializer_list>
#include <utility>

namespace chargifyd::chargify {

namespace {

using id = std::optional<std::int64_t>;

/// A value that names an object: Chargify's ids start at 1, and its test panel writes 0.
id positive(const form& tree, form::index parent, std::string_view key) noexcept
{
    const id found = tree.integer(parent, key);
    return found && *found > 0 ? found : std::nullopt;
}

id first_of(std::initializer_list<id> candidates) noexcept
{
    for (const id& candidate : candidates)
        if (candidate)
            return candidate;
    return std::nullopt;
}

form::index first_branch(form::index preferred, form::index other) noexcept
{
    return preferred != form::none ? preferred : other;
}

/// The object a custom field belongs to, when it is a `type`.
id metafield_owner(const form& tree, form::index payload, std::string_view type) noexcept
{
    const form::index metafield = tree.branch(payload, "metafield");
    if (tree.text(metafield, "resource_type") != type)
        return std::nullopt;
    return positive(tree, metafield, "resource_id");
}

id find_subscription_id(const envelope& e) noexcept
{
    return first_of({positive(e.tree, e.subscription, "id"), positive(e.tree, e.payload, "subscription_id"),
                     metafield_owner(e.tree, e.payload, "Subscription"),
                     positive(e.tree, e.tree.branch(e.payload, "transaction"), "subscription_id"),
                     positive(e.tree, e.tree.branch(e.payload, "statement"), "subscription_id"),
                     positive(e.tree, e.tree.branch(e.payload, "invoice"), "subscription_id"),
                     positive(e.tree, e.tree.branch(e.payload, "dunner"), "subscription_id")});
}

id find_customer_id(const envelope& e) noexcept
{
    return first_of({positive(e.tree, e.tree.branch(e.subscription, "customer"), "id"),
                     positive(e.tree, e.tree.branch(e.payload, "customer"), "id"),
                     positive(e.tree, e.payload, "customer_id"),
                     positive(e.tree, e.tree.branch(e.payload, "transaction"), "customer_id"),
                     positive(e.tree, e.tree.branch(e.payload, "invoice"), "customer_id"),
                     metafield_owner(e.tree, e.payload, "Customer")});
}

id find_product_id(const envelope& e) noexcept
{
    return first_of({positive(e.tree, e.tree.branch(e.subscription, "product"), "id"),
                     positive(e.tree, e.tree.branch(e.payload, "product"), "id")});
}

std::optional<std::chrono::sys_seconds> find_time(const envelope& e) noexcept
{
    const form::index transaction = e.tree.branch(e.payload, "transaction");
    const form::index statement = e.tree.branch(e.payload, "statement");
    const std::array<std::pair<form::index, std::string_view>, 7> places{{{e.payload, "timestamp"},
                                                                          {transaction, "created_at"},
                                                                          {statement, "settled_at"},
                                                                          {statement, "closed_at"},
                                                                          {statement, "created_at"},
                                                                          {e.subscription, "updated_at"},
                                                                          {e.customer, "updated_at"}}};
    for (const auto& [parent, key] : places)
        if (const auto text = e.tree.text(parent, key))
            if (const auto when = parse_timestamp(*text))
                return when;
    return std::nullopt;
}

/// The test panel sends any event with the ids of its objects set to 0.
bool has_only_zero_ids(const envelope& e) noexcept
{
    const std::array<std::pair<form::index, std::string_view>, 8> places{
        {{e.subscription, "id"},
         {e.tree.branch(e.subscription, "customer"), "id"},
         {e.tree.branch(e.payload, "customer"), "id"},
         {e.tree.branch(e.subscription, "product"), "id"},
         {e.tree.branch(e.payload, "product"), "id"},
         {e.payload, "subscription_id"},
         {e.payload, "customer_id"},
         {e.tree.branch(e.payload, "metafield"), "resource_id"}}};
    // The panel writes other ids of this kind, too, which are not those of real objects.
    const form::index invoice = e.tree.branch(e.payload, "invoice");
    bool zero =
        e.tree.value(invoice, "subscription_id") == "0" || e.tree.value(invoice, "customer_id") == "0";
    for (const auto& [parent, key] : places) {
        zero = zero || e.tree.value(parent, key) == "0";
        if (positive(e.tree, parent, key))
            return false;
    }
    return zero;
}

} // namespace

result<envelope> read_envelope(form tree)
{
    envelope e;
    e.tree = std::move(tree);
    e.event = e.tree.text(form::root, "event").value_or(std::string_view());
    if (e.event.empty())
        return make_error(errc::invalid, "the body has no event");

    e.payload = e.tree.branch(form::root, "payload");
    e.subscription = e.tree.branch(e.payload, "subscription");
    e.customer =
        first_branch(e.tree.branch(e.subscription, "customer"), e.tree.branch(e.payload, "customer"));
    e.product = first_branch(e.tree.branch(e.subscription, "product"), e.tree.branch(e.payload, "product"));

    e.webhook_id = positive(e.tree, form::root, "id");
    e.event_id = positive(e.tree, e.payload, "event_id");
    e.subdomain = e.tree.text(e.tree.branch(e.payload, "site"), "subdomain");
    e.subscription_id = find_subscription_id(e);
    e.customer_id = find_customer_id(e);
    e.product_id = find_product_id(e);
    e.occurred_at = find_time(e);
    e.test = e.event == "test" || has_only_zero_ids(e);
    return e;
}

} // namespace chargifyd::chargify
