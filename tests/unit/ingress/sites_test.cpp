#include "ingress/sites.hpp"

#include <gtest/gtest.h>

namespace chargifyd::ingress {
namespace {

using namespace std::chrono_literals;

site named(const std::string& name)
{
    return {name, chargify::verifier({secret("key")})};
}

TEST(rate_limited, reports_the_first_at_once_and_the_rest_in_sums)
{
    rate_limited happens;
    const std::chrono::steady_clock::time_point start{};
    EXPECT_EQ(happens.count(start), 1U);
    EXPECT_EQ(happens.count(start), std::nullopt);
    EXPECT_EQ(happens.count(start + 9999ms), std::nullopt);
    EXPECT_EQ(happens.count(start + 10s), 3U);
    EXPECT_EQ(happens.count(start + 19s), std::nullopt);
    EXPECT_EQ(happens.count(start + 60s), 2U);
}

TEST(rate_limited, reports_as_many_as_it_may_one_by_one)
{
    rate_limited happens(3);
    const std::chrono::steady_clock::time_point start{};
    for (const auto after : {0s, 1s, 9s})
        EXPECT_EQ(happens.count(start + after), 1U);
    EXPECT_EQ(happens.count(start + 9s), std::nullopt);
    EXPECT_EQ(happens.count(start + 9999ms), std::nullopt);
    EXPECT_EQ(happens.count(start + 10s), 3U);
    EXPECT_EQ(happens.count(start + 10s), 1U);
    EXPECT_EQ(happens.count(start + 10s), 1U);
    EXPECT_EQ(happens.count(start + 10s), std::nullopt);
}

TEST(site_table, finds_by_name)
{
    metrics::registry meters;
    const auto table = site_table::make({named("acme"), named("Acme"), named("b-2_c")}, meters);
    ASSERT_TRUE(table);
    for (const char* name : {"acme", "Acme", "b-2_c"}) {
        ASSERT_NE((*table)->find(name), nullptr);
        EXPECT_EQ((*table)->find(name)->name(), name);
    }
    for (const char* name : {"", "acm", "acmee", "ACME"})
        EXPECT_EQ((*table)->find(name), nullptr) << name;
}

TEST(site_table, knows_the_only_site)
{
    metrics::registry meters;
    EXPECT_EQ((*site_table::make({}, meters))->only(), nullptr);
    EXPECT_EQ((*site_table::make({named("a"), named("b")}, meters))->only(), nullptr);
    const auto one = *site_table::make({named("a")}, meters);
    ASSERT_NE(one->only(), nullptr);
    EXPECT_EQ(one->only()->name(), "a");
}

TEST(site_table, refuses_names_that_no_path_can_hold)
{
    metrics::registry meters;
    for (const char* name : {"", ".", "..", "a/b", "a%41", "a b", "a.b", "\xc3\xab"})
        EXPECT_FALSE(site_table::make({named(name)}, meters)) << name;
    EXPECT_FALSE(site_table::make({named("a"), named("a")}, meters));
}

} // namespace
} // namespace chargifyd::ingress
