#include "simulate/histogram.hpp"

#include <gtest/gtest.h>

namespace chargifyd::simulate {
namespace {

using std::chrono::microseconds;

TEST(histogram, is_empty_at_first)
{
    const histogram h;
    EXPECT_EQ(h.count(), 0U);
    EXPECT_EQ(h.quantile(0.5), microseconds(0));
    EXPECT_EQ(h.max(), microseconds(0));
}

TEST(histogram, is_exact_below_256)
{
    histogram h;
    for (int i = 1; i <= 200; ++i)
        h.record(microseconds(i));
    EXPECT_EQ(h.quantile(0.5), microseconds(100));
    EXPECT_EQ(h.quantile(0.99), microseconds(198));
    EXPECT_EQ(h.quantile(1), microseconds(200));
}

TEST(histogram, is_at_most_one_percent_above_anywhere)
{
    for (std::int64_t v = 1; v < (std::int64_t{1} << 36); v = v * 21 / 20 + 1) {
        histogram h;
        h.record(microseconds(v));
        h.record(microseconds((std::int64_t{1} << 36) - 1)); // so that the maximum does not hide the bucket
        const auto got = h.quantile(0.5).count();
        ASSERT_GE(got, v);
        ASSERT_LE(static_cast<double>(got), static_cast<double>(v) * 1.01 + 1e-9) << v;
    }
}

TEST(histogram, never_reports_more_than_the_maximum)
{
    histogram h;
    h.record(microseconds(1000001));
    EXPECT_EQ(h.quantile(0.999), microseconds(1000001));
    EXPECT_EQ(h.max(), microseconds(1000001));
}

TEST(histogram, takes_values_beyond_its_range)
{
    histogram h;
    h.record(microseconds(-5));
    h.record(std::chrono::hours(1000));
    EXPECT_EQ(h.quantile(0.5), microseconds(0));
    EXPECT_EQ(h.max(), microseconds((std::int64_t{1} << 36) - 1));
}

TEST(histogram, merges)
{
    histogram a;
    histogram b;
    for (int i = 0; i < 10; ++i) {
        a.record(microseconds(10));
        b.record(microseconds(5000));
    }
    a.merge(b);
    EXPECT_EQ(a.count(), 20U);
    EXPECT_EQ(a.quantile(0.5), microseconds(10));
    EXPECT_EQ(a.quantile(0.51), microseconds(5000));
    EXPECT_EQ(a.max(), microseconds(5000));
}

} // namespace
} // namespace chargifyd::simulate
