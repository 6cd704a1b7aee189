#pragma once

#include <span>
#include <string_view>

/// Subscription states. No state is terminal: a canceled subscription can be reactivated.
namespace chargifyd::chargify {

struct state_info {
    std::string_view name;
    bool grants_access; ///< the default of the configurable table behind `subscription_access`
    bool passing;       ///< set for moments during a billing run: nothing may be decided on it
    bool ended;         ///< a return to a state that is not ended is a reactivation
    std::string_view summary;
};

/// All states of the documentation and of captured bodies.
std::span<const state_info> state_catalogue() noexcept;

/// The entry of a name, or null for a state that nobody has documented.
const state_info* find_state(std::string_view name) noexcept;

} // namespace chargifyd::chargify
