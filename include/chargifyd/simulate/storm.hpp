#pragma once

#include "chargifyd/simulate/body.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace chargifyd::simulate {

class load_cycle;

/// What Chargify has to send when all subscriptions of a site renew in one hour: three to six webhooks for
/// each, one subscription after the other. One in four cannot be charged. Nothing but a few bodies is kept in
/// memory, however many subscriptions there are. Const functions from any thread.
class renewal_storm {
public:
    /// Another seed is another hour, a month later for each, of the same subscriptions; seeds modulo 1000.
    renewal_storm(const std::string& site, std::uint64_t subscriptions, std::uint64_t seed);

    std::uint64_t size() const noexcept { return size_; }
    /// `n` below size(): webhook and event ids rise with it. The webhooks of one subscription share a second.
    webhook at(std::uint64_t n) const;

private:
    std::shared_ptr<const load_cycle> cycle_;
    std::uint64_t subscriptions_;
    std::uint64_t hour_;
    std::uint64_t size_;
};

} // namespace chargifyd::simulate
