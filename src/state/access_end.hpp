#pragma once

#include <string>
#include <string_view>

namespace chargifyd::state {

/// When a subscription ends by what its own row says, as SQL over the columns of `subscriptions`: the
/// scheduled cancellation or the expiry, whichever comes first; a deleted one ended at the beginning of time.
/// The index `subscriptions_by_end` holds the rows for which `has_end_sql`. Part of the rule of
/// `subscription_access`. `of` goes before each column: empty, or an alias with its dot.
std::string end_sql(std::string_view of);
std::string has_end_sql(std::string_view of);

/// Since when a subscription is in its state, as far as full payloads told; NULL when they tell of another
/// state, as when a partial payload brought it.
std::string state_since_sql(std::string_view of);

} // namespace chargifyd::state
