#include "ingress/proxy_header.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace chargifyd::ingress {
namespace {

using namespace std::string_literals;
using outcome = proxy_header::outcome;

const std::string signature("\r\n\r\n\0\r\nQUIT\n", 12);

std::string in_two_bytes(std::size_t number)
{
    return {static_cast<char>(number / 256), static_cast<char>(number % 256)};
}

/// A header of version 2 that announces `block`.
std::string binary(char command, char family, const std::string& block)
{
    return signature + command + family + in_two_bytes(block.size()) + block;
}

const std::string v4_addresses =
    "\xC0\x00\x02\x01\xC6\x33\x64\x02\x11\x5C\x01\xBB"s;                       // 192.0.2.1, 198.51.100.2
const std::string v6_addresses = "\x20\x01\x0D\xB8\0\0\0\0\0\0\0\0\0\0\0\x09"s // 2001:db8::9
                                 "\x20\x01\x0D\xB8\0\0\0\0\0\0\0\0\0\0\0\x01\x11\x5C\x01\xBB"s;
constexpr char local = '\x20';
constexpr char proxied = '\x21';
constexpr char over_ipv4 = '\x11';
constexpr char over_ipv6 = '\x21';

std::string extension(char type, const std::string& value)
{
    return type + in_two_bytes(value.size()) + value;
}

std::string source_of(const proxy_header& read)
{
    return read.source ? read.source->to_string() : "none";
}

struct good_header {
    std::string bytes;
    std::string source;
};

const std::vector<good_header> good_headers = {
    {"PROXY TCP4 192.0.2.1 198.51.100.2 4444 443\r\n", "192.0.2.1"},
    {"PROXY TCP4 0.0.0.0 255.255.255.255 0 65535\r\n", "0.0.0.0"},
    {"PROXY TCP6 2001:db8::9 2001:db8::1 4444 443\r\n", "2001:db8::9"},
    {"PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2\r\n", "::ffff:192.0.2.1"},
    {"PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe 65535 "
     "65535\r\n",
     "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
    {"PROXY UNKNOWN\r\n", "none"},
    {"PROXY UNKNOWN 192.0.2.1 198.51.100.2 4444 443\r\n", "none"},
    {"PROXY UNKNOWN " + std::string(max_proxy_line_bytes - 16, 'x') + "\r\n", "none"},
    {binary(proxied, over_ipv4, v4_addresses), "192.0.2.1"},
    {binary(proxied, over_ipv6, v6_addresses), "2001:db8::9"},
    {binary(proxied, over_ipv4, v4_addresses + extension('\xEA', "\x01vpce-0123456789abcdef0")), "192.0.2.1"},
    {binary(proxied, over_ipv6, v6_addresses + extension('\x04', "") + extension('\x03', "abcd")),
     "2001:db8::9"},
    {binary(proxied, over_ipv4,
            v4_addresses +
                extension('\x04', std::string(max_proxy_block_bytes - v4_addresses.size() - 3, 0))),
     "192.0.2.1"},
    {binary(proxied, '\0', ""), "none"},
    {binary(proxied, '\0', "whatever"), "none"},
    {binary(local, '\0', ""), "none"},
    {binary(local, over_ipv4, v4_addresses), "none"},
    {binary(local, '\x7F', "whatever"), "none"},
};

TEST(proxy_header, takes_what_is_specified)
{
    for (const auto& [bytes, source] : good_headers) {
        const auto read = read_proxy_header(bytes);
        EXPECT_EQ(read.result, outcome::complete) << testing::PrintToString(bytes);
        EXPECT_EQ(read.length, bytes.size()) << testing::PrintToString(bytes);
        EXPECT_EQ(source_of(read), source) << testing::PrintToString(bytes);
    }
}

TEST(proxy_header, waits_at_every_truncation)
{
    for (const auto& [bytes, source] : good_headers)
        for (std::size_t size = 0; size < bytes.size(); ++size)
            EXPECT_EQ(read_proxy_header(std::string_view(bytes).substr(0, size)).result, outcome::more)
                << testing::PrintToString(bytes.substr(0, size));
}

TEST(proxy_header, ends_where_it_ends)
{
    for (const auto& [bytes, source] : good_headers) {
        for (const std::string& behind :
             {"GET / HTTP/1.1\r\n\r\n"s, "\x16\x03\x01\x02"s, "\n"s, "PROXY UNKNOWN\r\n"s, "\0"s}) {
            const auto read = read_proxy_header(bytes + behind);
            EXPECT_EQ(read.result, outcome::complete);
            EXPECT_EQ(read.length, bytes.size());
            EXPECT_EQ(source_of(read), source);
        }
    }
}

TEST(proxy_header, refuses_lines_that_are_not_exact)
{
    for (const std::string& line : {
             "PROXY\r\n"s,
             "PROXY \r\n"s,
             "PROXY\n"s,
             "PROXY UNKNOWN\n"s,
             "PROXY UNKNOWN\r\r\n"s,
             "PROXY UNKNOWNS\r\n"s,
             "PROXY UNKNOWN a\x01\r\n"s,
             "PROXY UNKNOWN \xC3\xA4\r\n"s,
             "PROXY unknown\r\n"s,
             "proxy UNKNOWN\r\n"s,
             " PROXY UNKNOWN\r\n"s,
             "PROXY  UNKNOWN\r\n"s,
             "PROXY TCP 192.0.2.1 192.0.2.2 1 2\r\n"s,
             "PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n"s,
             "PROXY TCP4\r\n"s,
             "PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n"s,
             "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n"s,
             "PROXY TCP4 192.0.2.1 192.0.2.2 1 2 \r\n"s,
             "PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3\r\n"s,
             "PROXY TCP4  192.0.2.1 192.0.2.2 1 2\r\n"s,
             "PROXY TCP4 192.0.2.1  192.0.2.2 1 2\r\n"s,
             "PROXY TCP4\t192.0.2.1 192.0.2.2 1 2\r\n"s,
             "PROXY TCP4 192.0.2.1 192.0.2.2 01 2\r\n"s,
             "PROXY TCP4 192.0.2.1 192.0.2.2 1 00\r\n"s,
             "PROXY TCP4 192.0.2.1 192.0.2.2 65536 2\r\n"s,
             "PROXY TCP4 192.0.2.1 192.0.2.2 1 99999999999999999999\r\n"s,
             "PROXY TCP4 192.0.2.1 192.0.2.2 -1 2\r\n"s,
             "PROXY TCP4 192.0.2.1 192.0.2.2 +1 2\r\n"s,
             "PROXY TCP4 192.0.2.1 192.0.2.2 1 x\r\n"s,
             "PROXY TCP4 192.0.2.1 192.0.2.2 1 \r\n"s,
             "PROXY TCP4 192.0.2.256 192.0.2.2 1 2\r\n"s,
             "PROXY TCP4 192.0.2.01 192.0.2.2 1 2\r\n"s,
             "PROXY TCP4 192.0.2 192.0.2.2 1 2\r\n"s,
             "PROXY TCP4 0xC0.0.2.1 192.0.2.2 1 2\r\n"s,
             "PROXY TCP4 192.0.2.1\0 192.0.2.2 1 2\r\n"s,
             "PROXY TCP4 192.0.2.1 lb.example 1 2\r\n"s,
             "PROXY TCP4 ::1 ::1 1 2\r\n"s,
             "PROXY TCP4 192.0.2.1 ::1 1 2\r\n"s,
             "PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n"s,
             "PROXY TCP6 ::1 192.0.2.2 1 2\r\n"s,
             "PROXY TCP6 [::1] ::1 1 2\r\n"s,
             "PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n"s,
             "PROXY TCP6 1::2::3 ::1 1 2\r\n"s,
             "PROXY TCP6 12345::1 ::1 1 2\r\n"s,
         })
        EXPECT_EQ(read_proxy_header(line).result, outcome::refused) << testing::PrintToString(line);
}

TEST(proxy_header, refuses_a_line_that_is_too_long)
{
    const std::string start = "PROXY UNKNOWN ";
    const std::string longest = start + std::string(max_proxy_line_bytes - start.size(), 'x');
    EXPECT_EQ(read_proxy_header(longest.substr(1)).result, outcome::refused);
    EXPECT_EQ(read_proxy_header(longest.substr(0, max_proxy_line_bytes - 1)).result, outcome::more);
    EXPECT_EQ(read_proxy_header(longest).result, outcome::refused);
    EXPECT_EQ(read_proxy_header(longest + "\r\n").result, outcome::refused);
}

TEST(proxy_header, refuses_what_version_2_does_not_have_here)
{
    auto wrong_signature = binary(proxied, over_ipv4, v4_addresses);
    wrong_signature[11] = '\r';
    const std::vector<std::string> all = {
        wrong_signature,
        binary('\x11', over_ipv4, v4_addresses),      // version 1
        binary('\x31', over_ipv4, v4_addresses),      // version 3
        binary('\x22', over_ipv4, v4_addresses),      // no command
        binary('\x2F', over_ipv4, v4_addresses),      //
        binary(proxied, '\x10', v4_addresses),        // no transport
        binary(proxied, '\x12', v4_addresses),        // datagrams
        binary(proxied, '\x22', v6_addresses),        //
        binary(proxied, '\x31', std::string(216, 0)), // unix sockets
        binary(proxied, '\x01', ""),                  // no family
        binary(proxied, '\x13', v4_addresses),        //
        binary(proxied, over_ipv4, ""),
        binary(proxied, over_ipv4, v4_addresses.substr(1)),
        binary(proxied, over_ipv6, v6_addresses.substr(1)),
        binary(proxied, over_ipv6, v4_addresses),
        binary(proxied, over_ipv4, v4_addresses + "\x04"),
        binary(proxied, over_ipv4, v4_addresses + "\x04\0"s),
        binary(proxied, over_ipv4, v4_addresses + "\x04\0\x01"s),
        binary(proxied, over_ipv4, v4_addresses + "\x04\xFF\xFF\0\0"s),
        binary(proxied, over_ipv4, v4_addresses + extension('\x04', "a") + "b"),
        binary(proxied, over_ipv4, v4_addresses + std::string(max_proxy_block_bytes, 0)),
        binary(local, '\0', std::string(max_proxy_block_bytes + 1, 0)),
        signature + local + "\0\xFF\xFF"s,
    };
    for (const auto& bytes : all)
        EXPECT_EQ(read_proxy_header(bytes).result, outcome::refused) << testing::PrintToString(bytes);
}

TEST(proxy_header, does_not_wait_for_what_cannot_become_right)
{
    for (const std::string& bytes :
         {"G"s, "\x16"s, "p"s, "PROXX"s, "PROXY\r"s, "\n"s, "\r\r"s, "\r\n\r\nX"s, signature + '\x2F',
          signature + proxied + '\x31', signature + proxied + over_ipv4 + "\0\x0B"s,
          signature + proxied + over_ipv4 + "\xFF\xFF"s})
        EXPECT_EQ(read_proxy_header(bytes).result, outcome::refused) << testing::PrintToString(bytes);
}

} // namespace
} // namespace chargifyd::ingress
