#include "ctl/delivery.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <numeric>

namespace chargifyd::ctl {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

plan_options plan(std::uint64_t seed, double duplicates, bool reorder)
{
    plan_options p;
    p.seed = seed;
    p.duplicate_percent = duplicates;
    p.reorder = reorder;
    return p;
}

std::vector<std::size_t> in_order(std::size_t n)
{
    std::vector<std::size_t> out(n);
    std::iota(out.begin(), out.end(), std::size_t{0});
    return out;
}

TEST(delivery, sends_everything_once_and_in_order)
{
    EXPECT_EQ(plan_order(100, {}), in_order(100));
    EXPECT_TRUE(plan_order(0, plan(1, 50, true)).empty());
}

TEST(delivery, the_seed_decides)
{
    EXPECT_EQ(plan_order(200, plan(7, 30, true)), plan_order(200, plan(7, 30, true)));
    EXPECT_NE(plan_order(200, plan(7, 30, true)), plan_order(200, plan(8, 30, true)));
    EXPECT_NE(plan_order(200, plan(7, 30, false)), plan_order(200, plan(8, 30, false)));
}

TEST(delivery, a_seed_means_the_same_on_every_machine)
{
    EXPECT_THAT(plan_order(6, plan(1, 0, true)), ElementsAre(3, 5, 4, 1, 0, 2));
    EXPECT_THAT(plan_order(4, plan(1, 50, false)), ElementsAre(0, 1, 0, 2, 2, 3));
}

TEST(delivery, sends_the_asked_share_twice)
{
    for (const double percent : {0.0, 10.0, 50.0, 100.0}) {
        const auto order = plan_order(200, plan(3, percent, false));
        std::map<std::size_t, int> times;
        for (const std::size_t w : order)
            ++times[w];
        EXPECT_EQ(times.size(), 200U);
        EXPECT_EQ(order.size(), 200U + static_cast<std::size_t>(2 * percent));
        for (const auto& [w, n] : times)
            EXPECT_LE(n, 2) << w;
    }
}

TEST(delivery, duplicates_leave_the_originals_in_order)
{
    std::vector<std::size_t> firsts;
    for (const std::size_t w : plan_order(100, plan(5, 60, false))) {
        if (std::find(firsts.begin(), firsts.end(), w) == firsts.end())
            firsts.push_back(w);
    }
    EXPECT_EQ(firsts, in_order(100));
}

TEST(delivery, reordering_loses_nothing)
{
    auto order = plan_order(500, plan(2, 20, true));
    EXPECT_EQ(order.size(), 600U);
    EXPECT_FALSE(std::is_sorted(order.begin(), order.end()));
    std::sort(order.begin(), order.end());
    order.erase(std::unique(order.begin(), order.end()), order.end());
    EXPECT_EQ(order, in_order(500));
}

TEST(delivery, waits_as_chargify_does)
{
    EXPECT_EQ(retry_wait(0), std::nullopt);
    EXPECT_EQ(retry_wait(1), 10s);
    EXPECT_EQ(retry_wait(2), 15s);
    EXPECT_EQ(retry_wait(3), 90s);
    EXPECT_EQ(retry_wait(4), 180s);
    EXPECT_EQ(retry_wait(5), std::nullopt);
}

using time_point = delivery_queue::time_point;

std::size_t taken(delivery_queue& q, time_point now)
{
    const auto d = q.take(now);
    return d ? d->webhook : 999;
}

TEST(delivery, tries_five_times_and_gives_up)
{
    delivery_queue q({0}, true, 1);
    time_point now{};
    for (const auto wait : {10s, 15s, 90s, 180s}) {
        const auto d = q.take(now);
        ASSERT_TRUE(d);
        EXPECT_EQ(q.failed(*d, now), wait);
        EXPECT_FALSE(q.take(now + wait - 1ms));
        EXPECT_EQ(q.next_retry(), now + wait);
        now += wait;
    }
    const auto last = q.take(now);
    ASSERT_TRUE(last);
    EXPECT_EQ(last->attempt, 5U);
    EXPECT_EQ(q.failed(*last, now), std::nullopt);
    EXPECT_FALSE(q.take(now + 1h));
    EXPECT_FALSE(q.next_retry());
}

TEST(delivery, a_retry_does_not_hold_up_the_others)
{
    delivery_queue q({0, 1, 2, 3}, true, 1);
    const time_point now{};
    const auto first = q.take(now);
    ASSERT_TRUE(first);
    q.failed(*first, now);
    EXPECT_EQ(taken(q, now), 1U);
    EXPECT_EQ(taken(q, now + 5s), 2U);
    EXPECT_EQ(taken(q, now + 10s), 0U); // due, and older than what is new
    EXPECT_EQ(taken(q, now + 10s), 3U);
    EXPECT_EQ(taken(q, now + 10s), 999U);
}

TEST(delivery, retries_due_at_once_keep_their_order)
{
    delivery_queue q({5, 3, 4}, true, 1);
    const time_point now{};
    for (int i = 0; i < 3; ++i)
        q.failed(*q.take(now), now);
    EXPECT_EQ(taken(q, now + 10s), 5U);
    EXPECT_EQ(taken(q, now + 10s), 3U);
    EXPECT_EQ(taken(q, now + 10s), 4U);
}

TEST(delivery, waits_can_be_shortened_or_left_out)
{
    delivery_queue fast({0}, true, 1000);
    EXPECT_EQ(fast.failed(*fast.take({}), {}), 10ms);
    delivery_queue once({0}, false, 1);
    EXPECT_EQ(once.failed(*once.take({}), {}), std::nullopt);
    EXPECT_FALSE(once.next_retry());
}

} // namespace
} // namespace chargifyd::ctl
