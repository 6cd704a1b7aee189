#include "simulate/request.hpp"

#include "chargifyd/chargify/signature.hpp"

#include <gtest/gtest.h>

namespace chargifyd::simulate {
namespace {

std::string written(const std::string& url, const std::string& key, bool keep_alive, std::string_view body)
{
    const request_writer writer(*parse_endpoint(url), secret(key), keep_alive);
    std::string out = "left from before";
    writer.write(out, 657678, body);
    return out;
}

// The key, body and signature that Chargify's documentation publishes.
constexpr std::string_view documented_body = "payload[chargify]=testing&event=test";
constexpr std::string_view documented_signature =
    "19826d51b9f866b26eda1f154de192593360f8d0bcb63df8a28540a5dcf733f1";

TEST(request, has_the_headers_chargify_sends)
{
    EXPECT_EQ(written("https://hooks.example.com:8443/webhooks/acme", "123", true, documented_body),
              "POST /webhooks/acme HTTP/1.1\r\n"
              "Host: hooks.example.com:8443\r\n"
              "Accept: */*; q=0.5, application/xml\r\n"
              "Accept-Encoding: gzip, deflate\r\n"
              "Content-Type: application/x-www-form-urlencoded\r\n"
              "X-Chargify-Webhook-Id: 657678\r\n"
              "X-Chargify-Webhook-Signature-Hmac-Sha-256: " +
                  std::string(documented_signature) +
                  "\r\n"
                  "Content-Length: 36\r\n\r\n" +
                  std::string(documented_body));
}

TEST(request, says_when_the_connection_ends)
{
    EXPECT_NE(written("http://h/", "k", false, "b").find("\r\nConnection: close\r\n"), std::string::npos);
    EXPECT_EQ(written("http://h/", "k", true, "b").find("Connection"), std::string::npos);
}

TEST(request, is_unsigned_without_a_key)
{
    const std::string r = written("http://h/w?s={signature_hmac_sha_256}", "", true, "b");
    EXPECT_EQ(r.find("Signature"), std::string::npos);
    EXPECT_EQ(r.rfind("POST /w?s= HTTP/1.1\r\n", 0), 0U);
}

TEST(request, replaces_the_placeholders_of_the_url)
{
    const std::string r =
        written("http://h/a/{signature}/b?s={signature_hmac_sha_256}&c=d", "123", true, documented_body);
    const std::string line = "POST /a/" + chargify::legacy_md5_signature("123", documented_body) +
                             "/b?s=" + std::string(documented_signature) + "&c=d HTTP/1.1\r\n";
    EXPECT_EQ(r.rfind(line, 0), 0U) << r;
}

TEST(request, does_not_touch_the_body)
{
    const std::string body("a\0\r\n\r\n{signature}\xff", 19);
    const std::string r = written("http://h/", "k", true, body);
    EXPECT_EQ(r.substr(r.size() - body.size()), body);
    EXPECT_NE(r.find("Content-Length: 19\r\n\r\n"), std::string::npos);
}

} // namespace
} // namespace chargifyd::simulate
