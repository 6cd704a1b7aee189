#pragma once

#include "path.hpp"

#include <optional>
#include <string>
#include <vector>

namespace chargifyd::state {

/// What a list of subscriptions shows: result columns over `s` (subscriptions) and `a` (subscription_access).
struct subscription_columns {
    std::string columns;
    std::string id; ///< the result column that holds `s.id`
};

/// `SELECT columns FROM source`, where `source` has subscriptions as `s`.
std::string select_of(const subscription_columns& shown, const std::string& source);
/// The conditions that make `a` the row of `s`.
conditions joined_access();

/// Of a walk that is not in the order of sites first. Without the plus SQLite would see that all rows have
/// this site, and no longer that the index is in the order that is asked for.
inline constexpr const char* filter_site = "+s.site = ?";

/// What may narrow a list that goes from state to state.
struct state_choice {
    std::string site;
    std::string state;              ///< empty: all
    std::string product;            ///< empty: all
    std::optional<bool> has_access; ///< of the view
    std::string until;              ///< with access, that ends by then; empty: any
};

/// One path for each state that may have such subscriptions.
result<list> from_state_to_state(state_reader& from, const subscription_columns& shown,
                                 const state_choice& with);

} // namespace chargifyd::state
