#include "ingress/request_id.hpp"
#include "server_fixture.hpp"

#include "chargifyd/base/log.hpp"
#include "chargifyd/ingress/webhook_server.hpp"

#include <algorithm>
#include <cerrno>
#include <future>
#include <set>
#include <thread>

namespace chargifyd::ingress {
namespace {

using namespace std::chrono_literals;
using test::client;
using test::get;
using test::length_of;
using test::post;
using test::signature_of;
using test::site_of;
using test::webhook;

class webhook_server_test : public test::server_test {
protected:
    result<std::unique_ptr<webhook_server>> open()
    {
        auto opened = journal::log::open(journal_with, files, system_now, meters);
        EXPECT_TRUE(opened);
        inbox = std::move(*opened);
        open_quarantine();
        return webhook_server::open(with, sites, *inbox, *apart, meters, system_now);
    }
    struct told {
        std::vector<test::response> answers;
        std::string text; ///< every line, whatever its level
    };
    /// Starts and asks with `what`, and ends the server.
    template <class F>
    told log_of(F what)
    {
        log::configure(log::level::debug, log::format::text);
        testing::internal::CaptureStderr();
        told made;
        made.answers = what();
        server->drain(1h);
        made.text = testing::internal::GetCapturedStderr();
        log::configure(log::level::info, log::format::text);
        return made;
    }
    std::string webhooks(const std::string& what, const std::string& site = "acme") const
    {
        return metric("chargifyd_webhooks_total{result=\"" + what + "\",site=\"" + site + "\"}");
    }
};

TEST_F(webhook_server_test, keeps_exactly_what_was_sent)
{
    start();
    std::string body = "id=1&payload[a]=%00";
    body.push_back('\0');
    body += "\r\n\r\nGET / \xff";
    const auto before = system_now();
    EXPECT_EQ(http().ask(webhook(body)).body, "ok\n");
    const auto kept = stored();
    ASSERT_EQ(kept.size(), 1U);
    EXPECT_EQ(kept[0].body, body);
    EXPECT_EQ(kept[0].site, "acme");
    EXPECT_EQ(kept[0].peer, "127.0.0.1");
    EXPECT_EQ(kept[0].fingerprint, chargify::hmac_sha256(test::shared_key, body));
    EXPECT_GE(kept[0].received_at, before);
    EXPECT_LE(kept[0].received_at, system_now());
    server->drain(1h); // an answer is counted after it was sent
    EXPECT_EQ(webhooks("stored"), "1");
    EXPECT_EQ(metric("chargifyd_ack_seconds_count"), "1");
    EXPECT_NE(metric("chargifyd_last_webhook_timestamp_seconds{site=\"acme\"}"), "0");
}

TEST_F(webhook_server_test, answers_only_once_it_is_durable)
{
    start();
    syncs.hold();
    auto c = http();
    c.send(webhook("id=1"));
    syncs.await();
    auto answered = std::async(std::launch::async, [&c] { return c.receive(); });
    EXPECT_EQ(answered.wait_for(50ms), std::future_status::timeout);
    EXPECT_EQ(inbox->durable_sequence(), 0U);
    syncs.release();
    EXPECT_EQ(answered.get().status, 200U);
    EXPECT_EQ(inbox->durable_sequence(), 1U);
}

TEST_F(webhook_server_test, answers_a_duplicate_like_the_first)
{
    start();
    auto c = http();
    EXPECT_EQ(c.ask(webhook("id=1")).status, 200U);
    EXPECT_EQ(c.ask(webhook("id=1")).status, 200U);
    EXPECT_EQ(stored().size(), 1U);
    EXPECT_EQ(webhooks("duplicate"), "1");
}

TEST_F(webhook_server_test, takes_the_signature_from_the_query)
{
    start();
    const std::string body = "id=1";
    const auto header = signature_of(body);
    auto hex = header.substr(header.find(": ") + 2, 64);
    std::transform(hex.begin(), hex.end(), hex.begin(), [](unsigned char c) { return std::toupper(c); });
    for (const std::string& query : {"signature_hmac_sha_256=" + hex, "signature=" + hex})
        EXPECT_EQ(http().ask(post(length_of(body), body, "/webhooks/acme?" + query)).status, 200U) << query;
    EXPECT_EQ(
        http().ask(post(length_of(body), body, "/webhooks?signature=" + hex + "&signature=" + hex)).status,
        401U);
    EXPECT_EQ(stored().size(), 1U);
}

TEST_F(webhook_server_test, never_takes_the_legacy_signature)
{
    start();
    const std::string body = "id=1";
    const auto md5 = chargify::legacy_md5_signature(test::shared_key, body);
    EXPECT_EQ(
        http().ask(post("X-Chargify-Webhook-Signature: " + md5 + "\r\n" + length_of(body), body)).status,
        401U);
    EXPECT_EQ(http().ask(post(length_of(body), body, "/webhooks?signature=" + md5)).status, 401U);
    EXPECT_TRUE(stored().empty());
}

TEST_F(webhook_server_test, says_the_same_to_every_bad_signature)
{
    start();
    const auto missing = http().ask(post(length_of("a=b"), "a=b"));
    const auto wrong = http().ask(webhook("a=b", "", "/webhooks", "another key"));
    const auto malformed =
        http().ask(post("X-Chargify-Webhook-Signature-Hmac-Sha-256: \r\n" + length_of("a"), "a"));
    EXPECT_EQ(missing.status, 401U);
    const auto without_time_and_name = [](const test::response& r) {
        std::string head = r.head;
        for (const char* line : {"Date: ", "X-Request-Id: "}) {
            const auto at = head.find(line);
            head.erase(at, head.find("\r\n", at) - at);
        }
        return head + r.body;
    };
    EXPECT_EQ(without_time_and_name(missing), without_time_and_name(wrong));
    EXPECT_EQ(without_time_and_name(missing), without_time_and_name(malformed));
    EXPECT_EQ(webhooks("missing_signature"), "1");
    EXPECT_EQ(webhooks("bad_signature"), "2");
}

TEST_F(webhook_server_test, knows_its_sites_and_all_their_keys)
{
    sites = {site_of("acme", {"old", "new"}), site_of("beta", {"other"})};
    start();
    EXPECT_EQ(http().ask(webhook("1", "", "/webhooks/acme", "old")).status, 200U);
    EXPECT_EQ(http().ask(webhook("2", "", "/webhooks/acme", "new")).status, 200U);
    EXPECT_EQ(http().ask(webhook("3", "", "/webhooks/beta", "other")).status, 200U);
    EXPECT_EQ(http().ask(webhook("4", "", "/webhooks/beta", "new")).status, 401U);
    EXPECT_EQ(http().ask(webhook("5", "", "/webhooks", "new")).status, 404U);
    EXPECT_EQ(http().ask(webhook("6", "", "/webhooks/gamma", "new")).status, 404U);
    ASSERT_EQ(stored().size(), 3U);
    EXPECT_EQ(stored()[2].site, "beta");
    EXPECT_EQ(webhooks("bad_signature", "beta"), "1");
    EXPECT_EQ(webhooks("bad_signature", "acme"), "0");
}

TEST_F(webhook_server_test, tells_its_health)
{
    start();
    const auto well = http().ask(get("/healthz"));
    EXPECT_EQ(well.status, 200U);
    EXPECT_EQ(well.body, "ok\n");
    EXPECT_EQ(server->health(), "ok");
}

TEST_F(webhook_server_test, refuses_while_the_queue_is_full)
{
    journal_with.queue_webhooks = 1;
    start();
    syncs.hold();
    auto first = http();
    first.send(webhook("id=1"));
    syncs.await();
    auto second = http();
    const auto refused = second.ask(webhook("id=2"));
    EXPECT_EQ(refused.status, 503U);
    EXPECT_EQ(refused.header("Retry-After"), "5");
    EXPECT_EQ(refused.header("Connection"), "keep-alive");
    const auto ill = second.ask(get("/healthz"));
    EXPECT_EQ(ill.status, 503U);
    EXPECT_EQ(ill.body, "full\n");
    syncs.release();
    EXPECT_EQ(first.receive().status, 200U);
    EXPECT_EQ(second.ask(webhook("id=2")).status, 200U);
    EXPECT_EQ(webhooks("queue_full"), "1");
}

TEST_F(webhook_server_test, refuses_while_the_disk_is_full)
{
    journal_with.disk_floor_bytes = journal_with.segment_bytes;
    files.set_capacity(journal_with.segment_bytes * 3 / 2); // below the floor once the first segment is made
    start();
    auto c = http();
    const auto refused = c.ask(webhook("id=1"));
    EXPECT_EQ(refused.status, 503U);
    EXPECT_EQ(refused.header("Retry-After"), "5");
    EXPECT_EQ(c.ask(get("/healthz")).body, "disk\n");
    EXPECT_EQ(webhooks("disk_full"), "1");
}

TEST_F(webhook_server_test, refuses_once_the_journal_has_failed)
{
    start();
    files.fail(test::fault_file_system::call::sync, 1, EIO);
    auto c = http();
    const auto refused = c.ask(webhook("id=1"));
    EXPECT_EQ(refused.status, 503U);
    EXPECT_EQ(refused.header("Connection"), "close");
    EXPECT_EQ(http().ask(get("/healthz")).body, "stopped\n");
    EXPECT_EQ(http().ask(webhook("id=2")).status, 503U);
    EXPECT_EQ(webhooks("stopped"), "2");
    EXPECT_EQ(webhooks("stored"), "0");
}

TEST_F(webhook_server_test, hands_every_webhook_its_own_outcome)
{
    with.threads = 3;
    start();
    constexpr int senders = 12;
    constexpr int each = 40;
    std::vector<std::future<int>> done;
    for (int s = 0; s < senders; ++s)
        done.push_back(std::async(std::launch::async, [this, s] {
            auto c = s % 2 == 0 ? http() : https();
            int acknowledged = 0;
            for (int i = 0; i < each; ++i) {
                const auto body = "id=" + std::to_string(s * 1000 + i);
                const bool good = i % 10 != 9;
                if (!good)
                    c = [this, s] { return s % 2 == 0 ? http() : https(); }();
                const auto got = c.ask(good ? webhook(body) : webhook(body, "", "/webhooks", "wrong"));
                EXPECT_EQ(got.status, good ? 200U : 401U);
                acknowledged += got.status == 200 ? 1 : 0;
                if (!good)
                    c = [this, s] { return s % 2 == 0 ? http() : https(); }();
            }
            return acknowledged;
        }));
    int acknowledged = 0;
    for (auto& one : done)
        acknowledged += one.get();
    std::set<std::string> bodies;
    for (const auto& one : stored())
        bodies.insert(one.body);
    EXPECT_EQ(bodies.size(), static_cast<std::size_t>(acknowledged));
    EXPECT_EQ(acknowledged, senders * each * 9 / 10);
}

TEST_F(webhook_server_test, listens_on_ipv6)
{
    with.http = {"[::1]:0", "[::]:0"};
    const auto opened = open();
    if (!opened)
        GTEST_SKIP() << "no IPv6 here: " << opened.error().message;
    server.reset();
    const auto& both = **opened;
    const_cast<webhook_server&>(both).start();
    client six(both.http_addresses().at(0));
    EXPECT_EQ(six.ask(webhook("id=6")).status, 200U);
    const auto any = both.http_addresses().at(1);
    client four("127.0.0.1" + any.substr(any.rfind(':')));
    EXPECT_EQ(four.ask(webhook("id=4")).status, 200U);
    ASSERT_EQ(stored().size(), 2U);
    EXPECT_EQ(stored()[0].peer, "::1");
    EXPECT_EQ(stored()[1].peer, "127.0.0.1");
}

TEST_F(webhook_server_test, believes_trusted_proxies_about_the_sender)
{
    with.trusted_proxies = {"127.0.0.0/8", "10.0.0.0/8"};
    start();
    auto c = http();
    EXPECT_EQ(c.ask(webhook("1", "X-Forwarded-For: 203.0.113.5, 10.0.0.9\r\n")).status, 200U);
    EXPECT_EQ(c.ask(webhook("2", "X-Forwarded-For: nonsense\r\n")).status, 200U);
    EXPECT_EQ(c.ask(webhook("3")).status, 200U);
    ASSERT_EQ(stored().size(), 3U);
    EXPECT_EQ(stored()[0].peer, "203.0.113.5");
    EXPECT_EQ(stored()[1].peer, "127.0.0.1");
    EXPECT_EQ(stored()[2].peer, "127.0.0.1");
}

TEST_F(webhook_server_test, believes_nobody_else)
{
    with.trusted_proxies = {"10.0.0.0/8"};
    start();
    EXPECT_EQ(http().ask(webhook("1", "X-Forwarded-For: 203.0.113.5\r\n")).status, 200U);
    EXPECT_EQ(stored().at(0).peer, "127.0.0.1");
}

TEST_F(webhook_server_test, pauses_accepting_when_it_is_full)
{
    with.max_connections = 2;
    start();
    auto first = std::make_unique<client>(http());
    auto second = http();
    EXPECT_EQ(first->ask(get("/healthz")).status, 200U);
    EXPECT_EQ(second.ask(get("/healthz")).status, 200U);
    auto third = http();
    third.send(get("/healthz"));
    auto answered = std::async(std::launch::async, [&third] { return third.receive().status; });
    EXPECT_EQ(answered.wait_for(100ms), std::future_status::timeout);
    EXPECT_EQ(server->connections(), 2U);
    first.reset();
    EXPECT_EQ(answered.get(), 200U);
}

TEST_F(webhook_server_test, counts_connections)
{
    start();
    {
        auto a = http();
        auto b = https();
        ASSERT_EQ(a.ask(get("/healthz")).status, 200U);
        ASSERT_EQ(b.ask(get("/healthz")).status, 200U);
        EXPECT_EQ(metric("chargifyd_connections"), "2");
    }
    await_connections(0);
    EXPECT_EQ(metric("chargifyd_connections"), "0");
    EXPECT_EQ(metric("chargifyd_connections_total"), "2");
}

TEST_F(webhook_server_test, reloads_its_certificate_for_new_connections)
{
    start();
    auto before = https();
    EXPECT_EQ(before.server_name(), "first.example");
    ASSERT_TRUE(server->reload(test::store(test::certificate("second.example"), directory.path()), sites));
    EXPECT_EQ(https().server_name(), "second.example");
    EXPECT_EQ(before.ask(webhook("id=1")).status, 200U);
}

TEST_F(webhook_server_test, reloads_its_keys_for_new_requests)
{
    start();
    auto c = https();
    EXPECT_EQ(c.ask(webhook("id=1")).status, 200U);
    ASSERT_TRUE(server->reload(with.tls, {site_of("acme", {"fresh"})}));
    EXPECT_EQ(c.ask(webhook("id=2", "", "/webhooks", "fresh")).status, 200U);
    EXPECT_EQ(c.ask(webhook("id=3")).status, 401U);
}

TEST_F(webhook_server_test, keeps_the_keys_of_a_webhook_under_way)
{
    start();
    syncs.hold();
    auto c = http();
    c.send(webhook("id=1"));
    syncs.await();
    ASSERT_TRUE(server->reload(with.tls, {site_of("other", {"fresh"})}));
    syncs.release();
    EXPECT_EQ(c.receive().status, 200U);
    EXPECT_EQ(stored().at(0).site, "acme");
}

TEST_F(webhook_server_test, changes_nothing_when_a_reload_fails)
{
    start();
    const tls_files missing{directory / "none.pem", directory / "none.pem"};
    EXPECT_FALSE(server->reload(missing, {site_of("acme", {"fresh"})}));
    EXPECT_FALSE(server->reload(test::store(test::certificate("second.example"), directory.path()),
                                {site_of("acme"), site_of("acme")}));
    auto c = https();
    EXPECT_EQ(c.server_name(), "first.example");
    EXPECT_EQ(c.ask(webhook("id=1")).status, 200U);
}

TEST_F(webhook_server_test, names_the_mistakes_that_keep_it_from_opening)
{
    const auto refused_for = [this](const char* text) {
        const auto opened = open();
        return !opened && opened.error().message.find(text) != std::string::npos;
    };
    with.http = {"nowhere:80"};
    EXPECT_TRUE(refused_for("\"nowhere:80\""));
    with.http = {};
    with.trusted_proxies = {"10.0.0.0/99"};
    EXPECT_TRUE(refused_for("10.0.0.0/99"));
    with.trusted_proxies = {};
    with.tls.certificate = "/nonexistent.pem";
    EXPECT_TRUE(refused_for("/nonexistent.pem"));
}

TEST_F(webhook_server_test, keeps_apart_what_does_not_verify_when_it_is_told_to)
{
    sites.front().quarantines = true;
    quarantine_with.max_webhooks = 2;
    start();
    auto c = http();
    const auto send = [&](const std::string& body) {
        return c.ask(webhook(body, {}, "/webhooks", "another key"));
    };
    EXPECT_EQ(send("id=2&event=a").status, 200U);
    EXPECT_EQ(send("id=3&event=a").status, 200U);
    EXPECT_TRUE(stored().empty()); // never applied
    ASSERT_EQ(apart->count(), 2U);
    const auto kept = apart->read(apart->numbers().front());
    ASSERT_TRUE(kept);
    EXPECT_EQ(kept->body, "id=2&event=a");
    EXPECT_EQ(kept->site, "acme");
    EXPECT_EQ(kept->peer, "127.0.0.1");
    EXPECT_EQ(webhooks("quarantined"), "2");
    EXPECT_EQ(send("id=4&event=a").status, 401U); // full: as if nothing were kept
    EXPECT_EQ(apart->count(), 2U);
}

TEST_F(webhook_server_test, names_an_address_that_is_taken)
{
    start();
    with.http = {server->http_addresses().at(0)};
    const auto again = webhook_server::open(with, sites, *inbox, *apart, meters, system_now);
    ASSERT_FALSE(again);
    EXPECT_NE(again.error().message.find(with.http[0]), std::string::npos);
}

TEST_F(webhook_server_test, needs_no_certificate_without_https)
{
    with.https = {};
    with.tls = {};
    start();
    EXPECT_TRUE(server->https_addresses().empty());
    EXPECT_EQ(http().ask(get("/healthz")).status, 200U);
    EXPECT_TRUE(server->reload({}, sites));
}

TEST_F(webhook_server_test, can_go_without_ever_having_started)
{
    EXPECT_TRUE(open());
}

TEST_F(webhook_server_test, drains_idle_connections)
{
    start();
    auto used = http();
    EXPECT_EQ(used.ask(get("/healthz")).status, 200U);
    auto fresh = https();
    client shaking(server->https_addresses().at(0));
    await_connections(3);
    server->drain(1h);
    EXPECT_EQ(server->connections(), 0U);
    EXPECT_EQ(server->health(), "draining");
    EXPECT_EQ(used.rest(), "");
    EXPECT_EQ(fresh.rest(), "");
    EXPECT_EQ(shaking.rest(), "");
    EXPECT_FALSE(http().connected());
}

TEST_F(webhook_server_test, answers_what_is_on_its_way_when_it_drains)
{
    start();
    auto used = http();
    EXPECT_EQ(used.ask(get("/healthz")).status, 200U);
    auto fresh = https();
    await_connections(2);
    std::thread draining([this] { server->drain(1h); });
    while (server->health() != "draining")
        std::this_thread::yield();
    EXPECT_EQ(used.ask(webhook("a=b")).status, 200U);
    EXPECT_EQ(fresh.ask(webhook("a=c")).status, 200U);
    EXPECT_EQ(used.rest(), "");
    EXPECT_EQ(fresh.rest(), "");
    draining.join();
}

TEST_F(webhook_server_test, answers_what_is_under_way_when_it_drains)
{
    start();
    syncs.hold();
    auto waiting = https();
    waiting.send(webhook("id=1"));
    syncs.await();
    auto halfway = http();
    const std::string body = "id=2";
    halfway.send(post(signature_of(body) + length_of(body) + "Expect: 100-continue\r\n"));
    ASSERT_EQ(halfway.receive().status, 100U); // so the server is at it
    std::thread draining([this] { server->drain(1h); });
    while (server->health() != "draining")
        std::this_thread::yield();
    halfway.send(body);
    syncs.release();
    for (auto* c : {&waiting, &halfway}) {
        const auto got = c->receive();
        EXPECT_EQ(got.status, 200U);
        EXPECT_EQ(got.header("Connection"), "close");
        EXPECT_EQ(c->rest(), "");
    }
    draining.join();
    EXPECT_EQ(stored().size(), 2U);
}

TEST_F(webhook_server_test, cuts_off_what_outlasts_the_grace)
{
    start();
    auto c = http();
    c.send("POST /webhooks HTTP/1.1\r\n");
    await_connections(1);
    server->drain(20ms);
    EXPECT_EQ(c.rest(), "");
}

TEST_F(webhook_server_test, waits_for_the_journal_whatever_the_grace)
{
    start();
    syncs.hold();
    auto c = http();
    c.send(webhook("id=1"));
    syncs.await();
    auto drained = std::async(std::launch::async, [this] { server->drain(1ms); });
    EXPECT_EQ(drained.wait_for(100ms), std::future_status::timeout);
    syncs.release();
    drained.get();
    EXPECT_EQ(c.receive().status, 200U);
    EXPECT_EQ(stored().size(), 1U);
}

TEST_F(webhook_server_test, writes_no_secret_into_the_log)
{
    log::configure(log::level::debug, log::format::text);
    testing::internal::CaptureStderr();
    start();
    const std::string body = "id=1&email=canary@example.com";
    const auto signature = signature_of(body);
    EXPECT_EQ(http().ask(webhook(body, "X-Canary: canary\r\n", "/webhooks?canary=1")).status, 200U);
    EXPECT_EQ(http().ask(webhook(body, "", "/webhooks?canary=1", "canary-key")).status, 401U);
    EXPECT_EQ(http().ask(post(length_of(body), body, "/webhooks/acme?signature=canary")).status, 401U);
    EXPECT_EQ(http().ask(get("/canary")).status, 404U);
    server->drain(1h);
    const auto logged = testing::internal::GetCapturedStderr();
    log::configure(log::level::info, log::format::text);
    EXPECT_EQ(logged.find("canary"), std::string::npos) << logged;
    EXPECT_EQ(logged.find(signature.substr(signature.find(": ") + 2, 64)), std::string::npos);
    EXPECT_EQ(logged.find(test::shared_key), std::string::npos);
    EXPECT_NE(logged.find("debug webhook site=acme"), std::string::npos) << logged;
    EXPECT_NE(logged.find("Another key or another body was signed"), std::string::npos) << logged;
}

TEST_F(webhook_server_test, names_what_it_refuses_in_the_answer_and_in_the_log)
{
    const auto lines = log_of([this] {
        start();
        const auto missing = http().ask(post(length_of("a=b"), "a=b"));
        const auto wrong = http().ask(webhook("a=b", "", "/webhooks", "another key"));
        const auto nowhere = http().ask(get("/nowhere"));
        const auto malformed = http().ask("nonsense\r\n\r\n");
        return std::vector{missing, wrong, nowhere, malformed};
    });
    ASSERT_EQ(lines.answers.size(), 4U);
    std::set<std::string> names;
    for (const auto& one : lines.answers)
        names.insert(one.header("X-Request-Id"));
    EXPECT_EQ(names.size(), 4U) << "every request has a name of its own";
    const auto line = [&](std::size_t i, const std::string& reason, const std::string& site) {
        return "info request refused request=" + lines.answers[i].header("X-Request-Id") +
               " status=" + std::to_string(lines.answers[i].status) + " reason=" + reason + " site=" + site +
               " times=1";
    };
    for (const auto& expected : {line(0, "missing_signature", "acme"), line(1, "bad_signature", "acme"),
                                 line(2, "not_found", R"("")"), line(3, "bad_request", R"("")")})
        EXPECT_NE(lines.text.find(expected), std::string::npos) << expected << "\n" << lines.text;
    // What else is said of them carries their names.
    EXPECT_NE(lines.text.find("headers? site=acme request=" + lines.answers[0].header("X-Request-Id")),
              std::string::npos)
        << lines.text;
    EXPECT_NE(lines.text.find("site=acme request=" + lines.answers[1].header("X-Request-Id") + " finding="),
              std::string::npos)
        << lines.text;
}

TEST_F(webhook_server_test, calls_a_webhook_by_its_sequence)
{
    sites.front().quarantines = true;
    const auto lines = log_of([this] {
        start();
        auto c = http();
        std::vector<test::response> answers;
        answers.push_back(c.ask(webhook("id=1")));
        answers.push_back(c.ask(webhook("id=22")));
        answers.push_back(c.ask(webhook("id=1")));
        answers.push_back(c.ask(webhook("id=3", {}, "/webhooks", "another key")));
        return answers;
    });
    for (const auto& one : lines.answers) {
        EXPECT_EQ(one.status, 200U);
        EXPECT_EQ(one.header("X-Request-Id"), "(none)");
    }
    for (const std::string expected :
         {"debug webhook site=acme outcome=stored sequence=1 bytes=4 request=\"\"",
          "debug webhook site=acme outcome=stored sequence=2 bytes=5 request=\"\"",
          "debug webhook site=acme outcome=duplicate bytes=4 request=\"\"",
          "debug webhook site=acme outcome=quarantined number=1 bytes=4 request="})
        EXPECT_NE(lines.text.find(expected), std::string::npos) << expected << "\n" << lines.text;
    EXPECT_EQ(lines.text.find("request refused"), std::string::npos);
}

TEST_F(webhook_server_test, takes_over_the_name_that_a_trusted_proxy_gives)
{
    with.trusted_proxies = {"127.0.0.0/8"};
    const auto lines = log_of([this] {
        start();
        auto c = http();
        std::vector<test::response> answers;
        answers.push_back(c.ask(webhook("id=1", "X-Request-Id: good-1\r\n")));
        answers.push_back(c.ask(webhook("id=2")));
        answers.push_back(http().ask(post("X-Request-Id: bad.2\r\n" + length_of("a"), "a")));
        answers.push_back(http().ask(post("X-Request-Id: a b\r\n" + length_of("a"), "a")));
        return answers;
    });
    EXPECT_NE(lines.text.find("sequence=1 bytes=4 request=good-1"), std::string::npos) << lines.text;
    EXPECT_NE(lines.text.find("sequence=2 bytes=4 request=\"\""), std::string::npos)
        << "it is the next one's";
    EXPECT_EQ(lines.answers[2].header("X-Request-Id"), "bad.2");
    EXPECT_NE(lines.text.find("request refused request=bad.2 status=401"), std::string::npos) << lines.text;
    EXPECT_NE(lines.answers[3].header("X-Request-Id"), "a b");
    EXPECT_TRUE(request_id::is_good(lines.answers[3].header("X-Request-Id")));
}

TEST_F(webhook_server_test, takes_no_name_from_a_stranger)
{
    start();
    const auto refused = http().ask(post("X-Request-Id: mine\r\n" + length_of("a"), "a"));
    EXPECT_NE(refused.header("X-Request-Id"), "mine");
    EXPECT_TRUE(request_id::is_good(refused.header("X-Request-Id")));
}

TEST_F(webhook_server_test, warns_of_bad_signatures_without_flooding_the_log)
{
    testing::internal::CaptureStderr();
    start();
    for (int i = 0; i < 20; ++i)
        EXPECT_EQ(http().ask(webhook("a=b", "", "/webhooks", "wrong")).status, 401U);
    server->drain(1h);
    const auto logged = testing::internal::GetCapturedStderr();
    const auto first = logged.find("does not match");
    ASSERT_NE(first, std::string::npos);
    EXPECT_EQ(logged.find("does not match", first + 1), std::string::npos) << logged;
}

TEST_F(webhook_server_test, tells_of_refusals_without_flooding_the_log)
{
    testing::internal::CaptureStderr();
    start();
    for (int i = 0; i < 100; ++i)
        EXPECT_EQ(http().ask(get("/nowhere")).status, 404U);
    server->drain(1h);
    const auto logged = testing::internal::GetCapturedStderr();
    std::size_t lines = 0;
    for (auto at = logged.find("request refused"); at != std::string::npos;
         at = logged.find("request refused", at + 1))
        ++lines;
    EXPECT_GE(lines, 20U);
    EXPECT_LE(lines, 60U) << "20 in each ten seconds";
}

} // namespace
} // namespace chargifyd::ingress
