#include "chargifyd/base/time.hpp"
#include "chargifyd/state/when.hpp"

#include <gtest/gtest.h>

namespace chargifyd::state {
namespace {

using std::chrono::sys_days;
using namespace std::chrono_literals;

constexpr std::chrono::sys_seconds now = sys_days(2026y / 3 / 10) + 12h;

TEST(parse_moment, reads_times_dates_and_how_long_ago)
{
    const auto read = [](std::string_view text) {
        const auto found = parse_moment(text, now);
        return found ? format_utc(*found) : "refused";
    };
    EXPECT_EQ(read("2026-03-01T10:00:00Z"), "2026-03-01T10:00:00Z");
    EXPECT_EQ(read("2026-03-01T10:00:00.25-05:00"), "2026-03-01T15:00:00Z");
    EXPECT_EQ(read("2026-03-01"), "2026-03-01T00:00:00Z");
    EXPECT_EQ(read("45s"), "2026-03-10T11:59:15Z");
    EXPECT_EQ(read("30m"), "2026-03-10T11:30:00Z");
    EXPECT_EQ(read("2h"), "2026-03-10T10:00:00Z");
    EXPECT_EQ(read("7d"), "2026-03-03T12:00:00Z");
    EXPECT_EQ(read("2w"), "2026-02-24T12:00:00Z");
    for (const char* const text : {"", "2", "h", "-2h", "+2h", "2 h", "2hh", "1.5h", "2y",
                                   "99999999999999999999s", "9000000000000000000w", "2026-02-30", "2026-3-1",
                                   "2026-03-01 10:00:00 -0500", "yesterday", "2026-03-01T"})
        EXPECT_EQ(read(text), "refused") << text;
}

TEST(parse_duration, has_bounds)
{
    EXPECT_EQ(*parse_duration("7d"), 7 * 24h);
    EXPECT_EQ(*parse_duration("0s"), 0s);
    EXPECT_FALSE(parse_duration("2026-03-01"));
    EXPECT_FALSE(parse_duration("400000d"));
    EXPECT_EQ(parse_duration("x").error().code, errc::invalid);
}

TEST(parse_day, takes_dates_alone)
{
    EXPECT_EQ(format_utc(*parse_day("2026-03-01")), "2026-03-01T00:00:00Z");
    EXPECT_FALSE(parse_day("2026-03-01T10:00:00Z"));
    EXPECT_FALSE(parse_day("7d"));
}

} // namespace
} // namespace chargifyd::state
