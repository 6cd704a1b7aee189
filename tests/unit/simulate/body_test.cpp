#include "chargifyd/base/time.hpp"
#include "chargifyd/chargify/envelope.hpp"
#include "chargifyd/chargify/timestamp.hpp"
#include "chargifyd/simulate/body.hpp"

#include <gtest/gtest.h>

#include <set>
#include <utility>

namespace chargifyd::simulate {
namespace {

using namespace std::chrono;

chargify::envelope read(const webhook& sent)
{
    auto tree = chargify::form::parse(sent.body);
    EXPECT_TRUE(tree);
    auto found = chargify::read_envelope(tree ? std::move(*tree) : chargify::form());
    EXPECT_TRUE(found);
    return found ? std::move(*found) : chargify::envelope();
}

TEST(body_writer, writes_as_chargify_does)
{
    body_writer out;
    out.add("payload[a][b]", "Ann Lee & Co. = 5%");
    out.add("c", "-._!'()").add("d", ":/@$,?&=%+;~*\"<>[]#").add("e", "").add("f", "Zo\xc3\xab\n");
    out.add("g", std::int64_t{-17}).add("h", INT64_MAX);
    EXPECT_EQ(out.str(), "payload[a][b]=Ann%20Lee%20%26%20Co.%20%3D%205%25&c=-._!'()"
                         "&d=%3A%2F%40%24%2C%3F%26%3D%25%2B%3B%7E%2A%22%3C%3E%5B%5D%23&e=&f=Zo%C3%AB%0A&g=-17"
                         "&h=9223372036854775807");
}

TEST(body_writer, what_it_writes_is_read_back)
{
    std::string every_byte;
    for (int c = 0; c < 256; ++c)
        every_byte += static_cast<char>(c);
    body_writer out;
    out.add("a[b]", every_byte).add("strange key&=", "1");
    const auto tree = chargify::form::parse(out.str());
    ASSERT_TRUE(tree);
    EXPECT_EQ(tree->value(tree->branch(chargify::form::root, "a"), "b"), every_byte);
    EXPECT_EQ(tree->value(chargify::form::root, "strange key&="), "1");
}

TEST(eastern_time, follows_daylight_saving)
{
    const auto at = [](year_month_day day, seconds clock) { return eastern_time(sys_days(day) + clock); };
    EXPECT_EQ(at(2016y / 11 / 8, 21h + 22min + 18s), "2016-11-08 16:22:18 -0500");
    EXPECT_EQ(at(2026y / 7 / 1, 12h), "2026-07-01 08:00:00 -0400");
    EXPECT_EQ(at(2026y / 3 / 8, 6h + 59min + 59s), "2026-03-08 01:59:59 -0500");
    EXPECT_EQ(at(2026y / 3 / 8, 7h), "2026-03-08 03:00:00 -0400");
    EXPECT_EQ(at(2026y / 11 / 1, 5h + 59min + 59s), "2026-11-01 01:59:59 -0400");
    EXPECT_EQ(at(2026y / 11 / 1, 6h), "2026-11-01 01:00:00 -0500");
    EXPECT_EQ(at(2015y / 3 / 1, 12h), "2015-03-01 07:00:00 -0500");
    EXPECT_EQ(at(2027y / 1 / 1, 2h), "2026-12-31 21:00:00 -0500");
    EXPECT_EQ(at(1970y / 1 / 1, 0s), "1969-12-31 19:00:00 -0500");
}

TEST(eastern_time, is_read_back_as_the_same_instant)
{
    for (sys_seconds when = sys_days(2026y / 1 / 1); when < sys_days(2027y / 1 / 2); when += 1h + 7s)
        ASSERT_EQ(chargify::parse_timestamp(eastern_time(when)), when) << eastern_time(when);
}

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

TEST(test_webhook, is_what_the_test_button_sends)
{
    const webhook sent = test_webhook(123456);
    EXPECT_EQ(sent.id, 123456);
    EXPECT_EQ(sent.event, "test");
    EXPECT_EQ(sent.body, "id=123456&event=test&payload[chargify]=testing");
    EXPECT_TRUE(read(sent).test);
}

} // namespace
} // namespace chargifyd::simulate
