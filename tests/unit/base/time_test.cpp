#include "chargifyd/base/time.hpp"

#include <gtest/gtest.h>

namespace chargifyd {
namespace {

using namespace std::chrono;

TEST(time, formats_utc)
{
    EXPECT_EQ(format_utc(sys_seconds{}), "1970-01-01T00:00:00Z");
    EXPECT_EQ(format_utc(sys_days{2016y / November / 8} + 21h + 22min + 18s), "2016-11-08T21:22:18Z");
    EXPECT_EQ(format_utc(timestamp{microseconds{1'999'999}}), "1970-01-01T00:00:01Z");
    EXPECT_EQ(format_utc(timestamp{microseconds{-1}}), "1969-12-31T23:59:59Z");
    EXPECT_EQ(format_utc(sys_days{9999y / December / 31} + 23h + 59min + 59s), "9999-12-31T23:59:59Z");
    EXPECT_EQ(format_utc(sys_seconds(sys_days{7y / January / 2})), "0007-01-02T00:00:00Z");
}

TEST(time, formats_years_of_other_than_four_digits_as_the_nearest_one)
{
    EXPECT_EQ(format_utc(sys_seconds(sys_days{12345y / June / 7})), "9999-06-07T00:00:00Z");
    EXPECT_EQ(format_utc(sys_seconds(sys_days{-5y / June / 7})), "0000-06-07T00:00:00Z");
}

} // namespace
} // namespace chargifyd
