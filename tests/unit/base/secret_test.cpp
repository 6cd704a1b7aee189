#include "chargifyd/base/secret.hpp"

#include <gtest/gtest.h>

#include <utility>

namespace chargifyd {
namespace {

TEST(secret, keeps_its_bytes_when_copied)
{
    const secret a(std::string("k\0ey", 4));
    const secret b = a;
    EXPECT_EQ(b.reveal(), a.reveal());
    EXPECT_EQ(b.reveal().size(), 4U);
}

TEST(secret, leaves_nothing_behind_when_moved)
{
    secret a("short");
    const char* const inside = a.reveal().data();
    const secret b = std::move(a);
    EXPECT_EQ(b.reveal(), "short");
    EXPECT_TRUE(a.empty());     // NOLINT(bugprone-use-after-move): that is what is tested
    EXPECT_EQ(inside[0], '\0'); // the short string's bytes stand in the object itself
}

TEST(secret, can_be_replaced)
{
    secret a("one");
    a = secret("two");
    EXPECT_EQ(a.reveal(), "two");
}

} // namespace
} // namespace chargifyd
