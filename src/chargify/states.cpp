#include "chargifyd/chargify/states.hpp"

#include <algorithm>
#include <array>

namespace chargifyd::chargify {

namespace {

constexpr std::array states{
    // name, grants_access, passing, ended
    state_info{"active", true, false, false, "paid up"},
    state_info{"assessing", true, true, false, "a billing run is at work on it"},
    state_info{"awaiting_signup", false, false, false, "its signup is set for a later day"},
    state_info{"awaiting_signup_date", false, false, false,
               "its signup is set for a later day (another spelling)"},
    state_info{"canceled", false, false, true, "ended by the merchant, the customer or dunning"},
    state_info{"expired", false, false, true, "ran its term"},
    state_info{"failed_to_create", false, false, true, "the signup failed"},
    state_info{"inactive", false, false, false, "undocumented: test-panel bodies, previous state at signup"},
    state_info{"on_hold", false, false, false, "billing stopped on purpose"},
    state_info{"past_due", true, false, false, "the last payment failed; dunning goes on"},
    state_info{"paused", true, false, false, "the merchant's own Chargify account is in arrears"},
    state_info{"pending", true, true, false, "being created"},
    state_info{"soft_failure", true, false, false, "trouble at the gateway; the payment is tried again"},
    state_info{"suspended", false, false, true, "the prepaid balance is used up"},
    state_info{"trial_ended", false, false, true, "a trial without a card is over"},
    state_info{"trialing", true, false, false, "in its trial"},
    state_info{"unpaid", false, false, true, "dunning ended without payment"},
};

static_assert(std::ranges::is_sorted(states, {}, &state_info::name));

} // namespace

std::span<const state_info> state_catalogue() noexcept
{
    return states;
}

const state_info* find_state(std::string_view name) noexcept
{
    const auto* const found = std::ranges::lower_bound(states, name, {}, &state_info::name);
    return found != states.end() && found->name == name ? found : nullptr;
}

} // namespace chargifyd::chargify
