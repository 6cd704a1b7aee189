#include "../simulate/test_server.hpp"
#include "ctl/play.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <set>

namespace chargifyd::ctl {
namespace {

using simulate::test_server;
using action = test_server::action;
using request = test_server::request;

std::vector<simulate::sender> senders(const test_server& server, std::size_t count)
{
    simulate::target to;
    to.url = server.url();
    std::vector<simulate::sender> out;
    for (std::size_t i = 0; i < count; ++i) {
        auto made = simulate::sender::make(to);
        EXPECT_TRUE(made);
        out.push_back(std::move(*made));
    }
    return out;
}

delivery_queue queue_of(std::size_t count, bool retry)
{
    std::vector<std::size_t> order(count);
    std::iota(order.begin(), order.end(), std::size_t{0});
    return {std::move(order), retry, 100000};
}

simulate::webhook numbered(std::size_t n)
{
    return simulate::test_webhook(static_cast<std::int64_t>(n + 1));
}

TEST(deliver, sends_everything_once_over_several_connections)
{
    test_server server([](const request&) { return action{}; });
    auto over = senders(server, 4);
    std::set<std::int64_t> ids;
    std::size_t calls = 0;
    deliver(over, queue_of(100, true), numbered, [&](const delivered& d) {
        ++calls;
        ids.insert(d.what.id);
        EXPECT_TRUE(d.acknowledged());
        EXPECT_EQ(d.number, 1U);
        EXPECT_FALSE(d.again);
    });
    EXPECT_EQ(calls, 100U);
    EXPECT_EQ(ids.size(), 100U);
    EXPECT_EQ(server.requests().size(), 100U);
}

TEST(deliver, keeps_the_order_on_one_connection)
{
    test_server server([](const request&) { return action{}; });
    auto over = senders(server, 1);
    std::vector<std::int64_t> ids;
    deliver(over, queue_of(20, false), numbered, [&ids](const delivered& d) { ids.push_back(d.what.id); });
    EXPECT_TRUE(std::ranges::is_sorted(ids));
    EXPECT_EQ(ids.size(), 20U);
}

TEST(deliver, waits_for_retries_of_what_others_are_sending)
{
    test_server server([](const request&) { return action{test_server::status(503)}; });
    auto over = senders(server, 4);
    std::size_t last_attempts = 0;
    std::size_t attempts = 0;
    deliver(over, queue_of(6, true), numbered, [&](const delivered& d) {
        ++attempts;
        EXPECT_EQ(d.again.has_value(), d.number < 5);
        last_attempts += d.again ? 0 : 1;
    });
    EXPECT_EQ(attempts, 30U);
    EXPECT_EQ(last_attempts, 6U);
}

TEST(deliver, an_exception_ends_it_and_comes_out)
{
    test_server server([](const request&) { return action{}; });
    for (const std::size_t connections : {1U, 4U}) {
        auto over = senders(server, connections);
        const auto throwing = [](const delivered& d) {
            if (d.what.id == 5)
                throw std::runtime_error("the reader went away");
        };
        EXPECT_THROW(deliver(over, queue_of(1000, false), numbered, throwing), std::runtime_error);
    }
    EXPECT_LT(server.requests().size(), 1000U);
}

TEST(deliver, with_nothing_to_send_does_nothing)
{
    test_server server([](const request&) { return action{}; });
    auto over = senders(server, 2);
    deliver(over, queue_of(0, true), numbered, [](const delivered&) { ADD_FAILURE(); });
    EXPECT_TRUE(server.requests().empty());
}

} // namespace
} // namespace chargifyd::ctl
