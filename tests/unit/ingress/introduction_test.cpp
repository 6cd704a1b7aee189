#include "server_fixture.hpp"

#include <chrono>

namespace chargifyd::ingress {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using test::client;
using test::get;
using test::webhook;

const std::string line = "PROXY TCP4 203.0.113.5 192.0.2.1 4444 443\r\n";
const std::string signature("\r\n\r\n\0\r\nQUIT\n", 12);
const std::string binary = signature + "\x21\x11\0\x0C\xCB\x00\x71\x05\xC0\x00\x02\x01\x11\x5C\x01\xBB"s;
const std::string binary_v6 = signature + "\x21\x21\0\x24"s + "\x20\x01\x0D\xB8\0\0\0\0\0\0\0\0\0\0\0\x09"s +
                              "\x20\x01\x0D\xB8\0\0\0\0\0\0\0\0\0\0\0\x01\x11\x5C\x01\xBB"s;
const std::string local = signature + "\x20\0\0\0"s;

/// A server that this machine's connections are introduced to, as by a load balancer.
class introduction_test : public test::server_test {
protected:
    introduction_test()
    {
        with.trusted_proxies = {"127.0.0.0/8", "10.0.0.0/8"};
        with.proxy_protocol = true;
    }
    client plain() const { return client(server->http_addresses().at(0)); }
    client secure() const { return client(server->https_addresses().at(0)); }
    std::string errors(const std::string& reason) const
    {
        return metric("chargifyd_proxy_header_errors_total{reason=\"" + reason + "\"}");
    }
    /// Whether a connection ended without a word.
    static bool was_closed(client& c) { return c.rest() == ""; }
};

TEST_F(introduction_test, names_the_peer)
{
    start();
    for (const auto& header : {line, binary, binary_v6, local, "PROXY UNKNOWN\r\n"s}) {
        auto c = plain();
        EXPECT_EQ(c.ask(header + webhook("id=" + std::to_string(stored().size()))).status, 200U);
    }
    ASSERT_EQ(stored().size(), 5U);
    EXPECT_EQ(stored()[0].peer, "203.0.113.5");
    EXPECT_EQ(stored()[1].peer, "203.0.113.5");
    EXPECT_EQ(stored()[2].peer, "2001:db8::9");
    EXPECT_EQ(stored()[3].peer, "127.0.0.1");
    EXPECT_EQ(stored()[4].peer, "127.0.0.1");
}

TEST_F(introduction_test, takes_nothing_of_the_handshake_behind_it)
{
    start();
    for (const auto& header : {line, binary, local}) {
        auto together = secure();
        ASSERT_TRUE(together.start_tls({}, header));
        EXPECT_EQ(together.ask(webhook("id=" + std::to_string(stored().size()))).status, 200U);
        auto in_two = secure();
        ASSERT_TRUE(in_two.send(header));
        ASSERT_TRUE(in_two.start_tls());
        EXPECT_EQ(in_two.ask(webhook("id=" + std::to_string(stored().size()))).status, 200U);
    }
    ASSERT_EQ(stored().size(), 6U);
    EXPECT_EQ(stored()[0].peer, "203.0.113.5");
    EXPECT_EQ(stored()[3].peer, "203.0.113.5");
    EXPECT_EQ(stored()[4].peer, "127.0.0.1");
}

TEST_F(introduction_test, takes_single_bytes)
{
    start();
    for (const auto& header : {line, binary}) {
        auto c = plain();
        for (const char byte : header + get("/healthz"))
            ASSERT_TRUE(c.send({&byte, 1}));
        EXPECT_EQ(c.receive().status, 200U);
        auto over_tls = secure();
        for (const char byte : header)
            ASSERT_TRUE(over_tls.send({&byte, 1}));
        EXPECT_TRUE(over_tls.start_tls());
    }
}

TEST_F(introduction_test, introduces_a_connection_once)
{
    start();
    auto c = plain();
    EXPECT_EQ(c.ask(line + get("/healthz")).status, 200U);
    EXPECT_EQ(c.ask(get("/healthz")).status, 200U);
    EXPECT_EQ(c.ask(line + get("/healthz")).status, 400U);
    auto twice = plain();
    EXPECT_EQ(twice.ask(line + line + get("/healthz")).status, 400U);
    auto twice_secure = secure();
    EXPECT_FALSE(twice_secure.start_tls({}, line + line));
    EXPECT_EQ(errors("malformed"), "0");
}

TEST_F(introduction_test, closes_without_an_answer_what_does_not_begin_with_it)
{
    start();
    int count = 0;
    for (const auto& bytes : {get("/healthz"), webhook("id=1"),
                              "PROXY TCP4 203.0.113.5 192.0.2.1 04444 443\r\n" + webhook("id=1"),
                              "PROXY TCP4 203.0.113.5 192.0.2.1 4444 443\n" + webhook("id=1"),
                              std::string(200, 'P'), signature + "\x21\x31\0\0"s, "\x16\x03\x01"s}) {
        auto c = plain();
        c.send(bytes);
        EXPECT_TRUE(was_closed(c)) << testing::PrintToString(bytes);
        auto s = secure();
        s.send(bytes);
        EXPECT_TRUE(was_closed(s)) << testing::PrintToString(bytes);
        count += 2;
    }
    EXPECT_FALSE(secure().start_tls());
    await_connections(0);
    EXPECT_EQ(errors("malformed"), std::to_string(count + 1));
    EXPECT_TRUE(stored().empty());
    EXPECT_EQ(metric("chargifyd_tls_handshake_failures_total"), "0");
}

TEST_F(introduction_test, does_nothing_before_the_whole_of_it_came)
{
    start();
    auto c = plain();
    c.send(binary.substr(0, binary.size() - 1));
    c.finish_sending();
    EXPECT_TRUE(was_closed(c));
    await_connections(0);
    EXPECT_EQ(errors("cut_off"), "1");
    auto only_looks = plain();
    only_looks.finish_sending();
    EXPECT_TRUE(was_closed(only_looks));
    await_connections(0);
    EXPECT_EQ(errors("cut_off"), "1");
}

TEST_F(introduction_test, has_a_deadline)
{
    with.handshake_timeout = 50ms;
    start();
    auto begun = plain();
    begun.send("PROXY TCP4");
    auto silent = secure();
    EXPECT_TRUE(was_closed(begun));
    EXPECT_TRUE(was_closed(silent));
    await_connections(0);
    EXPECT_EQ(errors("slow"), "1"); // who says nothing may have a client that says nothing
}

TEST_F(introduction_test, ends_with_the_server_while_it_waits)
{
    start();
    auto begun = plain();
    begun.send("PROXY TCP4");
    auto silent = secure();
    await_connections(2);
    server->drain(1h);
    EXPECT_TRUE(was_closed(begun));
    EXPECT_TRUE(was_closed(silent));
    EXPECT_EQ(errors("slow"), "0");
}

TEST_F(introduction_test, is_not_taken_from_anyone_else)
{
    with.trusted_proxies = {"10.0.0.0/8"};
    start();
    for (const auto& header : {line, binary, local}) {
        auto c = plain();
        EXPECT_EQ(c.ask(header + webhook("id=1")).status, 400U);
        auto s = secure();
        EXPECT_FALSE(s.start_tls({}, header));
    }
    EXPECT_TRUE(stored().empty());
    EXPECT_EQ(http().ask(webhook("id=2")).status, 200U);
    EXPECT_EQ(https().ask(webhook("id=3")).status, 200U);
    EXPECT_EQ(stored().at(0).peer, "127.0.0.1");
    EXPECT_EQ(errors("malformed"), "0");
}

TEST_F(introduction_test, is_not_taken_when_it_is_off)
{
    with.proxy_protocol = false;
    start();
    for (const auto& header : {line, binary, local}) {
        auto c = plain();
        EXPECT_EQ(c.ask(header + webhook("id=1")).status, 400U);
        auto s = secure();
        EXPECT_FALSE(s.start_tls({}, header));
    }
    EXPECT_TRUE(stored().empty());
    EXPECT_EQ(http().ask(webhook("id=2")).status, 200U);
}

TEST_F(introduction_test, decides_whether_forwarded_addresses_are_believed)
{
    start();
    const std::string forwarded = "X-Forwarded-For: 198.51.100.7\r\n";
    EXPECT_EQ(plain().ask(line + webhook("id=1", forwarded)).status, 200U);
    EXPECT_EQ(plain().ask("PROXY TCP4 10.1.2.3 192.0.2.1 1 2\r\n" + webhook("id=2", forwarded)).status, 200U);
    EXPECT_EQ(plain().ask(local + webhook("id=3", forwarded)).status, 200U);
    ASSERT_EQ(stored().size(), 3U);
    EXPECT_EQ(stored()[0].peer, "203.0.113.5");
    EXPECT_EQ(stored()[1].peer, "198.51.100.7");
    EXPECT_EQ(stored()[2].peer, "198.51.100.7");
}

TEST_F(introduction_test, decides_whose_share_of_the_quarantine_is_used)
{
    sites[0].quarantines = true;
    quarantine_with.max_webhooks_per_source = 1;
    start();
    const auto from = [this](const std::string& address, const std::string& body) {
        const auto header = "PROXY TCP4 " + address + " 192.0.2.1 1 2\r\n";
        return plain().ask(header + webhook(body, "", "/webhooks", "another key")).status;
    };
    EXPECT_EQ(from("203.0.113.5", "id=1"), 200U);
    EXPECT_EQ(from("203.0.113.5", "id=2"), 401U);
    EXPECT_EQ(from("203.0.113.6", "id=3"), 200U);
}

TEST_F(introduction_test, logs_seldom_and_never_what_was_sent)
{
    testing::internal::CaptureStderr();
    start();
    for (int i = 0; i < 5; ++i) {
        auto c = plain();
        c.send("canary-bytes\r\n");
        EXPECT_TRUE(was_closed(c));
    }
    await_connections(0);
    const auto logged = testing::internal::GetCapturedStderr();
    const auto at = logged.find("did not begin its connection with a PROXY header");
    EXPECT_NE(at, std::string::npos) << logged;
    EXPECT_EQ(logged.find("did not begin", at + 1), std::string::npos) << logged;
    EXPECT_NE(logged.find("127.0.0.1"), std::string::npos) << logged;
    EXPECT_EQ(logged.find("canary"), std::string::npos) << logged;
}

} // namespace
} // namespace chargifyd::ingress
