#include "ingress/request_id.hpp"
#include "ingress/session.hpp"
#include "server_fixture.hpp"

#include <sstream>
#include <thread>

namespace chargifyd::ingress {
namespace {

using namespace std::chrono_literals;
using test::client;
using test::get;
using test::length_of;
using test::post;
using test::signature_of;
using test::webhook;

class session_test : public test::server_test {};

TEST_F(session_test, keeps_the_connection)
{
    start();
    auto c = http();
    for (int i = 0; i < 3; ++i) {
        const auto got = c.ask(webhook("id=" + std::to_string(i)));
        EXPECT_EQ(got.status, 200U);
        EXPECT_EQ(got.header("Connection"), "keep-alive");
    }
    EXPECT_EQ(stored().size(), 3U);
    EXPECT_EQ(metric("chargifyd_connections_total"), "1");
}

TEST_F(session_test, closes_when_asked_to)
{
    start();
    auto c = http();
    const auto got = c.ask(webhook("id=1", "Connection: close\r\n"));
    EXPECT_EQ(got.status, 200U);
    EXPECT_EQ(got.header("Connection"), "close");
    EXPECT_EQ(c.rest(), "");
}

TEST_F(session_test, serves_http_1_0)
{
    start();
    auto once = http();
    EXPECT_EQ(once.ask("GET /healthz HTTP/1.0\r\n\r\n").header("Connection"), "close");
    EXPECT_EQ(once.rest(), "");
    auto kept = http();
    EXPECT_EQ(kept.ask("GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").header("Connection"),
              "keep-alive");
    EXPECT_EQ(kept.ask(get("/healthz")).status, 200U);
}

TEST_F(session_test, answers_pipelined_requests_in_order)
{
    start();
    auto c = http();
    c.send(get("/healthz") + webhook("id=1") + "HEAD /healthz HTTP/1.1\r\nHost: a\r\n\r\n" + webhook("id=2") +
           post(length_of("x"), "x"));
    EXPECT_EQ(c.receive().body, "ok\n");
    EXPECT_EQ(c.receive().status, 200U);
    const auto head = c.receive(true);
    EXPECT_EQ(head.status, 200U);
    EXPECT_EQ(head.header("Content-Length"), "3");
    EXPECT_EQ(c.receive().status, 200U);
    EXPECT_EQ(c.receive().status, 401U);
    ASSERT_EQ(stored().size(), 2U);
    EXPECT_EQ(stored()[0].body, "id=1");
    EXPECT_EQ(stored()[1].body, "id=2");
}

TEST_F(session_test, answers_pipelined_requests_over_tls)
{
    start();
    auto c = https();
    c.send(webhook("id=1") + webhook("id=2"));
    EXPECT_EQ(c.receive().status, 200U);
    EXPECT_EQ(c.receive().status, 200U);
    EXPECT_EQ(stored().size(), 2U);
}

TEST_F(session_test, reads_byte_by_byte)
{
    start();
    for (const bool secure : {false, true}) {
        auto c = secure ? https() : http();
        for (const char byte : webhook("event=renewal&id=1"))
            ASSERT_TRUE(c.send({&byte, 1}));
        EXPECT_EQ(c.receive().status, 200U);
    }
    EXPECT_EQ(stored().at(0).body, "event=renewal&id=1");
}

TEST_F(session_test, takes_bodies_of_every_size_up_to_the_limit)
{
    with.max_body_bytes = 300000;
    start();
    auto plain = http();
    auto secure = https();
    std::size_t count = 0;
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{16000}, std::size_t{16384},
                                   std::size_t{40000}, std::size_t{300000}}) {
        for (auto* c : {&plain, &secure}) {
            const std::string body(size, 'b');
            ASSERT_EQ(c->ask(webhook(body)).status, 200U) << size;
        }
        ASSERT_EQ(stored().size(), ++count);
        ASSERT_EQ(stored().back().body, std::string(size, 'b'));
    }
    EXPECT_EQ(plain.ask(webhook(std::string(300001, 'b'))).status, 413U);
}

