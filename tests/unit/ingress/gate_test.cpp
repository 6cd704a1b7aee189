#include "ingress/gate.hpp"

#include <gtest/gtest.h>

#include <string>

namespace chargifyd::ingress {
namespace {

constexpr gate_limits limits{.max_header_fields = 20, .max_body_bytes = 1000};

std::string verdict(const std::string& head)
{
    request_head parsed;
    const auto refused = read_head(head, limits, parsed);
    return refused ? std::string(name_of(*refused)) : "ok";
}

std::string post(const std::string& headers)
{
    return "POST /webhooks HTTP/1.1\r\nHost: localhost\r\n" + headers + "\r\n";
}

struct gate_case {
    const char* what;
    std::string head;
    const char* verdict;
};

void PrintTo(const gate_case& c, std::ostream* to)
{
    *to << c.what;
}

class gate_test : public testing::TestWithParam<gate_case> {};

TEST_P(gate_test, judges)
{
    EXPECT_EQ(verdict(GetParam().head), GetParam().verdict) << GetParam().what;
}

const std::string length = "Content-Length: 5\r\n";
const std::string chunked = "Transfer-Encoding: chunked\r\n";

INSTANTIATE_TEST_SUITE_P(
    framing, gate_test,
    testing::Values(
        gate_case{"plain", post(length), "ok"},
        gate_case{"names in any case", "POST / HTTP/1.1\r\nhOsT: a\r\ncOnTeNt-LeNgTh: 5\r\n\r\n", "ok"},
        gate_case{"no length", post(""), "no_length"}, gate_case{"chunked", post(chunked), "ok"},
        gate_case{"chunked in another case", post("transfer-encoding: CHUNKED\r\n"), "ok"},
        gate_case{"chunked GET", "GET / HTTP/1.1\r\nHost: a\r\n" + chunked + "\r\n", "bad_request"},
        gate_case{"gzip before a length", post("Transfer-Encoding: gzip\r\n" + length), "bad_request"},
        gate_case{"gzip behind a length", post(length + "Transfer-Encoding: gzip\r\n"), "bad_request"},
        gate_case{"unknown coding and a length", post("Transfer-Encoding: xchunked\r\n" + length),
                  "bad_request"},
        gate_case{"empty coding and a length", post("Transfer-Encoding:\r\n" + length), "bad_request"},
        gate_case{"identity and a length", post("Transfer-Encoding: identity\r\n" + length), "bad_request"},
        gate_case{"empty coding", post("Transfer-Encoding:\r\n"), "bad_request"},
        gate_case{"chunked not last", post("Transfer-Encoding: chunked, identity\r\n"), "bad_request"},
        gate_case{"gzip, chunked", post("Transfer-Encoding: gzip, chunked\r\n"), "bad_request"},
        gate_case{"gzip and chunked in two fields", post("Transfer-Encoding: gzip\r\n" + chunked),
                  "bad_request"},
        gate_case{"chunked twice", post(chunked + chunked), "bad_request"},
        gate_case{"chunked and a length", post(chunked + length), "bad_request"},
        gate_case{"a length and chunked", post(length + chunked), "bad_request"},
        gate_case{"chunked with a parameter", post("Transfer-Encoding: chunked;a=b\r\n"), "bad_request"},
        gate_case{"chunked in HTTP/1.0", "POST / HTTP/1.0\r\nHost: a\r\n" + chunked + "\r\n", "bad_request"},
        gate_case{"vertical tab",
                  post("Transfer-Encoding: \x0b"
                       "chunked\r\n"),
                  "bad_request"},
        gate_case{"length twice, equal", post(length + length), "bad_request"},
        gate_case{"length twice, different", post(length + "Content-Length: 6\r\n"), "bad_request"},
        gate_case{"a list of lengths", post("Content-Length: 5, 5\r\n"), "bad_request"},
        gate_case{"length +5", post("Content-Length: +5\r\n"), "bad_request"},
        gate_case{"length -1", post("Content-Length: -1\r\n"), "bad_request"},
        gate_case{"length 0x5", post("Content-Length: 0x5\r\n"), "bad_request"},
        gate_case{"length 5_0", post("Content-Length: 5_0\r\n"), "bad_request"},
        gate_case{"length 5.0", post("Content-Length: 5.0\r\n"), "bad_request"},
        gate_case{"length 5 5", post("Content-Length: 5 5\r\n"), "bad_request"},
        gate_case{"length empty", post("Content-Length:\r\n"), "bad_request"},
        gate_case{"length 2^64+5", post("Content-Length: 18446744073709551621\r\n"), "bad_request"},
        gate_case{"length at the limit", post("Content-Length: 1000\r\n"), "ok"},
        gate_case{"length above the limit", post("Content-Length: 1001\r\n"), "too_large"},
        gate_case{"length of 2^64-1", post("Content-Length: 18446744073709551615\r\n"), "too_large"},
        gate_case{"GET", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "ok"},
        gate_case{"GET of length 0", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", "ok"},
        gate_case{"GET with a body", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n", "bad_request"},
        gate_case{"HEAD with a body", "HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n",
                  "bad_request"}));

INSTANTIATE_TEST_SUITE_P(
    lines, gate_test,
    testing::Values(
        gate_case{"empty", "", "bad_request"}, gate_case{"an empty line", "\r\n", "bad_request"},
        gate_case{"an empty line in front", "\r\n" + post(length), "bad_request"},
        gate_case{"folded value", post("X-A: b\r\n c\r\n" + length), "bad_request"},
        gate_case{"folded length", post("Content-Length:\r\n 5\r\n"), "bad_request"},
        gate_case{"folded coding", post("Transfer-Encoding:\r\n\tchunked\r\n"), "bad_request"},
        gate_case{"folded first field", "POST / HTTP/1.1\r\n Host: a\r\n" + length + "\r\n", "bad_request"},
        gate_case{"blank before the colon", post("Content-Length : 5\r\n"), "bad_request"},
        gate_case{"tab before the colon", post("Content-Length\t: 5\r\n"), "bad_request"},
        gate_case{"no colon", post("Garbage\r\n" + length), "bad_request"},
        gate_case{"no name", post(": a\r\n" + length), "bad_request"},
        gate_case{"name beyond ASCII", post("X-\xc3\xab: a\r\n" + length), "bad_request"},
        gate_case{"name in brackets", post("X[a]: a\r\n" + length), "bad_request"},
        gate_case{"NUL in a value", post(std::string("X-A: a\0b\r\n", 10) + length), "bad_request"},
        gate_case{"bare CR in a value", post("X-A: a\rb\r\n" + length), "bad_request"},
        gate_case{"bare CR before the line's end", post("X-A: a\r\r\n" + length), "bad_request"},
        gate_case{"bare LF in a value", post("X-A: a\nb\r\n" + length), "bad_request"},
        gate_case{"escape in a value", post("X-A: \x1b[0m\r\n" + length), "bad_request"},
        gate_case{"DEL in a value", post("X-A: \x7f\r\n" + length), "bad_request"},
        gate_case{"tab in a value", post("X-A: a\tb\r\n" + length), "ok"},
        gate_case{"UTF-8 in a value", post("X-A: \xc3\xab\r\n" + length), "ok"},
        gate_case{"empty value", post("X-A:\r\n" + length), "ok"},
        gate_case{"PROXY v1", "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n" + post(length), "bad_request"},
        gate_case{"bytes behind the end", post(length) + "x", "bad_request"},
        gate_case{"no end", "POST / HTTP/1.1\r\nHost: a\r\n", "bad_request"}));

std::string request_line(const std::string& line)
{
    return line + "\r\nHost: a\r\nContent-Length: 0\r\n\r\n";
}

INSTANTIATE_TEST_SUITE_P(
    request_line, gate_test,
    testing::Values(gate_case{"HTTP/0.9", "GET /\r\n\r\n", "bad_request"},
                    gate_case{"HTTP/1.0", request_line("POST / HTTP/1.0"), "ok"},
                    gate_case{"HTTP/1.2", request_line("POST / HTTP/1.2"), "bad_request"},
                    gate_case{"HTTP/2.0", request_line("POST / HTTP/2.0"), "bad_request"},
                    gate_case{"HTTP/11", request_line("POST / HTTP/11"), "bad_request"},
                    gate_case{"http/1.1", request_line("POST / http/1.1"), "bad_request"},
                    gate_case{"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\n", "bad_request"},
                    gate_case{"two blanks", request_line("POST  / HTTP/1.1"), "bad_request"},
                    gate_case{"tab", request_line("POST\t/ HTTP/1.1"), "bad_request"},
                    gate_case{"blank behind", request_line("POST / HTTP/1.1 "), "bad_request"},
                    gate_case{"no method", request_line(" / HTTP/1.1"), "bad_request"},
                    gate_case{"no target", request_line("POST  HTTP/1.1"), "bad_request"},
                    gate_case{"bracket in the method", request_line("PO(ST / HTTP/1.1"), "bad_request"},
                    gate_case{"method of its own", request_line("PURGE / HTTP/1.1"), "ok"},
                    gate_case{"absolute form", request_line("POST http://a/ HTTP/1.1"), "bad_request"},
                    gate_case{"authority form", request_line("CONNECT a:443 HTTP/1.1"), "bad_request"},
                    gate_case{"asterisk form", request_line("OPTIONS * HTTP/1.1"), "bad_request"},
                    gate_case{"fragment", request_line("POST /a#b HTTP/1.1"), "bad_request"},
                    gate_case{"target beyond ASCII", request_line("POST /\xc3\xab HTTP/1.1"), "bad_request"},
                    gate_case{"control in the target", request_line("POST /a\x01 HTTP/1.1"), "bad_request"},
                    gate_case{"query", request_line("POST /a?b=c&d HTTP/1.1"), "ok"}));

std::string with_host(const std::string& headers, const std::string& version = "1.1")
{
    return "POST / HTTP/" + version + "\r\n" + headers + "Content-Length: 0\r\n\r\n";
}

INSTANTIATE_TEST_SUITE_P(
    fields, gate_test,
    testing::Values(
        gate_case{"no host", with_host(""), "bad_request"},
        gate_case{"no host in 1.0", with_host("", "1.0"), "ok"},
        gate_case{"two hosts", with_host("Host: a\r\nHost: b\r\n"), "bad_request"},
        gate_case{"the same host twice", with_host("Host: a\r\nHost: a\r\n"), "bad_request"},
        gate_case{"two hosts in 1.0", with_host("Host: a\r\nHost: a\r\n", "1.0"), "bad_request"},
        gate_case{"empty host", with_host("Host:\r\n"), "bad_request"},
        gate_case{"bad host in 1.0", with_host("Host: a/b\r\n", "1.0"), "bad_request"},
        gate_case{"host with a path", with_host("Host: a/b\r\n"), "bad_request"},
        gate_case{"host with a user", with_host("Host: u@a\r\n"), "bad_request"},
        gate_case{"host with a blank", with_host("Host: a b\r\n"), "bad_request"},
        gate_case{"list of hosts", with_host("Host: a,b\r\n"), "bad_request"},
        gate_case{"host and port", with_host("Host: hooks.example.com:8443\r\n"), "ok"},
        gate_case{"host and no digits", with_host("Host: a:b\r\n"), "bad_request"},
        gate_case{"host and two ports", with_host("Host: a:1:2\r\n"), "bad_request"},
        gate_case{"host and a long port", with_host("Host: a:123456\r\n"), "bad_request"},
        gate_case{"port alone", with_host("Host: :80\r\n"), "bad_request"},
        gate_case{"IPv4", with_host("Host: 192.0.2.1\r\n"), "ok"},
        gate_case{"IPv6", with_host("Host: [2001:db8::1]:443\r\n"), "ok"},
        gate_case{"IPv6 without brackets", with_host("Host: 2001:db8::1\r\n"), "bad_request"},
        gate_case{"IPv6 not closed", with_host("Host: [2001:db8::1\r\n"), "bad_request"},
        gate_case{"nothing in brackets", with_host("Host: []\r\n"), "bad_request"},
        gate_case{"a name in brackets", with_host("Host: [localhost]\r\n"), "bad_request"},
        gate_case{"more behind the brackets", with_host("Host: [::1]a\r\n"), "bad_request"},
        gate_case{"identity", post(length + "Content-Encoding: identity\r\n"), "ok"},
        gate_case{"gzip", post(length + "Content-Encoding: gzip\r\n"), "encoding"},
        gate_case{"identity, gzip", post(length + "Content-Encoding: identity, gzip\r\n"), "encoding"},
        gate_case{"encoding twice",
                  post(length + "Content-Encoding: identity\r\nContent-Encoding: identity\r\n"),
                  "bad_request"},
        gate_case{"100-continue", post(length + "Expect: 100-Continue\r\n"), "ok"},
        gate_case{"other expectation", post(length + "Expect: 200-ok\r\n"), "expectation"},
        gate_case{"empty expectation", post(length + "Expect:\r\n"), "expectation"},
        gate_case{"expectation twice", post(length + "Expect: 100-continue\r\nExpect: 100-continue\r\n"),
                  "bad_request"},
        gate_case{"expectation in 1.0", with_host("Expect: 200-ok\r\n", "1.0"), "ok"},
        gate_case{"authorization twice", post(length + "Authorization: a\r\nAuthorization: a\r\n"),
                  "bad_request"}));

TEST(read_head, gives_what_was_sent)
{
    const std::string sent = "POST /webhooks/acme?signature=ab&x HTTP/1.1\r\n"
                             "Host: hooks.example.com:8443\r\n"
                             "Content-Length: 0042\r\n"
                             "Expect: 100-continue\r\n"
                             "Authorization: Bearer token\r\n"
                             "X-CHARGIFY-webhook-signature-hmac-sha-256: \t one \t\r\n"
                             "x-chargify-webhook-signature-hmac-sha-256: two\r\n"
                             "X-Chargify-Webhook-Signature: legacy\r\n"
                             "X-Forwarded-For: a, b\r\n"
                             "x-forwarded-for: c\r\n"
                             "x-request-ID: 5f-1\r\n"
                             "\r\n";
    request_head head;
    ASSERT_FALSE(read_head(sent, limits, head));
    EXPECT_EQ(head.method, "POST");
    EXPECT_EQ(head.path, "/webhooks/acme");
    EXPECT_EQ(head.query, "signature=ab&x");
    EXPECT_EQ(head.host, "hooks.example.com:8443");
    EXPECT_EQ(head.authorization, "Bearer token");
    EXPECT_EQ(head.signature, "one");
    EXPECT_EQ(head.signatures, 2U);
    EXPECT_EQ(head.forwarded_for, (std::vector<std::string_view>{"a, b", "c"}));
    EXPECT_EQ(head.request_id, "5f-1");
    EXPECT_EQ(head.content_length, 42U);
    EXPECT_TRUE(head.expects_continue);
    EXPECT_TRUE(head.keep_alive);
}

TEST(read_head, takes_no_name_of_a_request_that_has_two)
{
    request_head head;
    ASSERT_FALSE(read_head(post(length + "X-Request-Id: a\r\nX-Request-Id: a\r\n"), limits, head));
    EXPECT_EQ(head.request_id, "");
}

TEST(read_head, keeps_nothing_of_the_head_before)
{
    request_head head;
    ASSERT_FALSE(read_head(post(length + "Expect: 100-continue\r\nX-Forwarded-For: a\r\n"), limits, head));
    ASSERT_FALSE(read_head("GET / HTTP/1.1\r\nHost: a\r\n\r\n", limits, head));
    EXPECT_EQ(head.content_length, 0U);
    EXPECT_FALSE(head.expects_continue);
    EXPECT_TRUE(head.forwarded_for.empty());
}

TEST(read_head, knows_who_stays_connected)
{
    const auto stays = [](const std::string& version, const std::string& headers) {
        request_head head;
        EXPECT_FALSE(read_head("GET / HTTP/" + version + "\r\nHost: a\r\n" + headers + "\r\n", limits, head));
        return head.keep_alive;
    };
    EXPECT_TRUE(stays("1.1", ""));
    EXPECT_TRUE(stays("1.1", "Connection: keep-alive\r\n"));
    EXPECT_FALSE(stays("1.1", "Connection: close\r\n"));
    EXPECT_FALSE(stays("1.1", "Connection: Upgrade, Close\r\n"));
    EXPECT_FALSE(stays("1.1", "Connection: upgrade\r\nConnection: close\r\n"));
    EXPECT_FALSE(stays("1.0", ""));
    EXPECT_TRUE(stays("1.0", "Connection: keep-alive\r\n"));
}

TEST(read_head, ignores_expectations_in_http_1_0)
{
    request_head head;
    ASSERT_FALSE(read_head(with_host("Expect: 100-continue\r\n", "1.0"), limits, head));
    EXPECT_FALSE(head.expects_continue);
}

TEST(read_head, counts_fields)
{
    std::string fields;
    for (std::size_t i = 2; i < limits.max_header_fields; ++i)
        fields += "X-A: b\r\n";
    EXPECT_EQ(verdict(post(length + fields)), "ok");
    EXPECT_EQ(verdict(post(length + fields + "X-A: b\r\n")), "header_too_large");
}

TEST(head_scanner, finds_the_end_in_any_pieces)
{
    const auto head = post(length);
    const auto all = head + "body\r\n\r\n";
    for (std::size_t first = 0; first <= all.size(); ++first) {
        head_scanner scanner;
        const bool whole = first >= head.size();
        ASSERT_EQ(scanner.scan(all.substr(0, first)),
                  whole ? head_scanner::outcome::complete : head_scanner::outcome::more)
            << first;
        if (!whole) {
            ASSERT_EQ(scanner.scan(all), head_scanner::outcome::complete) << first;
        }
        ASSERT_EQ(scanner.length(), head.size());
    }
}

TEST(head_scanner, finds_the_end_byte_by_byte)
{
    const auto head = post(length);
    head_scanner scanner;
    for (std::size_t have = 1; have < head.size(); ++have)
        ASSERT_EQ(scanner.scan(std::string_view(head).substr(0, have)), head_scanner::outcome::more) << have;
    EXPECT_EQ(scanner.scan(head), head_scanner::outcome::complete);
}

TEST(head_scanner, refuses_early)
{
    using outcome = head_scanner::outcome;
    const auto scanned = [](std::string_view bytes) { return head_scanner().scan(bytes); };
    EXPECT_EQ(scanned("\x16\x03\x01"), outcome::malformed);         // TLS
    EXPECT_EQ(scanned("\r\n\r\n\0\r\nQUIT\n"), outcome::malformed); // PROXY v2
    EXPECT_EQ(scanned("\n"), outcome::malformed);
    EXPECT_EQ(scanned(" POST"), outcome::malformed);
    EXPECT_EQ(scanned("POST / HTTP/1.1\nHost"), outcome::malformed);
    EXPECT_EQ(scanned("POST / HTTP/1.1\r\nHost: a\n"), outcome::malformed);
    EXPECT_EQ(scanned("POST / HTTP/1.1\r\nHost: a\r\n"), outcome::more);
    EXPECT_EQ(scanned(""), outcome::more);
}

TEST(head_scanner, refuses_a_bare_lf_that_begins_a_piece)
{
    head_scanner scanner;
    ASSERT_EQ(scanner.scan("GET / HTTP/1.1"), head_scanner::outcome::more);
    EXPECT_EQ(scanner.scan("GET / HTTP/1.1\n"), head_scanner::outcome::malformed);
}

TEST(refusal, has_a_name_each)
{
    std::vector<std::string_view> names;
    for (const auto reason : all_refusals)
        names.push_back(name_of(reason));
    EXPECT_EQ(names,
              (std::vector<std::string_view>{"bad_request", "too_large", "header_too_large", "no_length",
                                             "slow", "not_found", "method", "encoding", "expectation"}));
}

} // namespace
} // namespace chargifyd::ingress
