#include "column_kinds.hpp"

#include <map>

namespace chargifyd::state {

namespace {

using enum column_kind;

/// Columns that are of no object table, and those that queries make.
constexpr column others[] = {
    {"site", text},
    {"attributes", text},
    // events, changes, sites
    {"seq", integer},
    {"webhook_id", integer},
    {"event", text},
    {"event_id", integer},
    {"occurred_at", time},
    {"received_at", time},
    {"outcome", text},
    {"error", text},
    {"deliveries", integer},
    {"object_id", text},
    {"old_value", text},
    {"new_value", text},
    {"detail", text},
    {"webhooks", integer},
    {"last_received_at", time},
    // made by queries
    {"at", time},
    {"text", text},
    {"object_name", text},
    {"customer_reference", text},
    {"has_access", flag},
    {"access_until", time},
    {"past_due_since", time},
    {"grace_ends_at", time},
    {"dead", integer},
    {"unknown", integer},
    {"subscriptions", integer},
    {"payments", integer},
    {"payments_in_cents", integer},
    {"refunds", integer},
    {"refunds_in_cents", integer},
    {"net_in_cents", integer},
    {"failed_payments", integer},
    {"failed_payments_in_cents", integer},
    {"failed_refunds", integer},
    {"failed_refunds_in_cents", integer},
};

std::map<std::string_view, column_kind> all_kinds()
{
    std::map<std::string_view, column_kind> kinds;
    for (std::size_t i = 0; i < object_kinds; ++i) {
        for (const column& c : table_of(i).keys)
            kinds.emplace(c.name, c.kind);
        for (const column& c : table_of(i).columns)
            kinds.emplace(c.name, c.kind);
    }
    for (const column& c : others)
        kinds.emplace(c.name, c.kind);
    return kinds;
}

} // namespace

std::optional<column_kind> kind_of_column(std::string_view name)
{
    static const std::map<std::string_view, column_kind> kinds = all_kinds();
    const auto found = kinds.find(name);
    return found != kinds.end() ? std::optional(found->second) : std::nullopt;
}

} // namespace chargifyd::state
