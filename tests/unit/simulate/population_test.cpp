#include "wire.hpp"

#include "chargifyd/chargify/events.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace chargifyd::simulate {
namespace {

using namespace std::chrono;

std::vector<webhook> some_population(std::uint64_t seed, std::size_t subscriptions = 8)
{
    population_options with;
    with.seed = seed;
    with.subscriptions = subscriptions;
    return population(with);
}

TEST(population, eight_lives_tell_every_event_that_lives_can_tell)
{
    const std::set<std::string_view> others{
        // the test button, keys of the enhanced catalog, a name in the documentation, the clean-up of 2012
        "test",
        "allocation_change",
        "subscription_plan_change",
        "product_billing_date_change",
        "end_of_trial_notice",
        "renewal_success_recreated",
        "renewal_failure_recreated",
        "payment_success_recreated",
        "payment_failure_recreated"};
    for (const std::uint64_t seed : {1U, 2U, 3U, 4U, 5U, 6U, 7U, 8U}) {
        std::set<std::string> told;
        for (const webhook& sent : some_population(seed))
            told.insert(sent.event);
        for (const chargify::event_info& event : chargify::event_catalogue())
            EXPECT_EQ(told.contains(std::string(event.key)), !others.contains(event.key))
                << seed << " " << event.key;
    }
}

TEST(population, ids_rise_with_time_over_all_lives)
{
    const auto all = some_population(1);
    std::set<std::int64_t> subscriptions;
    std::int64_t last_event = 0;
    std::size_t changes = 0;
    std::int64_t last_owner = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
        expect_wire_exact(all[i]);
        const chargify::envelope e = read(all[i]);
        EXPECT_EQ(all[i].id, all[0].id + static_cast<std::int64_t>(i));
        EXPECT_GT(e.event_id.value_or(0), last_event);
        last_event = e.event_id.value_or(0);
        EXPECT_GE(all[i].at, all[i > 0 ? i - 1 : 0].at);
        const std::int64_t owner = e.subscription_id.value_or(0);
        if (owner < 900'000'000)
            subscriptions.insert(owner);
        changes += owner != last_owner ? 1 : 0;
        last_owner = owner;
    }
    EXPECT_EQ(subscriptions.size(), 9U); // and none
    EXPECT_GT(changes, 100U);            // side by side, not one after the other
}

TEST(population, tells_each_life_as_it_is_told_alone)
{
    const auto alone = [](std::uint64_t seed, sys_seconds starts_at) {
        life_options with;
        with.seed = seed;
        with.starts_at = starts_at;
        return subscription_life(with);
    };
    population_options with;
    with.seed = 4;
    with.subscriptions = 2;
    with.starts_at = sys_days(2026y / 3 / 1);
    with.between = 1h;
    std::vector<std::pair<std::string, sys_seconds>> expected;
    for (const std::uint64_t seed : {4U, 5U})
        for (const webhook& sent : alone(seed, with.starts_at + 1h * static_cast<int>(seed - 4)))
            expected.emplace_back(sent.event, sent.at);
    std::vector<std::pair<std::string, sys_seconds>> told;
    for (const webhook& sent : population(with))
        told.emplace_back(sent.event, sent.at);
    std::ranges::sort(expected);
    std::ranges::sort(told);
    EXPECT_EQ(told, expected);
}

TEST(population, statements_name_the_events_they_hold)
{
    std::map<std::int64_t, std::string> events;
    std::size_t named = 0;
    for (const webhook& sent : some_population(1)) {
        const chargify::envelope e = read(sent);
        events[e.event_id.value_or(0)] = sent.event;
        const auto list = e.tree.branch(e.tree.branch(e.payload, "statement"), "events");
        for (int i = 0; i < 9; ++i)
            if (const auto row = e.tree.branch(list, std::to_string(i)); row != chargify::form::none) {
                EXPECT_EQ(events[e.tree.integer(row, "id").value_or(0)], e.tree.text(row, "key"));
                ++named;
            }
    }
    EXPECT_GT(named, 50U);
}

TEST(population, is_the_same_for_the_same_seed)
{
    const auto bodies = [](std::uint64_t seed) {
        std::vector<std::string> out;
        for (const webhook& sent : some_population(seed, 3))
            out.push_back(sent.body);
        return out;
    };
    EXPECT_EQ(bodies(7), bodies(7));
    EXPECT_NE(bodies(7), bodies(10));
    population_options with;
    with.subscriptions = 0;
    EXPECT_TRUE(population(with).empty());
}

} // namespace
} // namespace chargifyd::simulate
