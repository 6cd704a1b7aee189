#include "journal/recent.hpp"
#include "journal_fixture.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <random>

namespace chargifyd::journal {
namespace {

using test::fingerprint_of;

TEST(recent, knows_what_it_took_by_site_and_fingerprint)
{
    recent_webhooks memory(10);
    EXPECT_EQ(memory.insert("acme", fingerprint_of(1)), std::nullopt);
    EXPECT_EQ(memory.insert("acme", fingerprint_of(2)), std::nullopt);
    EXPECT_EQ(memory.insert("acme", fingerprint_of(1)), 0U);
    EXPECT_EQ(memory.insert("acme", fingerprint_of(2)), 1U);
    EXPECT_EQ(memory.insert("other", fingerprint_of(1)), std::nullopt);
    EXPECT_TRUE(memory.contains("other", fingerprint_of(1)));
    EXPECT_FALSE(memory.contains("other", fingerprint_of(2)));
}

TEST(recent, forgets_the_oldest_first_and_never_grows)
{
    recent_webhooks memory(3);
    for (std::uint64_t n = 1; n <= 5; ++n)
        memory.insert("acme", fingerprint_of(n));
    EXPECT_FALSE(memory.contains("acme", fingerprint_of(2)));
    EXPECT_EQ(memory.insert("acme", fingerprint_of(3)), 2U);
    EXPECT_EQ(memory.insert("acme", fingerprint_of(5)), 4U);
}

TEST(recent, takes_back_the_newest)
{
    recent_webhooks memory(3);
    memory.insert("acme", fingerprint_of(1));
    const std::uint64_t before = memory.next_number();
    for (std::uint64_t n = 2; n <= 9; ++n)
        memory.insert("acme", fingerprint_of(n));
    memory.forget_from(before);
    for (std::uint64_t n = 1; n <= 9; ++n)
        EXPECT_FALSE(memory.contains("acme", fingerprint_of(n))) << n;
    EXPECT_EQ(memory.insert("acme", fingerprint_of(9)), std::nullopt);
    EXPECT_TRUE(memory.contains("acme", fingerprint_of(9)));
}

TEST(recent, remembers_nothing_without_room)
{
    recent_webhooks memory(0);
    EXPECT_EQ(memory.insert("acme", fingerprint_of(1)), std::nullopt);
    EXPECT_EQ(memory.insert("acme", fingerprint_of(1)), std::nullopt);
    EXPECT_FALSE(memory.contains("acme", fingerprint_of(1)));
}

TEST(recent, agrees_with_a_plain_list_over_many_random_steps)
{
    std::mt19937 random(7);
    recent_webhooks memory(50);
    std::deque<std::uint64_t> model;
    for (int step = 0; step < 20000; ++step) {
        const std::uint64_t n = random() % 120;
        const bool known = std::find(model.begin(), model.end(), n) != model.end();
        ASSERT_EQ(memory.contains("acme", fingerprint_of(n)), known) << step;
        if (random() % 10 == 0 && !model.empty()) {
            const std::size_t back = random() % model.size();
            memory.forget_from(memory.next_number() - back);
            model.resize(model.size() - back);
            continue;
        }
        ASSERT_EQ(memory.insert("acme", fingerprint_of(n)).has_value(), known) << step;
        if (!known)
            model.push_back(n);
        if (model.size() > 50)
            model.pop_front();
    }
}

} // namespace
} // namespace chargifyd::journal