TEST_F(session_test, puts_a_chunked_body_together)
{
    with.max_body_bytes = 100000;
    start();
    const std::string coding = "Transfer-Encoding: chunked\r\n";
    const std::string large(90000, 'x');
    const auto chunks = [](const std::string& body, std::size_t size) {
        std::ostringstream out;
        for (std::size_t at = 0; at < body.size(); at += size) {
            const std::string one = body.substr(at, size);
            out << std::hex << one.size() << "\r\n" << one << "\r\n";
        }
        return out.str() + "0\r\n\r\n";
    };
    auto c = http();
    EXPECT_EQ(c.ask(post(signature_of("id=1&a=b") + coding, chunks("id=1&a=b", 3))).status, 200U);
    EXPECT_EQ(c.ask(post(signature_of(large) + coding, chunks(large, 8192))).status, 200U);
    c.send(post(signature_of("id=2") + coding, "0004\r\nid=2\r\n0\r\n\r\n") + webhook("id=3")); // pipelined
    EXPECT_EQ(c.receive().status, 200U);
    EXPECT_EQ(c.receive().status, 200U);
    auto slow = http();
    for (const char byte : post(signature_of("id=4") + coding, chunks("id=4", 1)))
        slow.send(std::string_view(&byte, 1));
    EXPECT_EQ(slow.receive().status, 200U);
    const auto all = stored();
    ASSERT_EQ(all.size(), 5U);
    EXPECT_EQ(all[0].body, "id=1&a=b");
    EXPECT_EQ(all[1].body, large);
    EXPECT_EQ(all[3].body, "id=3");
    EXPECT_EQ(all[4].body, "id=4");
    auto waits = http();
    waits.send("POST /webhooks HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n" + signature_of("id=5") +
               coding + "\r\n");
    EXPECT_EQ(waits.receive().status, 100U);
    waits.send("4\r\nid=5\r\n0\r\n\r\n");
    EXPECT_EQ(waits.receive().status, 200U);
}

TEST_F(session_test, bounds_a_chunked_body_and_its_framing)
{
    with.max_body_bytes = 100000;
    start();
    const std::string coding = "Transfer-Encoding: chunked\r\n";
    EXPECT_EQ(http().ask(post(signature_of("") + coding, "186a1\r\n")).status, 413U);
    EXPECT_EQ(http().ask(post(signature_of("") + coding, "ffffffff\r\n")).status, 413U);
    std::string many;
    for (int i = 0; i < 20000; ++i)
        many += "1\r\nx\r\n";
    EXPECT_EQ(http().ask(post(signature_of("") + coding, many)).status, 400U);
    EXPECT_TRUE(stored().empty());
}

TEST_F(session_test, invites_a_body_that_waits)
{
    start();
    auto c = http();
    const std::string body = "id=1";
    c.send(post(signature_of(body) + length_of(body) + "Expect: 100-continue\r\n"));
    const auto invitation = c.receive();
    EXPECT_EQ(invitation.status, 100U);
    EXPECT_EQ(c.ask(body).status, 200U);
}

TEST_F(session_test, does_not_invite_a_body_that_is_there)
{
    start();
    auto c = http();
    EXPECT_EQ(c.ask(webhook("id=1", "Expect: 100-continue\r\n")).status, 200U);
}

TEST_F(session_test, does_not_invite_a_body_it_will_not_take)
{
    start();
    auto c = http();
    EXPECT_EQ(c.ask(post("Content-Length: 4\r\nExpect: 100-continue\r\n")).status, 401U);
    EXPECT_EQ(c.rest(), "");
}

struct refusal_case {
    const char* what;
    std::string request;
    unsigned status;
    const char* reason; ///< of the metric; empty: none
};

void PrintTo(const refusal_case& c, std::ostream* to)
{
    *to << c.what;
}

class refusal_test : public session_test, public testing::WithParamInterface<refusal_case> {};

TEST_P(refusal_test, is_answered_once_and_ends_the_connection)
{
    with.max_body_bytes = 1000;
    with.max_header_bytes = 2000;
    start();
    const std::string smuggled = webhook("smuggled=1");
    for (const bool secure : {false, true}) {
        auto c = secure ? https() : http();
        c.send(GetParam().request + smuggled);
        const bool to_head = GetParam().request.starts_with("HEAD");
        const auto got = c.receive(to_head);
        EXPECT_EQ(got.status, GetParam().status);
        EXPECT_EQ(got.header("Connection"), "close");
        EXPECT_EQ(got.header("Server"), "(none)");
        EXPECT_EQ(got.header("Content-Type"), "text/plain");
        EXPECT_TRUE(request_id::is_good(got.header("X-Request-Id"))) << got.head;
        EXPECT_EQ(c.rest(), "");
    }
    EXPECT_TRUE(stored().empty());
    if (*GetParam().reason != '\0') {
        EXPECT_EQ(metric("chargifyd_http_refused_total{reason=\"" + std::string(GetParam().reason) + "\"}"),
                  "2");
    }
}

