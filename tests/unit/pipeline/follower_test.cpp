#include "database_dump.hpp"
#include "filled_journal.hpp"
#include "temporary_directory.hpp"
#include "webhook_body.hpp"

#include "chargifyd/pipeline/follower.hpp"
#include "chargifyd/state/sqlite_store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

namespace chargifyd::pipeline {
namespace {

using ::testing::HasSubstr;

/// Passes everything on to a real store, and fails where it is told to.
class failing_store final : public state::store {
public:
    explicit failing_store(state::sqlite_store& real)
        : real_(real)
    {}

    int commits_before_failure = -1;   ///< storage fails at this commit; -1: never
    std::int64_t poisoned_webhook = 0; ///< applying this webhook throws
    std::int64_t poisoned_event = 0;   ///< writing a row that this event made throws
    int loads = 0;                     ///< of objects
    int updates = 0;
    int looks_back = 0; ///< into the timelines

    std::uint64_t cursor() override { return real_.cursor(); }
    void begin() override { real_.begin(); }
    void commit(std::uint64_t cursor) override
    {
        if (commits_before_failure == 0)
            throw std::bad_alloc();
        --commits_before_failure;
        real_.commit(cursor);
    }
    void rollback() noexcept override { real_.rollback(); }
    void flush() override { real_.flush(); }
    std::optional<std::uint64_t> find_event(const state::webhook& w) override
    {
        if (w.webhook_id == poisoned_webhook)
            throw std::logic_error("poison");
        return real_.find_event(w);
    }
    void insert_event(const state::webhook& w, state::outcome o) override { real_.insert_event(w, o); }
    void count_delivery(const state::webhook& w, std::uint64_t s) override { real_.count_delivery(w, s); }
    bool remove_dead(const state::webhook& w) override { return real_.remove_dead(w); }
    std::optional<state::object_row> load(state::object_kind k, std::string_view s,
                                          const state::object_key& key) override
    {
        ++loads;
        return real_.load(k, s, key);
    }
    void insert(state::object_kind k, std::string_view s, const state::object_key& key,
                const state::object_row& r) override
    {
        refuse(r);
        real_.insert(k, s, key, r);
    }
    void update(state::object_kind k, std::string_view s, const state::object_key& key,
                const state::object_row& r) override
    {
        ++updates;
        refuse(r);
        real_.update(k, s, key, r);
    }
    std::optional<state::timeline_entry> before(std::string_view s, std::int64_t id,
                                                const state::version& v) override
    {
        ++looks_back;
        return real_.before(s, id, v);
    }
    std::optional<state::timeline_entry> after(std::string_view s, std::int64_t id,
                                               const state::version& v) override
    {
        return real_.after(s, id, v);
    }
    void insert_timeline(std::string_view s, std::int64_t id, const state::timeline_entry& e) override
    {
        real_.insert_timeline(s, id, e);
    }
    std::vector<state::change> changes_of(std::string_view s, std::int64_t id, std::uint64_t seq) override
    {
        return real_.changes_of(s, id, seq);
    }
    void remove_change(std::int64_t id) override { real_.remove_change(id); }
    void update_timeline(std::string_view s, std::int64_t id, const state::timeline_entry& e) override
    {
        real_.update_timeline(s, id, e);
    }
    bool insert_change(std::string_view s, std::uint64_t seq, const state::moment& when,
                       const state::change& c) override
    {
        return real_.insert_change(s, seq, when, c);
    }

private:
    void refuse(const state::object_row& row) const
    {
        if (poisoned_event != 0 && row.base.event_id == poisoned_event)
            throw std::logic_error("refused row");
    }

    state::sqlite_store& real_;
};

class following : public ::testing::Test {
protected:
    static std::string body(long long n)
    {
        test::subscription_body b;
        b.webhook_id = n;
        b.event_id = n;
        b.id = 1000 + n % 17;
        b.updated_at = "2026-01-01 10:" + std::to_string(10 + n / 50 % 50) + ":" +
                       std::to_string(10 + n % 50) + " -0500";
        return b.str();
    }

    void fill(int count)
    {
        for (int i = 0; i < count; ++i)
            inbox_.append(body(++appended_));
    }

    std::unique_ptr<state::sqlite_store> open_store(const char* name = "state.db")
    {
        return std::move(*state::sqlite_store::open(folder_ / name, inbox_.log().id(), {}));
    }

