#include "ctl/header_block.hpp"

#include <gtest/gtest.h>

namespace chargifyd::ctl {
namespace {

TEST(header_block, finds_the_signature_among_others)
{
    const auto found = signature_in("POST /webhooks/acme HTTP/1.1\r\n"
                                    "Host: hooks.example.com\r\n"
                                    "X-Chargify-Webhook-Signature: 0123456789abcdef0123456789abcdef\r\n"
                                    "X-Chargify-Webhook-Signature-Hmac-Sha-256: abc123 \r\n"
                                    "Content-Length: 36\r\n\r\n");
    ASSERT_TRUE(found);
    EXPECT_EQ(*found, "abc123");
}

TEST(header_block, takes_any_case_and_line_end)
{
    EXPECT_EQ(*signature_in("x-chargify-webhook-signature-hmac-sha-256:abc"), "abc");
    EXPECT_EQ(*signature_in("\n\nX-CHARGIFY-WEBHOOK-SIGNATURE-HMAC-SHA-256:\tabc\nHost: h\n"), "abc");
}

TEST(header_block, takes_what_curl_shows)
{
    EXPECT_EQ(
        *signature_in("> POST / HTTP/1.1\r\n> X-Chargify-Webhook-Signature-Hmac-Sha-256: abc\r\n> \r\n"),
        "abc");
}

TEST(header_block, does_not_read_the_body)
{
    const auto found = signature_in("Host: h\r\n\r\nX-Chargify-Webhook-Signature-Hmac-Sha-256: forged\r\n");
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code, errc::not_found);
}

TEST(header_block, refuses_two_that_differ)
{
    const std::string one = "X-Chargify-Webhook-Signature-Hmac-Sha-256: abc\n";
    const std::string other = "x-chargify-webhook-signature-hmac-sha-256: def\n";
    EXPECT_EQ(*signature_in(one + one), "abc");
    const auto found = signature_in(one + other);
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code, errc::invalid);
}

TEST(header_block, says_when_only_the_deprecated_one_is_there)
{
    const auto found = signature_in("X-Chargify-Webhook-Signature: 0123456789abcdef0123456789abcdef\n");
    ASSERT_FALSE(found);
    EXPECT_NE(found.error().message.find("MD5"), std::string::npos);
    EXPECT_EQ(found.error().message.find("0123456789"), std::string::npos);
    EXPECT_EQ(signature_in("").error().message.find("MD5"), std::string::npos);
}

} // namespace
} // namespace chargifyd::ctl