INSTANTIATE_TEST_SUITE_P(
    all, refusal_test,
    testing::Values(
        refusal_case{"malformed", "GET / HTTP/9\r\n\r\n", 400, "bad_request"},
        refusal_case{"bare LF", "POST /webhooks HTTP/1.1\nHost: a\n\n", 400, "bad_request"},
        refusal_case{"TLS on a plain port", "\x16\x03\x01", 400, "bad_request"},
        refusal_case{"ambiguous", post("Transfer-Encoding: gzip\r\n" + length_of("12345"), "12345"), 400,
                     "bad_request"},
        refusal_case{"GET with a body", get("/healthz", "Content-Length: 1\r\n") + "x", 400, "bad_request"},
        refusal_case{"missing signature", post(length_of("a=b"), "a=b"), 401, ""},
        refusal_case{"wrong signature", post(signature_of("a=c") + length_of("a=b"), "a=b"), 401, ""},
        refusal_case{"malformed signature",
                     post("X-Chargify-Webhook-Signature-Hmac-Sha-256: abc\r\n" + length_of("a=b"), "a=b"),
                     401, ""},
        refusal_case{"two signatures",
                     post(signature_of("a=b") + signature_of("a=b") + length_of("a=b"), "a=b"), 401, ""},
        refusal_case{"unknown path", get("/"), 404, "not_found"},
        refusal_case{"unknown site", webhook("a=b", "", "/webhooks/other"), 404, "not_found"},
        refusal_case{"slash at the end", webhook("a=b", "", "/webhooks/"), 404, "not_found"},
        refusal_case{"dot segments", webhook("a=b", "", "/webhooks/../webhooks"), 404, "not_found"},
        refusal_case{"encoded NUL", webhook("a=b", "", "/webhooks%00"), 404, "not_found"},
        refusal_case{"HEAD of an unknown path", "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", 404, "not_found"},
        refusal_case{"GET webhooks", get("/webhooks/acme"), 405, "method"},
        refusal_case{"POST healthz", post("Content-Length: 0\r\n", "", "/healthz"), 405, "method"},
        refusal_case{"no length", post(signature_of("")), 411, "no_length"},
        refusal_case{
            "chunked with a trailer",
            post(signature_of("a=b") + "Transfer-Encoding: chunked\r\n", "3\r\na=b\r\n0\r\nX-A: a\r\n\r\n"),
            400, "bad_request"},
        refusal_case{"body too large", webhook(std::string(1001, 'x')), 413, "too_large"},
        refusal_case{"10 GiB declared", post("Content-Length: 10737418240\r\n"), 413, "too_large"},
        refusal_case{"encoded", webhook("a=b", "Content-Encoding: gzip\r\n"), 415, "encoding"},
        refusal_case{"expecting", webhook("a=b", "Expect: 200-ok\r\n"), 417, "expectation"},
        refusal_case{"long header", webhook("a=b", "X-A: " + std::string(2000, 'x') + "\r\n"), 431,
                     "header_too_large"},
        refusal_case{"endless header", "GET /" + std::string(60000, 'x'), 431, "header_too_large"},
        refusal_case{"many headers",
                     [] {
                         std::string many;
                         for (int i = 0; i < 110; ++i)
                             many += "X:\r\n";
                         return webhook("a=b", many);
                     }(),
                     431, "header_too_large"}));

TEST_F(session_test, says_which_methods_are_allowed)
{
    start();
    EXPECT_EQ(http().ask(get("/webhooks")).header("Allow"), "POST");
    EXPECT_EQ(http().ask(get("/webhooks/acme")).header("Allow"), "POST");
    EXPECT_EQ(http().ask(post("Content-Length: 0\r\n", "", "/healthz")).header("Allow"), "GET, HEAD");
}

TEST_F(session_test, reflects_nothing)
{
    start();
    for (const std::string& request :
         {get("/<canary>?<canary>"), get("/webhooks", "<canary>\r\n"), webhook("<canary>"),
          webhook("<canary>", "X-Canary: canary\r\n", "/webhooks/canary"),
          get("/healthz?canary", "X-Canary: canary\r\n")}) {
        auto c = http();
        c.send(request);
        c.finish_sending();
        const auto all = c.rest();
        ASSERT_TRUE(all);
        EXPECT_NE(all->find("HTTP/1.1 "), std::string::npos);
        EXPECT_EQ(all->find("anary"), std::string::npos) << *all;
    }
}

