#pragma once

#include "wire.hpp"

#include "chargifyd/chargify/timestamp.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace chargifyd::simulate {

using chargify::form;

struct received {
    webhook sent;
    chargify::envelope e;
};

inline std::vector<received> life_of(life_options with)
{
    std::vector<received> all;
    for (webhook& sent : subscription_life(with)) {
        chargify::envelope e = read(sent);
        all.push_back({std::move(sent), std::move(e)});
    }
    return all;
}

inline std::vector<received> life_of_seed(std::uint64_t seed)
{
    life_options with;
    with.seed = seed;
    return life_of(with);
}

inline bool is_full(const received& r)
{
    return r.e.tree.text(r.e.subscription, "created_at").has_value();
}

inline std::optional<std::chrono::sys_seconds> time_in(const received& r, form::index parent,
                                                       std::string_view key)
{
    return chargify::parse_timestamp(r.e.tree.text(parent, key).value_or(""));
}

inline std::vector<std::string> events_of(std::uint64_t seed)
{
    std::vector<std::string> names;
    for (const received& r : life_of_seed(seed))
        names.push_back(r.sent.event);
    return names;
}

/// What of `expected` did not come, or not in this order.
inline std::vector<std::string> missing_in(const std::vector<std::string>& told,
                                           std::vector<std::string> expected)
{
    std::size_t found = 0;
    for (const std::string& event : told)
        if (found < expected.size() && event == expected[found])
            ++found;
    expected.erase(expected.begin(), expected.begin() + static_cast<std::ptrdiff_t>(found));
    return expected;
}

} // namespace chargifyd::simulate
