#include "wire.hpp"

#include "chargifyd/chargify/events.hpp"
#include "chargifyd/chargify/timestamp.hpp"
#include "chargifyd/simulate/body.hpp"
#include "chargifyd/simulate/storm.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace chargifyd::simulate {
namespace {

using namespace std::chrono;

TEST(load_webhook, is_a_payment_with_ids_of_its_own)
{
    const webhook sent = load_webhook("acme", 123456, 1000, 8192);
    const chargify::envelope e = read(sent);
    EXPECT_EQ(sent.event, "payment_success");
    EXPECT_EQ(e.event, sent.event);
    EXPECT_EQ(e.webhook_id, sent.id);
    EXPECT_EQ(e.subdomain, "acme");
    EXPECT_FALSE(e.test);
    EXPECT_EQ(e.tree.text(e.subscription, "state"), "active");
    const auto transaction = e.tree.branch(e.payload, "transaction");
    EXPECT_EQ(e.tree.integer(transaction, "subscription_id"), e.subscription_id);
    EXPECT_EQ(e.tree.integer(transaction, "customer_id"), e.customer_id);
    EXPECT_EQ(e.tree.integer(e.tree.branch(e.subscription, "credit_card"), "customer_id"), e.customer_id);
    EXPECT_TRUE(e.product_id);
    EXPECT_TRUE(e.event_id);
}

TEST(load_webhook, differs_with_every_number)
{
    std::set<std::string> bodies;
    std::set<std::int64_t> ids, events, transactions, subscriptions, customers;
    for (std::uint64_t n = 0; n < 500; ++n) {
        const webhook sent = load_webhook("acme", n, 7);
        const chargify::envelope e = read(sent);
        bodies.insert(sent.body);
        ids.insert(sent.id);
        events.insert(e.event_id.value_or(0));
        transactions.insert(e.tree.integer(e.tree.branch(e.payload, "transaction"), "id").value_or(0));
        subscriptions.insert(e.subscription_id.value_or(0));
        customers.insert(e.customer_id.value_or(0));
    }
    for (const auto* all : {&ids, &events, &transactions})
        EXPECT_EQ(all->size(), 500U);
    EXPECT_EQ(bodies.size(), 500U);
    EXPECT_EQ(subscriptions.size(), 7U);
    EXPECT_EQ(customers.size(), 7U);
}

TEST(load_webhook, a_later_one_is_the_newer_one)
{
    std::optional<sys_seconds> last;
    for (const std::uint64_t n : {0U, 1U, 2U, 1000U, 1001U, 30'000'000U, 1'700'000'000U}) {
        const chargify::envelope e = read(load_webhook("acme", n, 2));
        const auto updated =
            chargify::parse_timestamp(e.tree.text(e.subscription, "updated_at").value_or(""));
        ASSERT_TRUE(updated) << n;
        EXPECT_EQ(e.occurred_at, updated);
        EXPECT_GT(updated, last) << n;
        last = updated;
    }
}

TEST(load_webhook, takes_any_number)
{
    for (const std::uint64_t n : {std::uint64_t{0}, std::uint64_t{1} << 62, UINT64_MAX}) {
        const chargify::envelope e = read(load_webhook("acme", n, 0));
        EXPECT_TRUE(e.webhook_id) << n;
        EXPECT_TRUE(e.subscription_id) << n;
        EXPECT_TRUE(e.occurred_at) << n;
    }
}

TEST(load_webhook, is_as_long_as_asked)
{
    for (const std::size_t bytes : {2000U, 2500U, 4096U, 8192U, 20000U, 1'000'000U}) {
        const webhook sent = load_webhook("acme", 123456, 10000, bytes);
        EXPECT_NEAR(static_cast<double>(sent.body.size()), static_cast<double>(bytes), 8) << bytes;
        const chargify::envelope e = read(sent);
        EXPECT_TRUE(e.subscription_id && e.customer_id && e.product_id && e.event_id && e.occurred_at)
            << bytes;
        EXPECT_TRUE(e.tree.text(e.customer, "email")) << bytes;
        EXPECT_TRUE(e.tree.text(e.product, "handle")) << bytes;
    }
    EXPECT_LE(load_webhook("acme", 1, 1, 0).body.size(), 2100U);
}

TEST(load_webhook, names_the_site_asked_for)
{
    EXPECT_EQ(read(load_webhook("acme", 1, 1)).subdomain, "acme");
    EXPECT_EQ(read(load_webhook("general-goods", 1, 1)).subdomain, "general-goods");
    EXPECT_EQ(load_webhook("acme", 1, 1).body, load_webhook("acme", 1, 1).body);
}

constexpr std::array mixes{load_mix::payments, load_mix::renewals, load_mix::signups, load_mix::usage,
                           load_mix::all};

TEST(mixed_webhook, is_written_as_chargify_writes)
{
    for (const load_mix mix : mixes)
        for (std::uint64_t n = 0; n < 200; ++n) {
            const webhook sent = mixed_webhook(mix, "acme", n, 10);
            expect_wire_exact(sent);
            const chargify::envelope e = read(sent);
            EXPECT_EQ(e.webhook_id, sent.id);
            EXPECT_EQ(sent.body.find("9876543"), std::string::npos) << sent.event;
            EXPECT_EQ(sent.body.find("2001-02"), std::string::npos) << sent.event;
        }
}

TEST(mixed_webhook, is_the_same_again_and_never_the_same_twice)
{
    std::set<std::string> bodies;
    std::set<std::int64_t> ids;
    for (const load_mix mix : mixes)
        for (std::uint64_t n = 0; n < 300; ++n) {
            const webhook sent = mixed_webhook(mix, "acme", n, 7);
            EXPECT_EQ(sent.body, mixed_webhook(mix, "acme", n, 7).body);
            bodies.insert(sent.body);
            ids.insert(sent.id);
        }
    EXPECT_EQ(bodies.size(), 1500U);
    EXPECT_EQ(ids.size(), 1500U);
}

TEST(mixed_webhook, an_action_is_of_one_subscription_in_one_second)
{
    std::map<std::int64_t, std::set<std::string>> events;
    std::map<std::int64_t, std::set<sys_seconds>> times;
    for (std::uint64_t n = 0; n < 36; ++n) { // twice the cycle
        const webhook sent = mixed_webhook(load_mix::renewals, "acme", n, 1000);
        const std::int64_t owner = read(sent).subscription_id.value_or(0);
        events[owner].insert(sent.event);
        times[owner].insert(sent.at);
    }
    ASSERT_EQ(events.size(), 8U);
    std::set<std::size_t> sizes;
    for (const auto& [owner, of] : events) {
        sizes.insert(of.size());
        EXPECT_EQ(times[owner].size(), 1U);
        EXPECT_NE(of.contains("renewal_success"), of.contains("renewal_failure"));
    }
    EXPECT_EQ(sizes, (std::set<std::size_t>{3, 4, 5, 6}));
}

TEST(mixed_webhook, speaks_of_no_more_subscriptions_than_asked)
{
    for (const load_mix mix : mixes) {
        std::set<std::int64_t> owners;
        for (std::uint64_t n = 0; n < 600; ++n)
            if (const auto owner = read(mixed_webhook(mix, "acme", n, 3)).subscription_id)
                owners.insert(*owner);
        EXPECT_EQ(owners.size(), 3U);
    }
}

TEST(mixed_webhook, all_is_all)
{
    std::set<std::string> events;
    for (std::uint64_t n = 0; n < chargify::event_catalogue().size(); ++n)
        events.insert(mixed_webhook(load_mix::all, "acme", n, 10).event);
    EXPECT_EQ(events.size(), chargify::event_catalogue().size());
}

TEST(renewal_storm, renews_every_subscription_once)
{
    for (const std::uint64_t subscriptions : {1U, 2U, 3U, 4U, 5U, 100U}) {
        const renewal_storm storm("acme", subscriptions, 1);
        std::map<std::int64_t, std::size_t> per_subscription;
        std::set<std::string> failures;
        for (std::uint64_t n = 0; n < storm.size(); ++n) {
            const webhook sent = storm.at(n);
            expect_wire_exact(sent);
            ++per_subscription[read(sent).subscription_id.value_or(0)];
        }
        EXPECT_EQ(per_subscription.size(), subscriptions);
        for (const auto& [owner, count] : per_subscription)
            EXPECT_TRUE(count >= 3 && count <= 6) << owner << " " << count;
    }
    EXPECT_EQ(renewal_storm("acme", 4, 1).size(), 18U);
}

TEST(renewal_storm, numbers_rise_and_an_hour_is_enough)
{
    const renewal_storm storm("acme", 1000, 3);
    webhook last = storm.at(0);
    const sys_seconds begins = last.at;
    for (std::uint64_t n = 1; n < storm.size(); ++n) {
        webhook next = storm.at(n);
        EXPECT_EQ(next.id, last.id + 1);
        EXPECT_GE(next.at, last.at);
        last = std::move(next);
    }
    EXPECT_GT(last.at - begins, 59min);
    EXPECT_LT(last.at - begins, 1h);
}

TEST(renewal_storm, another_seed_is_a_later_hour_of_the_same_subscriptions)
{
    const renewal_storm one("acme", 10, 1);
    const renewal_storm two("acme", 10, 2);
    EXPECT_EQ(one.at(7).body, renewal_storm("acme", 10, 1).at(7).body);
    EXPECT_NE(one.at(7).id, two.at(7).id);
    EXPECT_EQ(read(one.at(7)).subscription_id, read(two.at(7)).subscription_id);
    EXPECT_LT(one.at(7).at, two.at(7).at);
    EXPECT_LT(read(one.at(7)).event_id, read(two.at(7)).event_id);
    std::set<std::int64_t> transactions;
    for (const auto& storm : {one, two})
        for (std::uint64_t n = 0; n < storm.size(); ++n) {
            const chargify::envelope e = read(storm.at(n));
            if (const auto id = e.tree.integer(e.tree.branch(e.payload, "transaction"), "id"))
                transactions.insert(*id);
        }
    EXPECT_EQ(transactions.size(), 20U);
}

} // namespace
} // namespace chargifyd::simulate