TEST_F(session_test, lets_the_sender_of_a_refused_body_see_the_answer)
{
    with.max_body_bytes = 1000;
    start();
    for (const bool secure : {false, true}) {
        auto c = secure ? https() : http();
        // Far more than the sockets hold: sending fails if the server closes before it has taken in the body.
        EXPECT_TRUE(c.send(webhook(std::string(900'000, 'x'))));
        EXPECT_EQ(c.receive().status, 413U);
    }
}

TEST_F(session_test, gives_up_on_a_slow_head)
{
    with.header_timeout = 50ms;
    start();
    for (const bool secure : {false, true}) {
        auto c = secure ? https() : http();
        c.send("POST /webhooks HTTP/1.1\r\n");
        const auto got = c.receive();
        EXPECT_EQ(got.status, 408U);
        EXPECT_EQ(c.rest(), "");
    }
    EXPECT_EQ(metric("chargifyd_http_refused_total{reason=\"slow\"}"), "2");
}

TEST_F(session_test, gives_up_on_a_head_that_never_stops_coming)
{
    with.header_timeout = 100ms;
    with.max_header_bytes = 1024 * 1024;
    start();
    auto c = http();
    c.send("POST /webhooks HTTP/1.1\r\nX-A: ");
    // A byte now and then: an answer can only come if that does not move the deadline.
    std::atomic<bool> answered{false};
    std::thread dripping([&c, &answered] {
        while (!answered && c.try_send("x"))
            std::this_thread::sleep_for(5ms);
    });
    EXPECT_EQ(c.receive().status, 408U);
    answered = true;
    dripping.join();
}

TEST_F(session_test, gives_up_on_a_slow_body)
{
    with.body_timeout = 50ms;
    start();
    for (const bool secure : {false, true}) {
        auto c = secure ? https() : http();
        c.send(post(signature_of("a=b") + length_of("a=b"), "a="));
        EXPECT_EQ(c.receive().status, 408U);
        EXPECT_EQ(c.rest(), "");
    }
    EXPECT_TRUE(stored().empty());
}

TEST_F(session_test, ends_idle_connections_without_a_word)
{
    with.idle_timeout = 50ms;
    start();
    EXPECT_EQ(http().rest(), "");
    EXPECT_EQ(https().rest(), "");
    auto used = http();
    EXPECT_EQ(used.ask(get("/healthz")).status, 200U);
    EXPECT_EQ(used.rest(), "");
    EXPECT_EQ(metric("chargifyd_http_refused_total{reason=\"slow\"}"), "0");
}

TEST_F(session_test, ends_handshakes_that_do_not_go_on)
{
    with.handshake_timeout = 50ms;
    start();
    client c(server->https_addresses().at(0));
    c.send("\x16\x03\x01");
    EXPECT_EQ(c.rest(), "");
    await_connections(0);
    EXPECT_EQ(metric("chargifyd_tls_handshake_failures_total"), "1");
}

TEST_F(session_test, ends_connections_that_do_not_read)
{
    with.write_timeout = 50ms;
    start();
    auto c = http();
    std::string requests;
    while (requests.size() < 64 * 1024)
        requests += get("/healthz");
    // Answers pile up until nothing can be sent in either direction.
    while (server->connections() > 0 && c.try_send(requests))
        std::this_thread::yield();
    await_connections(0);
}

TEST_F(session_test, gives_other_connections_their_turn)
{
    with.threads = 1;
    start();
    auto greedy = http();
    std::string requests;
    while (requests.size() < 64 * 1024)
        requests += get("/healthz");
    std::atomic<bool> done{false};
    std::thread asking([&greedy, &requests, &done] {
        std::string_view left;
        while (!done) {
            if (left.empty())
                left = requests;
            left.remove_prefix(greedy.try_send(left).value_or(0));
        }
    });
    std::thread reading([&greedy, &done] {
        while (!done && greedy.receive().status == 200) {
        }
    });
    for (int i = 0; i < 20; ++i)
        EXPECT_EQ(http().ask(webhook("id=" + std::to_string(i))).status, 200U);
    done = true;
    asking.join();
    greedy.finish_sending();
    reading.join();
}

TEST_F(session_test, survives_a_sender_that_leaves)
{
    start();
    for (const auto& part :
         {std::string("P"), post(signature_of("a=b") + length_of("a=b"), "a"), webhook("a=b")}) {
        client c = http();
        c.send(part);
    }
    {
        auto secure = https();
        secure.send(webhook("a=b"));
    }
    await_connections(0);
    EXPECT_EQ(http().ask(get("/healthz")).status, 200U);
}

} // namespace
} // namespace chargifyd::ingress
