#include "ingress/address.hpp"

#include <gtest/gtest.h>

namespace chargifyd::ingress {
namespace {

namespace ip = boost::asio::ip;

std::string rewritten(const char* text)
{
    const auto parsed = parse_endpoint(text);
    return parsed ? to_text(*parsed) : "error";
}

TEST(parse_endpoint, reads_literal_addresses)
{
    EXPECT_EQ(rewritten("192.0.2.1:443"), "192.0.2.1:443");
    EXPECT_EQ(rewritten("[::]:443"), "[::]:443");
    EXPECT_EQ(rewritten("[2001:db8::1]:0"), "[2001:db8::1]:0");
    EXPECT_EQ(rewritten("localhost:65535"), "127.0.0.1:65535");
}

TEST(parse_endpoint, names_what_it_refuses)
{
    for (const char* text :
         {"", ":443", "443", "192.0.2.1", "192.0.2.1:", "192.0.2.1:65536", "192.0.2.1:-1", "192.0.2.1:+1",
          "192.0.2.1: 1", "192.0.2.1:1x", "::1:443", "[192.0.2.1]:443", "[::1]", "[::1:443",
          "example.com:443", "*:443", "192.0.2.256:1", "[]:1", "192.0.2.1 :1"}) {
        const auto parsed = parse_endpoint(text);
        ASSERT_FALSE(parsed) << text;
        EXPECT_EQ(parsed.error().code, errc::invalid);
        EXPECT_NE(parsed.error().message.find("\"" + std::string(text) + "\""), std::string::npos) << text;
    }
}

TEST(to_text, writes_mapped_addresses_as_ipv4)
{
    EXPECT_EQ(to_text(ip::make_address("::ffff:192.0.2.9")), "192.0.2.9");
    EXPECT_EQ(to_text(ip::make_address("2001:db8::9")), "2001:db8::9");
}

struct membership {
    const char* network;
    const char* address;
    bool inside;
};

class network_test : public testing::TestWithParam<membership> {};

TEST_P(network_test, contains)
{
    const auto parsed = network::parse(GetParam().network);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->contains(ip::make_address(GetParam().address)), GetParam().inside);
}

INSTANTIATE_TEST_SUITE_P(
    all, network_test,
    testing::Values(
        membership{"10.0.0.0/8", "10.255.255.255", true}, membership{"10.0.0.0/8", "11.0.0.0", false},
        membership{"10.0.0.0/8", "::ffff:10.1.2.3", true}, membership{"10.0.0.0/8", "a00::", false},
        membership{"192.0.2.128/25", "192.0.2.128", true}, membership{"192.0.2.128/25", "192.0.2.127", false},
        membership{"192.0.2.7", "192.0.2.7", true}, membership{"192.0.2.7", "192.0.2.6", false},
        membership{"0.0.0.0/0", "203.0.113.9", true}, membership{"0.0.0.0/0", "2001:db8::1", false},
        membership{"2001:db8::/33", "2001:db8:7fff::1", true},
        membership{"2001:db8::/33", "2001:db8:8000::1", false}, membership{"::1", "::1", true}));

TEST(network, refuses_what_is_none)
{
    for (const char* text :
         {"", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0/8", "::/129", "any", "10.0.0.0/8/8"})
        EXPECT_FALSE(network::parse(text)) << text;
}

struct forwarding {
    const char* peer;
    std::vector<std::string_view> fields;
    const char* sender;
};

class sender_test : public testing::TestWithParam<forwarding> {};

TEST_P(sender_test, is_the_rightmost_that_is_no_proxy)
{
    const auto proxies = proxy_list::parse({"10.0.0.0/8", "fd00::/8"});
    ASSERT_TRUE(proxies);
    EXPECT_EQ(to_text(proxies->sender(ip::make_address(GetParam().peer), GetParam().fields)),
              GetParam().sender);
}

INSTANTIATE_TEST_SUITE_P(
    all, sender_test,
    testing::Values(forwarding{"192.0.2.1", {"203.0.113.5"}, "192.0.2.1"}, // not a proxy: not believed
                    forwarding{"10.0.0.1", {}, "10.0.0.1"},                //
                    forwarding{"10.0.0.1", {"203.0.113.5"}, "203.0.113.5"},
                    forwarding{"::ffff:10.0.0.1", {"203.0.113.5"}, "203.0.113.5"},
                    forwarding{"10.0.0.1", {"198.51.100.1, 203.0.113.5"}, "203.0.113.5"},
                    forwarding{"10.0.0.1", {"198.51.100.1,203.0.113.5 ,\t10.9.9.9"}, "203.0.113.5"},
                    forwarding{"10.0.0.1", {"198.51.100.1", "203.0.113.5", "10.0.0.2"}, "203.0.113.5"},
                    forwarding{"10.0.0.1", {"203.0.113.5:4711"}, "203.0.113.5"},
                    forwarding{"10.0.0.1", {"2001:db8::5"}, "2001:db8::5"},
                    forwarding{"10.0.0.1", {"[2001:db8::5]"}, "2001:db8::5"},
                    forwarding{"10.0.0.1", {"[2001:db8::5]:80, fd00::1"}, "2001:db8::5"},
                    forwarding{
                        "10.0.0.1", {"nonsense, 203.0.113.5"}, "203.0.113.5"}, // left of the one looked for
                    forwarding{"10.0.0.1", {"203.0.113.5, nonsense"}, "10.0.0.1"},
                    forwarding{"10.0.0.1", {"203.0.113.5, "}, "10.0.0.1"},
                    forwarding{"10.0.0.1", {""}, "10.0.0.1"},
                    forwarding{"10.0.0.1", {"203.0.113.5:x"}, "10.0.0.1"},
                    forwarding{"10.0.0.1", {"[2001:db8::5"}, "10.0.0.1"},
                    forwarding{"10.0.0.1", {"[2001:db8::5]x"}, "10.0.0.1"},
                    forwarding{"10.0.0.1", {"unknown"}, "10.0.0.1"},
                    forwarding{"10.0.0.1", {"10.2.2.2, 10.3.3.3"}, "10.0.0.1"})); // all of them proxies

TEST(proxy_list, believes_nobody_when_empty)
{
    const std::vector<std::string_view> fields = {"203.0.113.5"};
    EXPECT_EQ(to_text(proxy_list().sender(ip::make_address("10.0.0.1"), fields)), "10.0.0.1");
}

TEST(proxy_list, names_a_bad_network)
{
    const auto parsed = proxy_list::parse({"10.0.0.0/8", "10.0.0.0/99"});
    ASSERT_FALSE(parsed);
    EXPECT_NE(parsed.error().message.find("10.0.0.0/99"), std::string::npos);
}

} // namespace
} // namespace chargifyd::ingress
