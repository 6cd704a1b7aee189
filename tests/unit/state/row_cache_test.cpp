#include "database_dump.hpp"
#include "temporary_directory.hpp"
#include "webhook_body.hpp"

#include "chargifyd/state/projection.hpp"
#include "chargifyd/state/row_cache.hpp"
#include "chargifyd/state/sqlite_store.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace chargifyd::state {
namespace {

class row_caching : public ::testing::Test {
protected:
    std::unique_ptr<sqlite_store> open(const std::string& name)
    {
        return std::move(*sqlite_store::open(folder_ / name, "j", {}));
    }

    test::temporary_directory folder_;
};

const object_key key{std::int64_t{1}};

TEST_F(row_caching, keeps_the_rows_that_nearly_every_webhook_has)
{
    const auto store = open("state.db");
    store->begin();
    row_cache rows(*store);
    for (const object_kind kind : {object_kind::transaction, object_kind::component}) {
        object_key of_kind = key;
        of_kind.resize(table_of(kind).keys.size(), key.front());
        EXPECT_TRUE(rows.open(kind, "acme", of_kind).is_new);
        rows.flush();
        EXPECT_EQ(rows.bytes(), 0U) << "written, and forgotten";
        EXPECT_FALSE(rows.open(kind, "acme", of_kind).is_new) << "the store has it";
    }
    for (const object_kind kind : {object_kind::subscription, object_kind::customer, object_kind::product}) {
        const std::size_t before = rows.bytes();
        rows.open(kind, "acme", key);
        rows.flush();
        EXPECT_GT(rows.bytes(), before);
    }
    store->commit(0);
}

TEST_F(row_caching, a_row_is_new_until_it_was_opened_once)
{
    const auto store = open("state.db");
    store->begin();
    row_cache rows(*store);
    const auto first = rows.open(object_kind::product, "acme", key);
    EXPECT_TRUE(first.is_new);
    EXPECT_EQ(first.row.columns.size(), table_of(object_kind::product).columns.size());
    EXPECT_FALSE(rows.open(object_kind::product, "acme", key).is_new);
    rows.flush();
    EXPECT_FALSE(rows.open(object_kind::product, "acme", key).is_new);
    rows.clear();
    EXPECT_FALSE(rows.open(object_kind::product, "acme", key).is_new) << "the store has it";
    EXPECT_TRUE(rows.open(object_kind::product, "acme", {std::int64_t{2}}).is_new);
    store->commit(0);
}

TEST_F(row_caching, a_row_that_was_cleared_before_the_flush_is_not_made)
{
    const auto store = open("state.db");
    store->begin();
    row_cache rows(*store);
    rows.open(object_kind::product, "acme", key);
    rows.clear();
    rows.flush();
    EXPECT_FALSE(store->load(object_kind::product, "acme", key));
    store->commit(0);
}

TEST_F(row_caching, writes_at_the_flush_and_not_before)
{
    const auto store = open("state.db");
    const std::size_t handle = *table_of(object_kind::product).find("handle");
    store->begin();
    row_cache rows(*store);
    object_row& row = rows.open(object_kind::product, "acme", key).row;
    row.columns[handle] = std::string("basic");
    row.changed = row_part(handle);
    EXPECT_FALSE(store->load(object_kind::product, "acme", key));
    rows.flush();
    EXPECT_EQ(store->load(object_kind::product, "acme", key)->columns[handle], value(std::string("basic")));
    EXPECT_EQ(&rows.open(object_kind::product, "acme", key).row, &row);
    row.columns[handle] = std::string("pro");
    row.changed = row_part(handle);
    rows.flush();
    EXPECT_EQ(store->load(object_kind::product, "acme", key)->columns[handle], value(std::string("pro")));
    store->commit(0);
}

TEST_F(row_caching, tells_rows_of_other_kinds_sites_and_keys_apart)
{
    const auto store = open("state.db");
    row_cache rows(*store);
    const object_row* const one = &rows.open(object_kind::product, "acme", key).row;
    EXPECT_NE(&rows.open(object_kind::customer, "acme", key).row, one);
    EXPECT_NE(&rows.open(object_kind::product, "globex", key).row, one);
    EXPECT_NE(&rows.open(object_kind::product, "acme", {std::int64_t{2}}).row, one);
    EXPECT_EQ(&rows.open(object_kind::product, "acme", key).row, one);
}

TEST_F(row_caching, counts_what_its_rows_have_grown_to)
{
    const auto store = open("state.db");
    store->begin();
    row_cache rows(*store);
    rows.open(object_kind::product, "acme", key);
    rows.flush();
    const std::size_t before = rows.bytes();
    EXPECT_GT(before, 0U);
    rows.open(object_kind::product, "acme", key).row.attributes =
        "{\"a\":\"" + std::string(100'000, 'x') + "\"}";
    rows.flush();
    EXPECT_GE(rows.bytes(), before + 100'000);
    rows.open(object_kind::product, "acme", key).row.attributes = "{}";
    rows.flush();
    EXPECT_LT(rows.bytes(), before + 1000);
    rows.clear();
    EXPECT_EQ(rows.bytes(), 0U);
    store->commit(0);
}

/// Full payloads, older and newer ones, states in passing, patches, and one without an id.
std::vector<std::string> history()
{
    std::vector<std::string> bodies;
    const char* const states[] = {"trialing", "active", "assessing", "past_due", "active", "canceled"};
    for (int i = 0; i < 18; ++i) {
        test::subscription_body b;
        b.webhook_id = i == 7 ? 0 : 100 + i;
        b.event_id = 1000 + i * 7 % 18;
        b.id = 1 + i / 6;
        b.state = states[i % 6];
        b.updated_at = "2026-01-01 10:00:" + std::to_string(10 + i * 5 % 18) + " -0500";
        b.balance = std::to_string(i * 100);
        b.customer_updated_at = "2026-01-01 10:00:" + std::to_string(10 + i % 4) + " -0500";
        b.first_name = "Ada" + std::to_string(i % 4);
        bodies.push_back(b.str());
        if (i % 5 == 0)
            bodies.push_back(
                "id=" + std::to_string(500 + i) +
                "&event=payment_collection_method_changed&payload[event_id]=" + std::to_string(1005 + i) +
                "&payload[subscription][id]=" + std::to_string(1 + i / 6) +
                "&payload[current_value]=invoice" + std::to_string(i));
    }
    return bodies;
}

TEST_F(row_caching, the_rows_are_the_same_whatever_the_order_and_whenever_they_are_written)
{
    std::vector<std::string> bodies = history();
    const std::string facts =
        "SELECT (SELECT group_concat(subscription_id || kind || coalesce(old_value, '') || "
        "coalesce(new_value, '') || coalesce(occurred_at, '')) FROM (SELECT * FROM changes ORDER BY "
        "subscription_id, kind, old_value, new_value, occurred_at)) || (SELECT group_concat(subscription_id "
        "|| state || version_event_id || seen_period_started_at || seen_recovered_at || "
        "seen_trial_started_at || seen_in_trial) FROM subscription_timeline) || "
        "(SELECT group_concat(DISTINCT webhook_id) FROM (SELECT * FROM events ORDER BY webhook_id))";
    const std::string objects =
        "SELECT group_concat(s.id || s.state || s.updated_at || s.balance_in_cents || "
        "coalesce(s.payment_collection_method, '') || s.version_event_id || "
        "coalesce(s.patches, ''), '; ') || (SELECT group_concat(first_name || updated_at) FROM "
        "customers) || (SELECT count(*) FROM products) FROM (SELECT * FROM subscriptions ORDER BY id) AS s";
    std::string expected;
    std::mt19937 random(7);
    for (int run = 0; run < 60; ++run) {
        const std::string name = "state" + std::to_string(run) + ".db";
        const auto store = open(name);
        row_cache rows(*store);
        store->begin();
        std::uint64_t sequence = 0;
        for (const std::string& body : bodies) {
            const webhook w = prepare(++sequence, "acme", timestamp{}, body);
            ASSERT_TRUE(w.error.empty()) << w.error;
            if (run == 0)
                apply(*store, w); // written at once
            else
                apply(*store, rows, w);
            if (random() % 4 == 0)
                rows.flush();
            if (random() % 11 == 0) {
                rows.flush();
                rows.clear();
            }
        }
        rows.flush();
        store->commit(sequence);
        sqlite::database db(folder_ / name, sqlite::access::read_only);
        ASSERT_FALSE(db.text(facts).empty());
        const std::string found = db.text(objects) + db.text(facts);
        if (run == 0)
            expected = found;
        ASSERT_FALSE(found.empty());
        ASSERT_EQ(found, expected) << "run " << run;
        std::ranges::shuffle(bodies, random);
    }
}

} // namespace
} // namespace chargifyd::state
