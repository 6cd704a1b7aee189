#include "config/address.hpp"

#include <gtest/gtest.h>

#include <string>

namespace chargifyd::config {
namespace {

endpoint parsed(std::string_view text)
{
    return parse_endpoint(text).value();
}

TEST(address, reads_both_families)
{
    EXPECT_FALSE(parsed("127.0.0.1:8080").v6);
    EXPECT_EQ(parsed("127.0.0.1:8080").port, 8080);
    EXPECT_TRUE(parsed("[::]:443").v6);
    EXPECT_EQ(parsed("[::]:443").port, 443);
    EXPECT_EQ(parsed("0.0.0.0:0").port, 0);
    EXPECT_EQ(parsed("0.0.0.0:65535").port, 65535);
}

TEST(address, equal_endpoints_are_equal_however_they_are_written)
{
    EXPECT_EQ(parsed("[::1]:80"), parsed("[0:0:0:0:0:0:0:1]:80"));
    EXPECT_EQ(parsed("localhost:80"), parsed("127.0.0.1:80"));
    EXPECT_NE(parsed("127.0.0.1:80"), parsed("127.0.0.1:81"));
    EXPECT_NE(parsed("127.0.0.1:80"), parsed("127.0.0.2:80"));
    EXPECT_NE(parsed("0.0.0.0:80"), parsed("[::]:80"));
}

TEST(address, knows_loopback)
{
    EXPECT_TRUE(parsed("127.0.0.1:1").loopback());
    EXPECT_TRUE(parsed("127.9.9.9:1").loopback());
    EXPECT_TRUE(parsed("[::1]:1").loopback());
    EXPECT_FALSE(parsed("0.0.0.0:1").loopback());
    EXPECT_FALSE(parsed("[::]:1").loopback());
    EXPECT_FALSE(parsed("10.0.0.1:1").loopback());
    EXPECT_FALSE(parsed("[7f00::1]:1").loopback());
}

struct refusal {
    std::string text;
    std::string says;
};

class refused_endpoint : public ::testing::TestWithParam<refusal> {};

TEST_P(refused_endpoint, says_how_to_write_it)
{
    const result<endpoint> got = parse_endpoint(GetParam().text);
    ASSERT_FALSE(got) << GetParam().text;
    EXPECT_NE(got.error().message.find(GetParam().says), std::string::npos) << got.error().message;
}

INSTANTIATE_TEST_SUITE_P(
    all, refused_endpoint,
    ::testing::Values(
        refusal{"", "no port"}, refusal{"443", "no port"}, refusal{"127.0.0.1", "no port"},
        refusal{"[::1]", "no port"}, refusal{"127.0.0.1:", "no valid port"},
        refusal{"127.0.0.1:65536", "no valid port"}, refusal{"127.0.0.1:-1", "no valid port"},
        refusal{"127.0.0.1:+1", "no valid port"}, refusal{"127.0.0.1: 1", "no valid port"},
        refusal{"127.0.0.1:80x", "no valid port"}, refusal{"127.0.0.1:99999999999999999999", "no valid port"},
        refusal{":443", "not a numeric address"}, refusal{"*:443", "not a numeric address"},
        refusal{"example.com:443", "names are not looked up"},
        refusal{"256.0.0.1:443", "not a numeric address"}, refusal{"[::g]:443", "not a numeric address"},
        refusal{"[]:443", "not a numeric address"}, refusal{"[:443", "not a numeric address"},
        refusal{"[127.0.0.1]:443", "not a numeric address"}, refusal{"::1:443", "without brackets"},
        refusal{std::string("127.0.0.1\0x:80", 14), "not a numeric address"}));

TEST(address, knows_networks)
{
    for (const char* good :
         {"10.0.0.0/8", "0.0.0.0/0", "192.0.2.1/32", "fd00::/8", "::/0", "::1/128", "10.1.2.3", "::1"})
        EXPECT_TRUE(is_network(good)) << good;
    for (const char* bad :
         {"", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0/8", "fd00::/129", "10.0.0.0/8/8",
          "10.0.0.0/ 8", "proxy.example/8", "10.0.0.1:80", "[::1]"})
        EXPECT_FALSE(is_network(bad)) << bad;
}

} // namespace
} // namespace chargifyd::config
