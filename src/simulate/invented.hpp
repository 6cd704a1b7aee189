#pragma once

#include "chargifyd/simulate/details.hpp"
#include "chargifyd/simulate/model.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

/// Names, products and components of no one, and the numbers that choose among them.
namespace chargifyd::simulate {

// One row per product, the same whoever buys it.
inline const std::array<product, 3> plans{{{3'700'001, "Solo", "solo", 1900},
                                           {3'700'002, "Team", "team", 2900},
                                           {3'700'003, "Studio & Team", "studio", 4900}}};
inline const product largest_plan{3'700'009, "Agency (unlimited)", "agency", 9900};

inline const component seats{277'221, "quantity_based_component", "Seats", "seats", "seat"};
inline const component hours{277'222, "quantity_based_component", "Consulting hours", "hours", "hour"};
inline const component support{277'223, "on_off_component", "Priority support", "support", "on/off"};
inline const component messages{277'224, "metered_component", "Text messages", "messages", "message"};
inline const component credits{277'225, "prepaid_usage_component", "Render credits", "credits", "credit"};

inline constexpr std::array<std::string_view, 8> first_names{"Avery", "Noor",         "Zo\xc3\xab", "Mika",
                                                             "Imani", "Bj\xc3\xb6rk", "Sam",        "Yuki"};
inline constexpr std::array<std::string_view, 8> last_names{
    "Sample", "O'Example", "Placeholder", "Doe-Smith", "Tester", "Fictitious", "Specimen", "N\xc3\xa9mo"};
inline constexpr std::array<std::string_view, 4> organizations{"", "Acme, Inc.", "Sample & Daughters",
                                                               "100% Example Ltd."};

/// SplitMix64: numbers that look random and are the same for the same seed everywhere.
class numbers {
public:
    explicit numbers(std::uint64_t seed) noexcept
        : state_(seed)
    {}

    /// From 0 to `count` - 1.
    std::uint64_t below(std::uint64_t count) noexcept
    {
        state_ += 0x9e3779b97f4a7c15;
        std::uint64_t z = state_;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return (z ^ (z >> 31)) % count;
    }

    template <class T, std::size_t count>
    const T& pick(const std::array<T, count>& from) noexcept
    {
        return from[below(count)];
    }

private:
    std::uint64_t state_;
};

/// A customer who begins at `at`.
customer invented_customer(std::int64_t id, std::chrono::sys_seconds at, numbers& random);
payment_profile invented_profile(std::int64_t id, payment_method method, numbers& random);

/// The same day and time a month later, or that month's last day.
std::chrono::sys_seconds month_after(std::chrono::sys_seconds when);

/// Bounded for arithmetic on ids.
inline std::int64_t small_seed(std::uint64_t seed) noexcept
{
    return static_cast<std::int64_t>(seed % 1'000'000'000'000);
}

inline std::int64_t given_or(std::int64_t given, std::int64_t derived) noexcept
{
    return given != 0 ? given : derived;
}

} // namespace chargifyd::simulate
