#pragma once

#include "chargifyd/state/list.hpp"
#include "chargifyd/state/queries.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// What happened, from `changes`. Rows have the column `at`: when it happened or, where Chargify does not
/// say, when its webhook was received; and `text`, the fact in words.
namespace chargifyd::state {

/// Empty members do not filter. Times bound `at`; `until` is exclusive.
struct change_filter {
    std::string site;
    std::vector<std::string> kinds;
    std::string since;
    std::string until;
};

/// By `at`, oldest first. `from` must outlive the list.
result<list> list_changes(state_reader& from, const change_filter& with);
/// The newest `limit`, oldest of them first.
result<query> newest_changes(state_reader& from, const change_filter& with, std::uint64_t limit);
/// By id, which is the order in which they were learned, so that nothing that is learned late is missed. The
/// times of the filter do not count.
result<list> follow_changes(state_reader& from, const change_filter& with);

/// One subscription, or one customer with all its subscriptions.
struct change_subject {
    std::string site;
    std::optional<std::int64_t> subscription_id;
    std::optional<std::int64_t> customer_id;
};
/// errc::not_found: nothing is known of it; errc::invalid: several sites have that id.
result<change_subject> find_subscription_subject(state_reader& from, const object_name& which);

/// The same, of one subject.
list list_changes_of(const change_subject& subject, const change_filter& with);
list follow_changes_of(const change_subject& subject, const change_filter& with);

struct revenue_filter {
    std::string site;
    std::string since;
    std::string until; ///< exclusive
};
/// Payments and refunds, those that failed too, by `at`.
result<list> list_revenue(state_reader& from, const revenue_filter& with);
/// One row for each site and currency: how many of each, and their exact sums. errc::invalid: a sum does not
/// fit 64 bits.
result<void> total_revenue(state_reader& from, const revenue_filter& with, const columns_fn& on_columns,
                           const row_fn& on_row);

} // namespace chargifyd::state
