#include "temporary_directory.hpp"
#include "webhook_body.hpp"

#include "chargifyd/sqlite/database.hpp"
#include "chargifyd/state/projection.hpp"
#include "chargifyd/state/sqlite_store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

namespace chargifyd::state {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// A state of its own, fed with bodies.
class projection : public ::testing::Test {
protected:
    outcome give(const std::string& body, const std::string& site = "acme")
    {
        const applied_webhook done = give_whole(body, site);
        EXPECT_FALSE(done.duplicate);
        return done.result;
    }

    applied_webhook give_whole(const std::string& body, const std::string& site = "acme")
    {
        const webhook w = prepare(++sequence_, site, timestamp{std::chrono::seconds(1'800'000'000)}, body);
        store_->begin();
        const applied_webhook done = apply(*store_, w);
        store_->commit(sequence_);
        return done;
    }

    std::string ask(const std::string& sql)
    {
        sqlite::database db(folder_ / "state.db", sqlite::access::read_only);
        sqlite::statement query(db, sql);
        sqlite::statement::run rows(query);
        std::string all;
        while (rows.step()) {
            for (int i = 0; i < rows.columns(); ++i)
                all += (i != 0 ? "|" : "") + std::string(rows.is_null(i) ? "NULL" : rows.text(i));
            all += '\n';
        }
        return all;
    }

    /// All that does not tell when something was learned.
    std::string content()
    {
        std::string all;
        for (const char* const table : {"subscriptions", "customers", "products"})
            all += ask(std::string("SELECT * FROM ") + table + " ORDER BY site, id") + "--\n";
        all += ask("SELECT site, subscription_id, kind, old_value, new_value, occurred_at FROM changes ORDER "
                   "BY 2, 6, 3, "
                   "4, 5");
        return all + ask("SELECT * FROM subscription_access");
    }

    std::vector<std::string> changes(long long id = 100)
    {
        std::vector<std::string> all;
        std::string text =
            ask("SELECT kind || ' ' || coalesce(old_value, '-') || ' ' || coalesce(new_value, '-') FROM "
                "changes WHERE subscription_id = " +
                std::to_string(id) + " ORDER BY id");
        for (std::size_t at = 0; at < text.size();) {
            const std::size_t end = text.find('\n', at);
            all.push_back(text.substr(at, end - at));
            at = end + 1;
        }
        return all;
    }

    void reset()
    {
        store_.reset();
        for (const char* const suffix : {"", "-wal", "-shm"})
            std::filesystem::remove((folder_ / "state.db").string() + suffix);
        store_ = std::move(*sqlite_store::open(folder_ / "state.db", "j", {}));
        sequence_ = 0;
    }

    test::temporary_directory folder_;
    std::unique_ptr<sqlite_store> store_ = std::move(*sqlite_store::open(folder_ / "state.db", "j", {}));
    std::uint64_t sequence_ = 0;
};

// P2: a webhook changes state once.
TEST_F(projection, a_webhook_is_applied_once_however_often_it_arrives)
{
    test::subscription_body b;
    EXPECT_EQ(give(b.str()), outcome::applied);
    const std::string before = content();
    EXPECT_TRUE(give_whole(b.str()).duplicate);
    b.state = "canceled"; // the same id: whatever else it says, it is the same webhook
    b.updated_at = "2026-05-01 10:00:00 -0400";
    EXPECT_TRUE(give_whole(b.str()).duplicate);
    EXPECT_EQ(content(), before);
    EXPECT_EQ(ask("SELECT seq, outcome, deliveries FROM events"), "1|applied|3\n");
}

TEST_F(projection, the_same_id_on_another_site_is_another_webhook)
{
    test::subscription_body b;
    EXPECT_EQ(give(b.str()), outcome::applied);
    b.subdomain = "globex";
    EXPECT_EQ(give(b.str(), "globex"), outcome::applied);
    EXPECT_EQ(ask("SELECT site FROM subscriptions ORDER BY 1"), "acme\nglobex\n");
}

TEST_F(projection, a_webhook_without_an_id_is_applied_once)
{
    const std::string body = "event=test&payload[chargify]=testing";
    EXPECT_EQ(give(body), outcome::test);
    EXPECT_TRUE(give_whole(body).duplicate);
    EXPECT_EQ(ask("SELECT count(*), max(deliveries) FROM events"), "1|2\n");
}

// P3: state never goes back.
TEST_F(projection, an_older_statement_never_replaces_a_newer_one)
{
    test::subscription_body b;
    b.webhook_id = 2;
    b.state = "canceled";
    b.updated_at = "2026-03-01 10:00:00 -0500";
    EXPECT_EQ(give(b.str()), outcome::applied);
    b.webhook_id = 9; // a replay of long ago, with the larger id
    b.event_id = 9;
    b.state = "active";
    b.updated_at = "2026-02-01 10:00:00 -0500";
    EXPECT_EQ(give(b.str()), outcome::stale);
    EXPECT_EQ(ask("SELECT state, updated_at FROM subscriptions"), "canceled|2026-03-01T15:00:00Z\n");
}

TEST_F(projection, times_are_compared_as_instants)
{
    test::subscription_body b;
    b.webhook_id = 1;
    b.updated_at = "2026-03-08 03:30:00 -0400"; // 07:30 UTC, the hour after clocks went forward
    EXPECT_EQ(give(b.str()), outcome::applied);
    b.webhook_id = 2;
    b.event_id = 2;
    b.state = "past_due";
    b.updated_at = "2026-03-08 01:59:59 -0500"; // 06:59:59 UTC
    EXPECT_EQ(give(b.str()), outcome::stale);
    b.webhook_id = 3;
    b.event_id = 3;
    b.updated_at = "2026-03-08T07:30:01Z";
    EXPECT_EQ(give(b.str()), outcome::applied);
    EXPECT_EQ(ask("SELECT state FROM subscriptions"), "past_due\n");
}

TEST_F(projection, inside_one_second_the_event_id_decides_then_the_webhook_id)
{
    test::subscription_body b;
    b.webhook_id = 50;
    b.event_id = 11;
    b.state = "active";
    EXPECT_EQ(give(b.str()), outcome::applied);
    b.webhook_id = 51;
    b.event_id = 10;
    b.state = "past_due";
    EXPECT_EQ(give(b.str()), outcome::stale);
    b.webhook_id = 49;
    b.event_id = 11;
    EXPECT_EQ(give(b.str()), outcome::stale);
    b.webhook_id = 52;
    EXPECT_EQ(give(b.str()), outcome::applied);
    EXPECT_EQ(ask("SELECT state FROM subscriptions"), "past_due\n");
}

TEST_F(projection, each_object_has_its_own_clock)
{
    test::subscription_body b;
    b.customer_updated_at = "2026-06-01 10:00:00 -0400";
    b.first_name = "New";
    give(b.str());
    b.webhook_id = 2;
    b.event_id = 2;
    b.updated_at = "2026-07-01 10:00:00 -0400";
    b.state = "past_due";
    b.customer_updated_at = "2026-05-01 10:00:00 -0400";
    b.first_name = "Old";
    EXPECT_EQ(give(b.str()), outcome::applied);
    EXPECT_EQ(ask("SELECT first_name FROM customers"), "New\n");
    EXPECT_EQ(ask("SELECT state FROM subscriptions"), "past_due\n");
}

TEST_F(projection, a_patch_sets_what_it_names_and_never_blanks)
{
    test::subscription_body b;
    b.balance = "500";
    b.webhook_id = 10;
    b.event_id = 10;
    give(b.str());
    EXPECT_EQ(give("id=11&event=statement_settled&payload[subscription][id]=100&payload[subscription][state]="
                   "past_due&"
                   "payload[subscription][balance_in_cents]=&payload[event_id]=11"),
              outcome::applied);
    EXPECT_EQ(ask("SELECT state, balance_in_cents, current_period_ends_at, customer_id FROM subscriptions"),
              "past_due|500|2026-02-01T15:00:00Z|7\n");
}

TEST_F(projection, an_older_patch_is_stale_and_a_newer_full_statement_wins_over_it)
{
    test::subscription_body b;
    b.webhook_id = 10;
    b.event_id = 10;
    give(b.str());
    EXPECT_EQ(
        give("id=9&event=statement_settled&payload[subscription][id]=100&payload[subscription][state]=unpaid&"
             "payload[event_id]=9"),
        outcome::stale);
    EXPECT_EQ(give("id=12&event=statement_settled&payload[subscription][id]=100&payload[subscription][state]="
                   "past_due&"
                   "payload[event_id]=12"),
              outcome::applied);
    b.webhook_id = 13;
    b.event_id = 13;
    b.updated_at = "2026-01-02 10:00:00 -0500";
    EXPECT_EQ(give(b.str()), outcome::applied);
    EXPECT_EQ(ask("SELECT state FROM subscriptions"), "active\n");
}

// P5: nothing is silent.
TEST_F(projection, unknown_events_are_used_as_far_as_they_go)
{
    EXPECT_EQ(give("id=1&event=never_heard_of&payload[thing]=1"), outcome::unknown);
    test::subscription_body b;
    b.webhook_id = 2;
    b.event = "brand_new_event";
    EXPECT_EQ(give(b.str()), outcome::applied);
    EXPECT_EQ(give("id=3&event=metered_usage&payload[component][id]=5"), outcome::unchanged);
    EXPECT_EQ(ask("SELECT event, outcome, subscription_id FROM events ORDER BY seq"),
              "never_heard_of|unknown|NULL\nbrand_new_event|applied|100\nmetered_usage|unchanged|NULL\n");
}

TEST_F(projection, dead_letters_are_visible_and_never_stand_for_a_webhook)
{
    EXPECT_EQ(give("not a webhook %"), outcome::dead);
    EXPECT_EQ(give("not a webhook %"), outcome::dead);
    test::subscription_body b;
    b.subdomain = "globex";
    EXPECT_EQ(give(b.str()), outcome::dead);
    b.subdomain = "acme";
    EXPECT_EQ(give(b.str()), outcome::applied);
    EXPECT_EQ(ask("SELECT count(*) FROM events WHERE outcome = 'dead' AND error IS NOT NULL"), "3\n");
}

TEST_F(projection, test_bodies_never_become_state)
{
    test::subscription_body b;
    b.id = 0;
    b.customer_id = 0;
    b.product_id = 0;
    EXPECT_EQ(give(b.str()), outcome::test);
    EXPECT_EQ(ask("SELECT (SELECT count(*) FROM subscriptions) + (SELECT count(*) FROM customers) + (SELECT "
                  "count(*) "
                  "FROM products) + (SELECT count(*) FROM changes)"),
              "0\n");
}

TEST_F(projection, vault_tokens_never_reach_the_file)
{
    give(test::subscription_body{}.str());
    store_->checkpoint(true);
    std::string whole;
    for (const char* const name : {"state.db", "state.db-wal"}) {
        FILE* const f = std::fopen((folder_ / name).c_str(), "rb");
        if (f == nullptr)
            continue;
        char block[65536];
        for (std::size_t n = 0; (n = std::fread(block, 1, sizeof block, f)) > 0;)
            whole.append(block, n);
        std::fclose(f);
    }
    ASSERT_THAT(whole, HasSubstr("XXXX-XXXX-XXXX-1"));
    EXPECT_EQ(whole.find("canary"), std::string::npos);
}

TEST_F(projection, changes_tell_a_life)
{
    test::subscription_body b;
    const auto next = [&](const char* updated) {
        ++b.webhook_id;
        ++b.event_id;
        b.updated_at = updated;
        give(b.str());
    };
    give(b.str());
    b.period_started_at = "2026-02-01 10:00:00 -0500";
    b.period_ends_at = "2026-03-01 10:00:00 -0500";
    next("2026-02-01 10:00:05 -0500");
    next("2026-02-01 10:00:06 -0500"); // the same facts under another webhook
    b.state = "assessing";             // passing: nothing may be concluded from it
    next("2026-02-20 10:00:00 -0500");
    b.state = "active";
    b.product_id = 4;
    b.product_handle = "pro";
    next("2026-02-21 10:00:00 -0500");
    b.cancel_at_end = "true";
    b.delayed_cancel_at = "2026-03-01 10:00:00 -0500";
    next("2026-02-22 10:00:00 -0500");
    b.cancel_at_end = "false";
    b.delayed_cancel_at = "";
    next("2026-02-23 10:00:00 -0500");
    b.state = "canceled";
    next("2026-03-01 10:00:00 -0500");
    b.state = "active";
    b.period_started_at = "2026-04-01 10:00:00 -0400";
    next("2026-04-01 10:00:00 -0400");
    EXPECT_THAT(changes(),
                ElementsAre("created - active", "renewal 2026-02-01T15:00:00Z 2026-03-01T15:00:00Z",
                            "product basic pro", "cancellation - 2026-03-01T15:00:00Z",
                            "cancellation 2026-03-01T15:00:00Z removed", "state active canceled",
                            "cancellation - canceled", "state canceled active",
                            "reactivation canceled active"));
}

TEST_F(projection, a_late_statement_corrects_the_changes_around_it)
{
    test::subscription_body b;
    b.state = "trialing";
    give(b.str());
    b.webhook_id = 3;
    b.event_id = 3;
    b.state = "canceled";
    b.updated_at = "2026-03-01 10:00:00 -0500";
    give(b.str());
    EXPECT_THAT(changes(), ElementsAre("created - trialing", "trial_started - -", "state trialing canceled",
                                       "trial_ended - canceled", "cancellation - canceled"));
    b.webhook_id = 2;
    b.event_id = 2;
    b.state = "active";
    b.updated_at = "2026-02-01 10:00:00 -0500";
    EXPECT_EQ(give(b.str()), outcome::stale);
    std::vector<std::string> all = changes();
    std::sort(all.begin(), all.end());
    EXPECT_THAT(all, ElementsAre("cancellation - canceled", "created - trialing", "state active canceled",
                                 "state trialing active", "trial_ended - active", "trial_started - -"));
}

TEST_F(projection, access_follows_the_table_of_states)
{
    test::subscription_body b;
    give(b.str());
    EXPECT_EQ(ask("SELECT has_access, access_until, customer_reference FROM subscription_access"),
              "1|2026-02-01T15:00:00Z|ref-7\n");
    b.webhook_id = 2;
    b.event_id = 2;
    b.updated_at = "2026-01-03 10:00:00 -0500";
    b.state = "canceled";
    give(b.str());
    EXPECT_EQ(ask("SELECT has_access, access_until FROM subscription_access"), "0|NULL\n");
    b.webhook_id = 3;
    b.event_id = 3;
    b.updated_at = "2026-01-04 10:00:00 -0500";
    b.state = "some_future_state";
    give(b.str());
    EXPECT_EQ(ask("SELECT has_access FROM subscription_access"), "0\n");
    store_.reset();
    options with;
    with.access["canceled"].has_access = true;
    with.access["some_future_state"].has_access = true;
    store_ = std::move(*sqlite_store::open(folder_ / "state.db", "j", with));
    EXPECT_EQ(ask("SELECT has_access FROM subscription_access"), "1\n");
}

TEST_F(projection, access_ends_with_a_scheduled_cancellation_or_the_expiry)
{
    const std::string access = "SELECT has_access, access_until FROM subscription_access";
    test::subscription_body b;
    b.cancel_at_end = "true";
    b.delayed_cancel_at = "2999-02-01 10:00:00 -0500";
    give(b.str());
    EXPECT_EQ(ask(access), "1|2999-02-01T15:00:00Z\n");
    b.webhook_id = 2, b.event_id = 2;
    b.delayed_cancel_at = "2026-01-15 10:00:00 -0500";
    give(b.str());
    EXPECT_EQ(ask(access), "0|2026-01-15T15:00:00Z\n");
    b.webhook_id = 3, b.event_id = 3;
    b.delayed_cancel_at = ""; // then it ends with the period
    give(b.str());
    EXPECT_EQ(ask(access), "0|2026-02-01T15:00:00Z\n");
    b.webhook_id = 4, b.event_id = 4;
    b.cancel_at_end = "false";
    give(b.str());
    EXPECT_EQ(ask(access), "1|2026-02-01T15:00:00Z\n");
    give(b.str().replace(0, 4, "id=5") + "&payload[subscription][expires_at]=2026-01-31T00:00:00Z");
    EXPECT_EQ(ask(access), "0|2026-01-31T00:00:00Z\n");
}

TEST_F(projection, grace_counts_from_the_day_a_state_began)
{
    store_.reset();
    options with;
    with.access["past_due"] = {true, 14};
    store_ = std::move(*sqlite_store::open(folder_ / "state.db", "j", with));
    const std::string access = "SELECT has_access, access_until FROM subscription_access";
    test::subscription_body b;
    give(b.str());
    EXPECT_EQ(ask(access), "1|2026-02-01T15:00:00Z\n");
    b.webhook_id = 2, b.event_id = 2, b.state = "past_due", b.updated_at = "2999-03-01T00:00:00Z";
    give(b.str());
    EXPECT_EQ(ask(access), "1|2999-03-15T00:00:00Z\n");
    b.webhook_id = 3, b.event_id = 3, b.updated_at = "2999-03-04T00:00:00Z"; // dunning goes on
    give(b.str());
    EXPECT_EQ(ask(access), "1|2999-03-15T00:00:00Z\n");
    b.webhook_id = 4, b.event_id = 4, b.updated_at = "2026-03-01T00:00:00Z"; // it was so long before
    give(b.str());
    EXPECT_EQ(ask(access), "0|2026-03-15T00:00:00Z\n");
}

TEST_F(projection, grace_of_a_state_whose_beginning_is_not_known_does_not_end)
{
    store_.reset();
    options with;
    with.access["past_due"] = {true, 14};
    store_ = std::move(*sqlite_store::open(folder_ / "state.db", "j", with));
    const std::string access = "SELECT has_access, access_until FROM subscription_access";
    test::subscription_body b; // first heard of in this state: it counts from there, not from the signup
    b.state = "past_due", b.updated_at = "2999-03-01T00:00:00Z";
    give(b.str());
    EXPECT_EQ(ask(access), "1|2999-03-15T00:00:00Z\n");
    b.webhook_id = 2, b.event_id = 2, b.state = "active", b.updated_at = "2999-04-01T00:00:00Z";
    give(b.str());
    // A partial payload says it is past due again: since when, nobody said.
    give("id=3&event=statement_closed&payload[event_id]=3&payload[subscription][id]=100&"
         "payload[subscription][state]=past_due");
    EXPECT_EQ(ask(access), "1|2026-02-01T15:00:00Z\n");
    give("id=4&event=statement_closed&payload[event_id]=4&payload[subscription][id]=200&"
         "payload[subscription][state]=past_due&payload[subscription][expires_at]=2020-01-01T00:00:00Z");
    EXPECT_EQ(ask(access + " WHERE subscription_id = 200"), "0|2020-01-01T00:00:00Z\n");
}

// P3: also where some webhooks have an event id and others none.
TEST_F(projection, patches_with_and_without_an_event_id_end_the_same_in_any_order)
{
    test::subscription_body base;
    base.webhook_id = 20, base.event_id = 10, base.balance = "0";
    const std::string partial = "&event=statement_closed&payload[subscription][id]=100&payload[subscription]"
                                "[balance_in_cents]=";
    std::vector<std::string> bodies = {
        base.str(), "id=30" + partial + "300", "id=19" + partial + "100&payload[event_id]=9",
        "id=18" + partial + "50&payload[event_id]=12", "id=25" + partial + "250"};
    std::sort(bodies.begin(), bodies.end());
    std::set<std::string> ends;
    do {
        reset();
        for (const std::string& body : bodies)
            give(body);
        ends.insert(ask("SELECT balance_in_cents, attributes FROM subscriptions"));
    } while (std::next_permutation(bodies.begin(), bodies.end()));
    ASSERT_EQ(ends.size(), 1U);
    EXPECT_TRUE(ends.begin()->starts_with("300|")) << *ends.begin();
}

TEST_F(projection, a_price_point_without_a_time_of_its_own_is_placed_by_its_event)
{
    give("id=1&event=component_allocation_change&payload[event_id]=1&payload[subscription][id]=100&"
         "payload[component][id]=40&payload[new_allocation]=true&payload[price_point_id]=5&"
         "payload[timestamp]=2024-01-01T00:00:00Z");
    give("id=2&event=item_price_point_changed&payload[event_id]=2&payload[subscription_id]=100&"
         "payload[item_id]=40&payload[item_type]=OnOffComponent&payload[current_price_point][id]=9&"
         "payload[current_price_point][handle]=new");
    EXPECT_EQ(ask("SELECT quantity, price_point_id, price_point_handle FROM components"), "1|9|new\n");
    give("id=3&event=component_allocation_change&payload[event_id]=3&payload[subscription][id]=100&"
         "payload[component][id]=40&payload[new_allocation]=off&payload[timestamp]=2024-01-02T00:00:00Z");
    EXPECT_EQ(ask("SELECT quantity FROM components"), "0\n");
}

TEST_F(projection, a_statement_takes_nothing_from_a_transaction)
{
    const std::string t = "[id]=55&@[type]=Payment&@[success]=false&@[amount_in_cents]=64&@[created_at]="
                          "2026-01-01T00:00:00Z";
    const auto at = [&](const std::string& place) {
        std::string text = place + t;
        for (std::size_t i; (i = text.find('@')) != std::string::npos;)
            text.replace(i, 1, place);
        return text;
    };
    give("id=1&event=payment_failure&payload[event_id]=1&" + at("payload[transaction]") +
         "&payload[transaction][gateway_response_code]=51");
    give("id=2&event=statement_closed&payload[event_id]=2&payload[statement][id]=8&" +
         at("payload[statement][transactions][0]") +
         "&payload[statement][transactions][0][refunded_amount_in_cents]=10");
    EXPECT_EQ(ask("SELECT refunded_amount_in_cents, attributes FROM transactions"),
              "10|{\"gateway_response_code\":\"51\"}\n");
    EXPECT_EQ(ask("SELECT kind FROM changes"), "payment_failed\n");
}

TEST_F(projection, a_late_statement_leaves_the_rows_that_stay_true)
{
    test::subscription_body b;
    give(b.str());
    b.webhook_id = 3, b.event_id = 3, b.updated_at = "2026-02-02 10:00:00 -0500";
    b.period_started_at = "2026-02-01 10:00:00 -0500", b.period_ends_at = "2026-03-01 10:00:00 -0500";
    give(b.str());
    const std::string renewal = ask("SELECT id FROM changes WHERE kind = 'renewal'");
    b = {};
    b.webhook_id = 2, b.event_id = 2, b.updated_at = "2026-01-15 10:00:00 -0500";
    give(b.str() + "&payload[subscription][expires_at]=2027-01-01T00:00:00Z");
    EXPECT_THAT(changes(),
                ElementsAre("created - active", "renewal 2026-02-01T15:00:00Z 2026-03-01T15:00:00Z",
                            "expiration_date - 2027-01-01T00:00:00Z",
                            "expiration_date 2027-01-01T00:00:00Z -"));
    EXPECT_EQ(ask("SELECT id FROM changes WHERE kind = 'renewal'"), renewal);
}

TEST_F(projection, a_purged_subscription_has_no_access)
{
    give(test::subscription_body{}.str());
    give("id=2&event=subscription_deletion&payload[event_id]=2&payload[subscription_id]=100");
    EXPECT_EQ(ask("SELECT has_access, access_until FROM subscription_access"), "0|NULL\n");
    EXPECT_EQ(ask("SELECT state, deleted FROM subscriptions"), "active|1\n");
}

TEST_F(projection, a_fact_is_one_row_however_many_webhooks_tell_it)
{
    const std::string t = "payload[transaction]";
    const std::string payment = t + "[id]=55&" + t + "[subscription_id]=100&" + t + "[type]=Payment&" + t +
                                "[success]=true&" + t + "[amount_in_cents]=6400&" + t +
                                "[created_at]=2026-01-01T00:00:00Z";
    EXPECT_EQ(give("id=5&event=payment_success&payload[event_id]=5&" + payment), outcome::applied);
    EXPECT_EQ(give("id=6&event=payment_success&payload[event_id]=5&" + payment), outcome::unchanged);
    EXPECT_EQ(give("id=4&event=payment_success&payload[event_id]=4&" + payment), outcome::stale);
    EXPECT_THAT(changes(), ElementsAre("payment - 6400"));
    EXPECT_EQ(ask("SELECT seq, object_id, amount_in_cents FROM changes"),
              "3|55|6400\n"); // the first to tell it
}

/// A small life with everything that makes order hard: one second with two events, a snapshot with an older
/// clock, a patch, customer and product changes, a passing state, an unknown event.
std::vector<std::string> hard_life()
{
    std::vector<std::string> all;
    test::subscription_body b;
    b.state = "trialing";
    b.event = "signup_success";
    all.push_back(b.str());
    b.webhook_id = 2, b.event_id = 2, b.state = "active", b.updated_at = "2026-02-01 10:00:00 -0500";
    b.period_started_at = "2026-02-01 10:00:00 -0500", b.period_ends_at = "2026-03-01 10:00:00 -0500";
    all.push_back(b.str());
    b.webhook_id = 3, b.event_id = 3, b.product_id = 4, b.product_handle = "pro", b.first_name = "Grace";
    b.customer_updated_at = "2026-02-01 10:00:00 -0500";
    all.push_back(b.str()); // the same second as the one before
    b.webhook_id = 7, b.event_id = 4, b.updated_at = "2026-01-20 10:00:00 -0500", b.state = "past_due";
    all.push_back(b.str()); // a later event with an older snapshot
    b.webhook_id = 8, b.event_id = 6, b.updated_at = "2026-03-01 10:00:00 -0500", b.state = "canceled";
    b.canceled_at = "2026-03-01 10:00:00 -0500";
    all.push_back(b.str());
    all.emplace_back(
        "id=10&event=statement_closed&payload[subscription][id]=100&payload[subscription][state]=expired&"
        "payload[subscription][note]=kept&payload[customer][id]=7&payload[customer][city]=Paris&"
        "payload[event_id]=7");
    return all;
}

// P3, P4: order and repetition do not matter.
TEST_F(projection, every_permutation_with_duplicates_ends_the_same)
{
    const std::vector<std::string> life = hard_life();
    for (const std::string& body : life)
        give_whole(body);
    const std::string expected = content();
    ASSERT_THAT(expected, HasSubstr("expired"));

    std::vector<std::size_t> order(life.size());
    for (std::size_t i = 0; i < order.size(); ++i)
        order[i] = i;
    std::mt19937 random(1);
    // 6! = 720 orders in one file: each permutation lives on a site of its own.
    std::size_t n = 0;
    std::map<std::string, std::string> bodies_of_site;
    store_->begin();
    do {
        const std::string site = "s" + std::to_string(n++);
        const auto deliver = [&](std::size_t i) {
            std::string body = life[i];
            if (const std::size_t at = body.find("acme"); at != std::string::npos)
                body.replace(at, 4, site);
            apply(*store_, prepare(++sequence_, site, timestamp{}, body));
        };
        for (const std::size_t i : order) {
            deliver(i);
            if (random() % 3 == 0)
                deliver(order[random() % order.size()]);
        }
        for (const std::size_t i : order)
            deliver(i);
    } while (std::next_permutation(order.begin(), order.end()));
    store_->commit(sequence_);
    ASSERT_EQ(n, 720U);

    const auto distinct = [&](const std::string& columns, const std::string& table) {
        return ask("SELECT count(*), count(DISTINCT site) FROM (SELECT DISTINCT " + columns +
                   ", '' AS site FROM " + table + " WHERE site <> 'acme')");
    };
    for (const char* const table : {"subscriptions", "customers", "products"}) {
        std::string columns = ask("SELECT group_concat('\"' || name || '\"') FROM pragma_table_info('" +
                                  std::string(table) + "') WHERE name <> 'site'");
        columns.pop_back();
        const std::string expected_rows =
            ask("SELECT count(*), 1 FROM " + std::string(table) + " WHERE site = 'acme'");
        EXPECT_EQ(distinct(columns, table), expected_rows) << table;
    }
    const std::string grouped =
        "SELECT count(DISTINCT facts) FROM (SELECT site, group_concat(fact, ';') AS facts FROM "
        "(SELECT site, kind || coalesce(old_value, '-') || coalesce(new_value, '-') || "
        "coalesce(occurred_at, '-') AS fact FROM changes ORDER BY site, fact) GROUP BY site)";
    EXPECT_EQ(ask(grouped), "1\n");
    EXPECT_EQ(ask("SELECT count(DISTINCT site) FROM changes"), "721\n");
}

} // namespace
} // namespace chargifyd::state
