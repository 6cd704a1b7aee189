#include "simulate/endpoint.hpp"

#include <gtest/gtest.h>

namespace chargifyd::simulate {
namespace {

TEST(endpoint, reads_the_parts)
{
    const auto e = parse_endpoint("https://hooks.example.com/webhooks/acme?a=b");
    ASSERT_TRUE(e);
    EXPECT_TRUE(e->tls);
    EXPECT_FALSE(e->numeric_host);
    EXPECT_EQ(e->host, "hooks.example.com");
    EXPECT_EQ(e->port, "443");
    EXPECT_EQ(e->host_header, "hooks.example.com");
    EXPECT_EQ(e->path, "/webhooks/acme?a=b");
}

TEST(endpoint, knows_numeric_hosts_and_ports)
{
    const auto e = parse_endpoint("http://[::1]:8080");
    ASSERT_TRUE(e);
    EXPECT_FALSE(e->tls);
    EXPECT_TRUE(e->numeric_host);
    EXPECT_EQ(e->host, "::1");
    EXPECT_EQ(e->port, "8080");
    EXPECT_EQ(e->host_header, "[::1]:8080");
    EXPECT_EQ(e->path, "/");
    EXPECT_TRUE(parse_endpoint("http://127.0.0.1/")->numeric_host);
    EXPECT_EQ(parse_endpoint("http://127.0.0.1/")->port, "80");
    EXPECT_EQ(parse_endpoint("http://h?x=1")->path, "/?x=1");
}

TEST(endpoint, keeps_placeholders)
{
    const auto e = parse_endpoint("https://h/w?s={signature_hmac_sha_256}&m={signature}");
    ASSERT_TRUE(e);
    EXPECT_EQ(e->path, "/w?s={signature_hmac_sha_256}&m={signature}");
}

TEST(endpoint, refuses_what_cannot_be_posted_to)
{
    for (const char* url : {"", "hooks.example.com", "/webhooks", "ftp://h/", "https://", "http:///x",
                            "http://u:p@h/", "http://h/#f", "http://h:0/", "http://h:99999/", "http://h:/",
                            "http://h/a b", "http://h/a\r\nX: y", "http://h/{other}"}) {
        const auto e = parse_endpoint(url);
        ASSERT_FALSE(e) << url;
        EXPECT_EQ(e.error().code, errc::invalid);
    }
}

TEST(endpoint, an_error_does_not_repeat_the_url)
{
    const auto e = parse_endpoint("http://user:hunter2@h/?signature=abc");
    ASSERT_FALSE(e);
    EXPECT_EQ(e.error().message.find("hunter2"), std::string::npos);
    EXPECT_EQ(e.error().message.find("abc"), std::string::npos);
}

} // namespace
} // namespace chargifyd::simulate
