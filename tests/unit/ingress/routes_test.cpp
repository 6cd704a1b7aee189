#include "ingress/routes.hpp"

#include <gtest/gtest.h>

#include <string>

namespace chargifyd::ingress {
namespace {

TEST(find_route, knows_three_paths)
{
    EXPECT_EQ(find_route("/webhooks").to, route::only_site);
    EXPECT_EQ(find_route("/healthz").to, route::health);
    const auto found = find_route("/webhooks/acme-1");
    EXPECT_EQ(found.to, route::site);
    EXPECT_EQ(found.site, "acme-1");
}

TEST(find_route, knows_nothing_else)
{
    for (const char* path : {"/", "", "/webhook", "/webhooks/", "/webhooksacme", "/webhooks/acme/",
                             "/webhooks//acme", "/webhooks/a/b", "//webhooks", "/Webhooks", "/healthz/",
                             "/webhooks/acme/../x", "/%77ebhooks", "/webhooks%2Facme"})
        EXPECT_EQ(find_route(path).to, route::none) << path;
}

TEST(find_route, decodes_nothing)
{
    EXPECT_EQ(find_route("/webhooks/ac%6De").site, "ac%6De");
    EXPECT_EQ(find_route("/webhooks/..").site, "..");
}

const std::string hex = std::string(62, '0') + "Aa";
const std::string other = std::string(64, '1');

request_head with_query(std::string_view query)
{
    request_head head;
    head.query = query;
    return head;
}

TEST(find_signature, takes_the_header_first)
{
    auto head = with_query("signature=x");
    head.signature = hex;
    head.signatures = 1;
    const auto given = find_signature(head);
    ASSERT_TRUE(given.value);
    EXPECT_EQ(to_hex(*given.value), std::string(62, '0') + "aa");
}

TEST(find_signature, wants_the_header_once)
{
    request_head head;
    head.signature = hex;
    head.signatures = 2;
    EXPECT_FALSE(find_signature(head).value);
    EXPECT_TRUE(find_signature(head).present);
}

TEST(find_signature, does_not_turn_to_the_query_when_the_header_is_bad)
{
    const auto query = "signature=" + hex;
    auto head = with_query(query);
    for (const std::string& bad :
         {std::string(), hex.substr(1), hex + "0", std::string(64, 'g'), " " + hex.substr(1)}) {
        head.signature = bad;
        head.signatures = 1;
        EXPECT_FALSE(find_signature(head).value) << bad;
        EXPECT_TRUE(find_signature(head).present);
    }
}

TEST(find_signature, finds_the_parameters)
{
    for (const std::string& query :
         {"signature_hmac_sha_256=" + hex, "signature=" + hex, "a=b&signature=" + hex,
          "signature=" + hex + "&a", "signature=" + other + "&signature_hmac_sha_256=" + hex,
          "signatures=" + other + "&signature=" + hex, "&&signature=" + hex}) {
        const auto given = find_signature(with_query(query));
        ASSERT_TRUE(given.value) << query;
        EXPECT_EQ(to_hex(*given.value), std::string(62, '0') + "aa") << query;
    }
}

TEST(find_signature, wants_a_parameter_once)
{
    for (const std::string& query : {"signature=" + hex + "&signature=" + hex, "signature&signature=" + hex,
                                     "signature_hmac_sha_256=&signature=" + hex, "signature=" + hex + "=",
                                     std::string("signature"), "signature=" + hex.substr(2)}) {
        const auto given = find_signature(with_query(query));
        EXPECT_FALSE(given.value) << query;
        EXPECT_TRUE(given.present) << query;
    }
}

TEST(find_signature, tells_when_there_is_none)
{
    for (const char* query : {"", "a=b", "Signature=x", "xsignature=y", "signature%5f=z"})
        EXPECT_FALSE(find_signature(with_query(query)).present) << query;
}

} // namespace
} // namespace chargifyd::ingress
