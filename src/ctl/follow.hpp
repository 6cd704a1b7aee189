#pragma once

#include "ctl/state_rows.hpp"

#include <cstdint>
#include <functional>
#include <string>

namespace chargifyd::ctl {

/// What comes, for --follow: lists by a number that grows.
struct followed {
    std::string number;                                    ///< the result column that holds it
    std::function<state::list(state::state_reader&)> list; ///< made anew at each look
    /// All up to here is known before a look; what the look finds after it is shown.
    std::function<std::int64_t(state::state_reader&)> newest;
};

/// Writes what comes after `after` into `rows`, until the program is interrupted.
[[noreturn]] void follow(state::state_reader& state, state_rows& rows, const followed& what,
                         std::int64_t after);

} // namespace chargifyd::ctl
