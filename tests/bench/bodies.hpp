#pragma once

#include "chargifyd/simulate/body.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace chargifyd::bench {

/// Bodies number `first` and on, which speak of so many subscriptions.
inline std::vector<std::string> bodies(simulate::load_mix mix, std::uint64_t first, std::size_t count,
                                       std::uint64_t subscriptions)
{
    std::vector<std::string> out;
    for (std::uint64_t n = first; n < first + count; ++n)
        out.push_back(simulate::mixed_webhook(mix, "acme", n, subscriptions).body);
    return out;
}

} // namespace chargifyd::bench
