#include "test_server.hpp"

#include "chargifyd/chargify/signature.hpp"
#include "chargifyd/simulate/sender.hpp"

namespace chargifyd::simulate {
namespace {

using namespace std::chrono_literals;
using action = test_server::action;
using request = test_server::request;

webhook example(std::int64_t id = 7)
{
    webhook w;
    w.id = id;
    w.event = "test";
    w.body = "id=" + std::to_string(id) + "&event=test&payload[chargify]=testing";
    return w;
}

target to(const test_server& server, const std::string& path = "/webhooks/acme")
{
    target t;
    t.url = server.url(path);
    t.shared_key = secret("key");
    return t;
}

sender make(target t)
{
    auto made = sender::make(std::move(t));
    EXPECT_TRUE(made);
    return std::move(*made);
}

action always_ok(const request&)
{
    return {};
}

TEST(sender, posts_a_signed_webhook)
{
    test_server server(always_ok);
    sender s = make(to(server));
    const attempt a = s.post(example());
    EXPECT_EQ(a.status, 200U);
    EXPECT_EQ(a.failure, "");
    const auto got = server.requests();
    ASSERT_EQ(got.size(), 1U);
    EXPECT_EQ(got[0].head.rfind("POST /webhooks/acme HTTP/1.1\r\n", 0), 0U);
    EXPECT_EQ(got[0].body, example().body);
    const std::string signature = to_hex(chargify::hmac_sha256("key", example().body));
    EXPECT_NE(got[0].head.find("X-Chargify-Webhook-Signature-Hmac-Sha-256: " + signature + "\r\n"),
              std::string::npos);
    EXPECT_NE(got[0].head.find("X-Chargify-Webhook-Id: 7\r\n"), std::string::npos);
}

TEST(sender, sends_a_large_body_whole_over_tls)
{
    const test_certificate certificate("IP:127.0.0.1");
    test_server server(always_ok, &certificate);
    target t = to(server);
    t.ca_file = certificate.file();
    sender s = make(t);
    webhook w = example();
    w.body.append(300000, 'x');
    EXPECT_EQ(s.post(w).status, 200U);
    ASSERT_EQ(server.requests().size(), 1U);
    EXPECT_EQ(server.requests()[0].body, w.body);
}

TEST(sender, reports_any_status)
{
    test_server server(
        [](const request& r) { return action{test_server::status(r.number == 0 ? 401 : 503)}; });
    sender s = make(to(server));
    EXPECT_EQ(s.post(example()).status, 401U);
    EXPECT_EQ(s.post(example()).status, 503U);
}

TEST(sender, keeps_its_connection)
{
    test_server server(always_ok);
    sender s = make(to(server));
    for (int i = 0; i < 5; ++i)
        EXPECT_EQ(s.post(example(i)).status, 200U);
    EXPECT_EQ(server.connections(), 1U);
}

TEST(sender, closes_when_the_server_says_so)
{
    test_server server([](const request&) {
        return action{"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", action::close};
    });
    sender s = make(to(server));
    EXPECT_EQ(s.post(example()).status, 200U);
    EXPECT_EQ(s.post(example()).status, 200U);
    EXPECT_EQ(server.connections(), 2U);
}

void expect_one_new_connection(const test_certificate* certificate)
{
    // Closes without announcing it, as a server does whose patience with an idle connection is over.
    test_server server([](const request&) { return action{test_server::ok(), action::close}; }, certificate);
    target t = to(server);
    t.insecure = true;
    sender s = make(t);
    EXPECT_EQ(s.post(example(1)).status, 200U);
    const attempt second = s.post(example(2));
    EXPECT_EQ(second.status, 200U) << second.failure;
    EXPECT_EQ(server.connections(), 2U);
}

TEST(sender, opens_a_connection_anew_that_was_closed_meanwhile)
{
    expect_one_new_connection(nullptr);
}

TEST(sender, opens_a_tls_connection_anew_that_was_closed_meanwhile)
{
    const test_certificate certificate("IP:127.0.0.1");
    expect_one_new_connection(&certificate);
}

TEST(sender, does_not_repeat_on_a_fresh_connection)
{
    test_server server([](const request&) { return action{"", action::close}; });
    sender s = make(to(server));
    const attempt a = s.post(example());
    EXPECT_EQ(a.status, 0U);
    EXPECT_NE(a.failure.find("closed the connection before it had answered"), std::string::npos) << a.failure;
    EXPECT_EQ(server.requests().size(), 1U);
}

TEST(sender, does_not_repeat_once_an_answer_has_begun)
{
    test_server server([](const request& r) {
        return r.number == 0 ? action{} : action{"HTTP/1.1 200 OK\r\nContent-Le", action::close};
    });
    sender s = make(to(server));
    EXPECT_EQ(s.post(example(1)).status, 200U);
    EXPECT_EQ(s.post(example(2)).status, 0U);
    EXPECT_EQ(server.requests().size(), 2U);
}

TEST(sender, gives_up_at_its_timeout_and_goes_on_afterwards)
{
    test_server server([](const request& r) {
        return r.connection == 0 ? action{"HTTP/1.1 200 OK\r\n", action::hang} : action{};
    });
    target t = to(server);
    t.timeout = 100ms;
    sender s = make(t);
    const attempt a = s.post(example(1));
    EXPECT_EQ(a.status, 0U);
    EXPECT_GE(a.took, 100ms);
    EXPECT_NE(a.failure.find("did not answer in time"), std::string::npos) << a.failure;
    // A deadline that stayed armed, or a half-read answer, would spoil the next one.
    EXPECT_EQ(s.post(example(2)).status, 200U);
    EXPECT_EQ(server.connections(), 2U);
}

TEST(sender, gives_up_at_its_timeout_during_the_handshake)
{
    boost::asio::io_context context;
    const boost::asio::ip::tcp::acceptor silent(context, {boost::asio::ip::address_v4::loopback(), 0});
    target t;
    t.url = "https://127.0.0.1:" + std::to_string(silent.local_endpoint().port()) + "/";
    t.timeout = 50ms;
    sender s = make(t);
    EXPECT_NE(s.post(example()).failure.find("did not answer in time"), std::string::npos);
}

TEST(sender, reads_any_valid_framing)
{
    const std::vector<std::string> answers = {
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 20000\r\n\r\n" + std::string(20000, 'x'),
        "HTTP/1.0 200 OK\r\n\r\nuntil the end",
    };
    test_server server([&answers](const request& r) {
        const std::size_t number = std::stoul(r.body.substr(3));
        return action{answers[number], number == 3 ? action::close : action::keep};
    });
    sender s = make(to(server));
    for (std::int64_t i = 0; i < 4; ++i) {
        const attempt a = s.post(example(i));
        EXPECT_EQ(a.status, 200U) << i << a.failure;
    }
    EXPECT_EQ(server.connections(), 1U);
}

TEST(sender, does_not_believe_bytes_after_an_answer)
{
    test_server server([](const request&) { return action{test_server::ok() + test_server::status(500)}; });
    sender s = make(to(server));
    EXPECT_EQ(s.post(example(1)).status, 200U);
    EXPECT_EQ(s.post(example(2)).status, 200U);
    EXPECT_EQ(server.connections(), 2U);
}

TEST(sender, names_an_answer_that_is_not_http)
{
    test_server server([](const request&) { return action{"SSH-2.0-x\r\n\r\n", action::close}; });
    sender s = make(to(server));
    const attempt a = s.post(example());
    EXPECT_EQ(a.status, 0U);
    EXPECT_NE(a.failure.find("not valid HTTP"), std::string::npos) << a.failure;
}

TEST(sender, says_when_nobody_listens)
{
    target t;
    t.url = "http://127.0.0.1:" + closed_port() + "/webhooks/acme?signature=private";
    sender s = make(t);
    const attempt a = s.post(example());
    EXPECT_EQ(a.status, 0U);
    EXPECT_NE(a.failure.find("cannot connect to 127.0.0.1:"), std::string::npos) << a.failure;
    EXPECT_EQ(a.failure.find("private"), std::string::npos) << a.failure;
}

TEST(sender, refuses_a_certificate_nobody_vouches_for)
{
    const test_certificate certificate("IP:127.0.0.1");
    test_server server(always_ok, &certificate);
    sender s = make(to(server));
    const attempt a = s.post(example());
    EXPECT_EQ(a.status, 0U);
    EXPECT_NE(a.failure.find("certificate of 127.0.0.1"), std::string::npos) << a.failure;
    EXPECT_TRUE(server.requests().empty());
}

TEST(sender, accepts_it_when_told_to)
{
    const test_certificate certificate("DNS:other.example");
    test_server server(always_ok, &certificate);
    target t = to(server);
    t.insecure = true;
    EXPECT_EQ(make(t).post(example()).status, 200U);
}

TEST(sender, checks_the_host_of_a_trusted_certificate)
{
    const test_certificate certificate("DNS:other.example,IP:192.0.2.1");
    test_server server(always_ok, &certificate);
    for (const char* host : {"127.0.0.1", "localhost"}) {
        target t = to(server);
        t.url = server.url("/", host);
        t.ca_file = certificate.file();
        const attempt a = make(t).post(example());
        EXPECT_EQ(a.status, 0U) << host;
        EXPECT_NE(a.failure.find("mismatch"), std::string::npos) << a.failure;
    }
    EXPECT_TRUE(server.requests().empty());
}

TEST(sender, accepts_the_host_a_certificate_names)
{
    const test_certificate certificate("DNS:localhost");
    test_server server(always_ok, &certificate);
    target t = to(server);
    t.url = server.url("/", "localhost");
    t.ca_file = certificate.file();
    const attempt a = make(t).post(example());
    EXPECT_EQ(a.status, 200U) << a.failure;
}

TEST(sender, refuses_a_target_that_cannot_work)
{
    target t;
    t.url = "ftp://h/";
    EXPECT_EQ(sender::make(t).error().code, errc::invalid);
    t.url = "https://h/";
    t.ca_file = "/nonexistent/authorities.pem";
    const auto made = sender::make(t);
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, errc::invalid);
    EXPECT_NE(made.error().message.find("/nonexistent/authorities.pem"), std::string::npos);
}

} // namespace
} // namespace chargifyd::simulate
