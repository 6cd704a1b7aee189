#include "chargifyd/base/digest.hpp"

#include <gtest/gtest.h>

namespace chargifyd {
namespace {

TEST(digest, round_trips_through_hex)
{
    digest256 d{};
    for (std::size_t i = 0; i < d.size(); ++i)
        d[i] = static_cast<unsigned char>(i * 8 + 3);
    const std::string hex = to_hex(d);
    EXPECT_EQ(hex.size(), 64U);
    EXPECT_EQ(parse_digest(hex), d);
}

TEST(digest, accepts_either_case)
{
    const std::string lower(64, 'a');
    const std::string upper(64, 'A');
    ASSERT_TRUE(parse_digest(lower));
    EXPECT_EQ(parse_digest(lower), parse_digest(upper));
}

TEST(digest, refuses_anything_but_64_hex_digits)
{
    EXPECT_FALSE(parse_digest(""));
    EXPECT_FALSE(parse_digest(std::string(63, '0')));
    EXPECT_FALSE(parse_digest(std::string(65, '0')));
    EXPECT_FALSE(parse_digest(std::string(66, '0')));
    EXPECT_FALSE(parse_digest("0x" + std::string(62, '0')));
    EXPECT_FALSE(parse_digest(std::string(63, '0') + "g"));
    EXPECT_FALSE(parse_digest(" " + std::string(63, '0')));
    EXPECT_FALSE(parse_digest(std::string(63, '0') + std::string(1, '\0')));
}

} // namespace
} // namespace chargifyd
