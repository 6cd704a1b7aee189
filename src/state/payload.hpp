#pragma once

#include "chargifyd/chargify/envelope.hpp"
#include "chargifyd/state/webhook.hpp"

namespace chargifyd::state {

/// What a payload says about objects: one observation for each that it carries, found by its shape, so that
/// events nobody has documented are used as far as they can be.
std::vector<observation> observe(const chargify::envelope& e);

/// The facts of the full statement about the subscription, if the payload carries one.
std::optional<subscription_facts> read_timeline(const chargify::envelope& e,
                                                const std::vector<observation>& observations);

/// The facts that a payload tells by itself, each with an identity.
std::vector<change> read_facts(const chargify::envelope& e, const std::vector<observation>& observations);

} // namespace chargifyd::state