    follower follow(state::store& into, std::size_t batch = 512,
                    std::size_t kept_row_bytes = options().kept_row_bytes)
    {
        options with;
        with.kept_row_bytes = kept_row_bytes;
        with.workers = 2;
        with.batch_webhooks = batch;
        return follower(folder_ / "journal", journal::real_file_system(), into, with, nullptr);
    }

    test::temporary_directory folder_;
    test::filled_journal inbox_{folder_ / "journal", 64 * 1024};
    long long appended_ = 0;
};

TEST_F(following, applies_everything_in_the_journals_order)
{
    fill(300);
    const auto store = open_store();
    follower f = follow(*store, 16);
    std::vector<std::uint64_t> commits;
    const auto reached = f.advance(300, {}, [&](const progress& p) { commits.push_back(p.cursor); });
    ASSERT_TRUE(reached);
    EXPECT_EQ(*reached, 300U);
    EXPECT_TRUE(std::is_sorted(commits.begin(), commits.end()));
    EXPECT_EQ(commits.size(), 19U);
    sqlite::database db(folder_ / "state.db", sqlite::access::read_only);
    EXPECT_EQ(db.integer("SELECT count(*) FROM events"), 300);
    EXPECT_EQ(db.integer("SELECT count(*) FROM subscriptions"), 17);
    EXPECT_EQ(db.integer("SELECT count(*) FROM events WHERE seq <> webhook_id"), 0);
}

TEST_F(following, never_goes_beyond_what_is_durable)
{
    fill(20);
    const auto store = open_store();
    follower f = follow(*store);
    EXPECT_EQ(*f.advance(7, {}), 7U);
    EXPECT_EQ(*f.advance(7, {}), 7U);
    EXPECT_EQ(*f.advance(20, {}), 20U);
    fill(1);
    EXPECT_EQ(*f.advance(21, {}), 21U);
}

TEST_F(following, goes_on_where_another_left_off)
{
    fill(40);
    const auto store = open_store();
    ASSERT_TRUE(follow(*store).advance(25, {}));
    EXPECT_EQ(*follow(*store).advance(40, {}), 40U);
    sqlite::database db(folder_ / "state.db", sqlite::access::read_only);
    EXPECT_EQ(db.integer("SELECT count(*) FROM events WHERE deliveries = 1"), 40);
}

TEST_F(following, a_failing_store_loses_and_repeats_nothing)
{
    fill(100);
    const auto clean = open_store("clean.db");
    ASSERT_TRUE(follow(*clean, 8).advance(100, {}));
    const std::string expected = test::dump(folder_ / "clean.db");
    for (int k = 0; k < 13; ++k) {
        const std::string name = "failing" + std::to_string(k) + ".db";
        const auto store = open_store(name.c_str());
        failing_store failing(*store);
        failing.commits_before_failure = k;
        follower f = follow(failing, 8);
        const auto first = f.advance(100, {});
        ASSERT_FALSE(first) << k;
        EXPECT_THAT(first.error().message, HasSubstr("cannot write the state"));
        EXPECT_EQ(store->cursor(), static_cast<std::uint64_t>(8 * k));
        failing.commits_before_failure = -1;
        ASSERT_TRUE(f.advance(100, {}));
        EXPECT_EQ(test::dump(folder_ / name), expected) << k;
    }
}

TEST_F(following, a_webhook_that_cannot_be_applied_becomes_a_dead_letter_and_stops_nothing)
{
    fill(50);
    const auto store = open_store();
    failing_store failing(*store);
    failing.poisoned_webhook = 23;
    follower f = follow(failing, 10);
    EXPECT_EQ(*f.advance(50, {}), 50U);
    EXPECT_EQ(store->dead_sequences(), std::vector<std::uint64_t>{23});
    {
        sqlite::database db(folder_ / "state.db", sqlite::access::read_only);
        EXPECT_EQ(db.integer("SELECT count(*) FROM events WHERE outcome <> 'dead'"), 49);
        EXPECT_EQ(db.integer("SELECT outcome = 'applied' FROM events WHERE seq = 21"), 1)
            << "of the same batch";
        EXPECT_THAT(db.text("SELECT error FROM events WHERE seq = 23"), HasSubstr("poison"));
    }
    failing.poisoned_webhook = 0;
    EXPECT_EQ(*f.retry_dead({23, 24}), 1U);
    EXPECT_EQ(store->count_dead(), 0U);
    EXPECT_EQ(store->cursor(), 50U);
}

TEST_F(following, rows_that_many_webhooks_change_are_read_and_written_once_for_all_of_them)
{
    fill(17);
    const auto store = open_store();
    failing_store counting(*store);
    follower f = follow(counting);
    ASSERT_TRUE(f.advance(17, {}));
    EXPECT_EQ(counting.loads, 17 + 1 + 1) << "subscriptions, the customer, the product";
    EXPECT_EQ(counting.updates, 0);
    EXPECT_EQ(counting.looks_back, 0) << "a new subscription has no timeline";
    fill(170);
    ASSERT_TRUE(f.advance(187, {}));
    EXPECT_EQ(counting.loads, 2 * (17 + 1 + 1)) << "others may have changed them between two runs";
    EXPECT_EQ(counting.updates, 17 + 1 + 1);
    EXPECT_EQ(counting.looks_back, 17);
}

TEST_F(following, the_state_is_the_same_however_many_rows_are_kept_and_however_often_they_are_written)
{
    fill(200);
    std::set<std::string> states;
    int run = 0;
    for (const std::size_t batch : {1, 7, 512}) {
        for (const std::size_t kept : {std::size_t{0}, std::size_t{20'000}, std::size_t{100'000'000}}) {
            const std::string name = "state" + std::to_string(run++) + ".db";
            const auto store = open_store(name.c_str());
            ASSERT_TRUE(follow(*store, batch, kept).advance(200, {}));
            states.insert(test::dump(folder_ / name));
        }
    }
    EXPECT_EQ(states.size(), 1U);
}

TEST_F(following, of_a_batch_with_a_row_that_the_store_refuses_one_webhook_becomes_a_dead_letter)
{
    fill(60);
    const auto store = open_store();
    failing_store failing(*store);
    failing.poisoned_event = 50; // the newest one about its subscription
    follower f = follow(failing, 60);
    EXPECT_EQ(*f.advance(60, {}), 60U);
    EXPECT_EQ(store->dead_sequences(), std::vector<std::uint64_t>{50});
    failing.poisoned_event = 0;
    EXPECT_EQ(*f.retry_dead({50}), 1U);
    const auto clean = open_store("clean.db");
    ASSERT_TRUE(follow(*clean).advance(60, {}));
    const std::string objects =
        "SELECT group_concat(id || updated_at || version_event_id, ' ') FROM subscriptions";
    sqlite::database db(folder_ / "state.db", sqlite::access::read_only);
    sqlite::database expected(folder_ / "clean.db", sqlite::access::read_only);
    EXPECT_EQ(db.text(objects), expected.text(objects));
    EXPECT_EQ(db.integer("SELECT count(*) FROM subscription_timeline"), 60);
}

TEST_F(following, what_a_failed_transaction_changed_is_forgotten)
{
    fill(40);
    const auto store = open_store();
    failing_store failing(*store);
    failing.commits_before_failure = 0;
    follower f = follow(failing, 40);
    ASSERT_FALSE(f.advance(40, {}));
    failing.commits_before_failure = -1;
    ASSERT_TRUE(f.advance(40, {}));
    const auto clean = open_store("clean.db");
    ASSERT_TRUE(follow(*clean).advance(40, {}));
    EXPECT_EQ(test::dump(folder_ / "state.db"), test::dump(folder_ / "clean.db"));
}

TEST_F(following, a_dead_letter_that_still_cannot_be_read_stays_one)
{
    inbox_.append("no webhook %");
    const auto store = open_store();
    follower f = follow(*store);
    ASSERT_TRUE(f.advance(1, {}));
    EXPECT_EQ(*f.retry_dead({1}), 0U);
    EXPECT_EQ(store->count_dead(), 1U);
    EXPECT_FALSE(f.retry_dead({99}));
}

TEST_F(following, counts_by_site_event_and_outcome_with_bounded_labels)
{
    fill(3);
    inbox_.append("id=77&event=made-up-" + std::string(100, 'x'));
    inbox_.append(body(1)); // delivered once more
    const auto store = open_store();
    metrics::registry instruments;
    follower f(folder_ / "journal", journal::real_file_system(), *store, {}, &instruments);
    ASSERT_TRUE(f.advance(5, {}));
    const std::string text = instruments.render();
    EXPECT_THAT(text, HasSubstr(R"(event="subscription_state_change",outcome="applied",site="acme"} 3)"));
    EXPECT_THAT(text, HasSubstr(R"(event="other",outcome="unknown",site="acme"} 1)"));
    EXPECT_THAT(text, HasSubstr(R"(outcome="duplicate",site="acme"} 1)"));
    EXPECT_THAT(text, ::testing::Not(HasSubstr("made-up")));
}

} // namespace
} // namespace chargifyd::pipeline
