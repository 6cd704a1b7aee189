#include "test_server.hpp"

#include "chargifyd/base/guarded.hpp"
#include "chargifyd/simulate/sender.hpp"

#include <set>

namespace chargifyd::simulate {
namespace {

using namespace std::chrono_literals;
using action = test_server::action;
using request = test_server::request;

target to(const test_server& server)
{
    target t;
    t.url = server.url();
    t.shared_key = secret("key");
    t.insecure = true;
    t.timeout = 5000ms;
    return t;
}

load_options some(std::uint64_t webhooks)
{
    load_options o;
    o.connections = 4;
    o.duration = 60s;
    o.webhooks = webhooks;
    o.body_bytes = 2000;
    return o;
}

void expect_sums(const load_report& r)
{
    EXPECT_EQ(r.sent, r.acknowledged + r.refused + r.failed);
    EXPECT_LE(r.p50, r.p99);
    EXPECT_LE(r.p99, r.p999);
    EXPECT_LE(r.p999, r.max);
}

std::int64_t id_of(const request& r)
{
    const auto at = r.head.find("X-Chargify-Webhook-Id: ");
    return std::stoll(r.head.substr(at + 23));
}

TEST(load, sends_exactly_the_webhooks_asked_for)
{
    const test_certificate certificate("IP:127.0.0.1");
    test_server server([](const request&) { return action{}; }, &certificate);
    load_options with = some(200);
    with.threads = 2;
    with.connections = 5;
    const auto r = run_load(to(server), with);
    ASSERT_TRUE(r) << r.error().message;
    EXPECT_EQ(r->sent, 200U);
    EXPECT_EQ(r->acknowledged, 200U);
    EXPECT_EQ(r->missed, 0U);
    EXPECT_EQ(r->failure, "");
    EXPECT_GT(r->seconds, 0);
    EXPECT_GT(r->cpu_seconds, 0);
    EXPECT_GT(r->max, 0us);
    expect_sums(*r);
    EXPECT_EQ(server.connections(), 5U);
    std::set<std::string> bodies;
    for (const request& got : server.requests())
        bodies.insert(got.body);
    EXPECT_EQ(bodies.size(), 200U);
}

TEST(load, numbers_add_up_and_acknowledged_ids_are_the_servers)
{
    guarded<std::set<std::int64_t>> answered;
    std::atomic<int> count{0};
    test_server server([&](const request& r) {
        switch (count++ % 3) {
        case 0:
            return action{test_server::status(503)};
        case 1:
            return action{"", action::close};
        default:
            break;
        }
        answered.with([&r](auto& all) { all.insert(id_of(r)); });
        return action{};
    });
    guarded<std::set<std::int64_t>> acked;
    load_options with = some(60);
    with.threads = 2;
    const auto r = run_load(to(server), with,
                            [&acked](std::int64_t id) { acked.with([id](auto& all) { all.insert(id); }); });
    ASSERT_TRUE(r) << r.error().message;
    EXPECT_EQ(r->sent, 60U);
    expect_sums(*r);
    EXPECT_GT(r->refused, 0U);
    const auto ids = acked.with([](auto& all) { return all; });
    EXPECT_EQ(ids.size(), r->acknowledged);
    EXPECT_EQ(ids, answered.with([](auto& all) { return all; }));
}

TEST(load, counts_failures_and_gives_an_example)
{
    test_server server([](const request&) { return action{"", action::close}; });
    load_options with = some(3);
    with.connections = 3;
    const auto r = run_load(to(server), with);
    ASSERT_TRUE(r);
    EXPECT_EQ(r->failed, 3U);
    EXPECT_EQ(r->max, 0us);
    EXPECT_NE(r->failure.find("closed the connection"), std::string::npos) << r->failure;
    expect_sums(*r);
}

TEST(load, goes_on_where_another_run_ended)
{
    guarded<std::set<std::int64_t>> ids;
    test_server server([&ids](const request& r) {
        ids.with([&r](auto& all) { all.insert(id_of(r)); });
        return action{};
    });
    load_options with = some(10);
    ASSERT_TRUE(run_load(to(server), with));
    with.first = 11;
    ASSERT_TRUE(run_load(to(server), with));
    EXPECT_EQ(ids.with([](auto& all) { return all.size(); }), 20U);
}

TEST(load, opens_a_connection_for_each_webhook)
{
    const test_certificate certificate("IP:127.0.0.1");
    test_server server([](const request&) { return action{}; }, &certificate);
    load_options with = some(20);
    with.keep_alive = false;
    const auto r = run_load(to(server), with);
    ASSERT_TRUE(r);
    EXPECT_EQ(r->acknowledged, 20U);
    EXPECT_EQ(server.connections(), 21U); // one to see whether anybody is there
    for (const request& got : server.requests()) {
        EXPECT_EQ(got.number, 0U);
        EXPECT_NE(got.head.find("Connection: close\r\n"), std::string::npos);
    }
}

TEST(load, resumes_the_session_of_the_connection_before)
{
    const test_certificate certificate("IP:127.0.0.1");
    test_server server([](const request&) { return action{test_server::ok(), action::close}; }, &certificate);
    load_options with = some(20);
    with.connections = 1;
    with.keep_alive = false;
    with.resume = true;
    const auto r = run_load(to(server), with);
    ASSERT_TRUE(r) << r.error().message;
    EXPECT_EQ(r->acknowledged, 20U);
    EXPECT_GE(r->resumed, 19U); // the one that saw whether anybody is there came before the clock
    expect_sums(*r);

    with.resume = false;
    with.first = 1000;
    const auto anew = run_load(to(server), with);
    ASSERT_TRUE(anew) << anew.error().message;
    EXPECT_EQ(anew->resumed, 0U);
}

TEST(load, latency_counts_from_when_a_webhook_was_due)
{
    // The first answer is late by far more than the whole schedule lasts, on the only connection.
    constexpr auto late = 200ms;
    test_server server([late](const request& r) {
        if (r.number == 0)
            std::this_thread::sleep_for(late);
        return action{};
    });
    load_options with = some(20);
    with.connections = 1;
    with.rate = 1000;
    const auto r = run_load(to(server), with);
    ASSERT_TRUE(r);
    EXPECT_EQ(r->acknowledged, 20U);
    EXPECT_GE(r->p50, late - 20ms);
    EXPECT_EQ(r->late_max, 0us); // the connection was not free: that is not the sender's doing
    expect_sums(*r);
}

TEST(load, says_how_late_it_was_itself)
{
    test_server server([](const request&) { return action{}; });
    load_options with = some(20);
    with.connections = 2;
    with.threads = 1;
    with.rate = 200;
    constexpr auto held = 60ms; // the sending thread is kept from its work
    const auto r = run_load(to(server), with, [&](std::int64_t) { std::this_thread::sleep_for(held); });
    ASSERT_TRUE(r);
    EXPECT_GE(r->late_max, held / 2);
    EXPECT_LE(r->late_p99, r->late_max);
    expect_sums(*r);
}

TEST(load, an_open_loop_says_what_it_could_not_send)
{
    test_server server([](const request&) { return action{"", action::hang}; });
    target t = to(server);
    t.timeout = 150ms;
    load_options with = some(0);
    with.connections = 1;
    with.rate = 1000;
    with.duration = 50ms;
    const auto r = run_load(t, with);
    ASSERT_TRUE(r);
    EXPECT_EQ(r->sent, 1U);
    EXPECT_EQ(r->failed, 1U);
    EXPECT_EQ(r->missed, 49U);
    EXPECT_NE(r->failure.find("did not answer in time"), std::string::npos) << r->failure;
    expect_sums(*r);
}

TEST(load, ends_when_its_time_is_up)
{
    test_server server([](const request&) { return action{}; });
    load_options with = some(0);
    with.duration = 50ms;
    const auto r = run_load(to(server), with);
    ASSERT_TRUE(r);
    EXPECT_GT(r->sent, 0U);
    EXPECT_EQ(r->sent, server.requests().size());
    expect_sums(*r);
}

TEST(load, survives_a_server_that_closes_kept_connections)
{
    test_server server([](const request& r) {
        return action{test_server::ok(), r.number < 2 ? action::keep : action::close};
    });
    const auto r = run_load(to(server), some(100));
    ASSERT_TRUE(r);
    EXPECT_EQ(r->acknowledged, 100U) << r->failure;
}

TEST(load, does_not_begin_when_nobody_listens)
{
    target t;
    t.url = "http://127.0.0.1:" + closed_port() + "/";
    for (const bool keep_alive : {true, false}) {
        load_options with = some(1);
        with.keep_alive = keep_alive;
        const auto r = run_load(t, with);
        ASSERT_FALSE(r);
        EXPECT_EQ(r.error().code, errc::unavailable);
        EXPECT_NE(r.error().message.find("cannot connect"), std::string::npos) << r.error().message;
    }
}

TEST(load, hands_on_an_exception_of_the_caller)
{
    test_server server([](const request&) { return action{}; });
    const auto throwing = [](std::int64_t) { throw std::runtime_error("enough"); };
    EXPECT_THROW(run_load(to(server), some(50), throwing), std::runtime_error);
}

TEST(load, refuses_options_that_bound_nothing)
{
    target t;
    t.url = "http://127.0.0.1:1/";
    const auto refused = [&t](auto change) {
        load_options with = some(1);
        change(with);
        const auto r = run_load(t, with);
        return !r && r.error().code == errc::invalid;
    };
    EXPECT_TRUE(refused([](load_options& o) { o.connections = 0; }));
    EXPECT_TRUE(refused([](load_options& o) { o.threads = 0; }));
    EXPECT_TRUE(refused([](load_options& o) { o.duration = 0ms; }));
    EXPECT_TRUE(refused([](load_options& o) { o.rate = -1; }));
    EXPECT_TRUE(refused([](load_options& o) { o.resume = true; }));
    EXPECT_TRUE(refused([](load_options& o) { o.rate = std::numeric_limits<double>::infinity(); }));
    EXPECT_TRUE(refused([](load_options& o) { o.subscriptions = 0; }));
}

} // namespace
} // namespace chargifyd::simulate
