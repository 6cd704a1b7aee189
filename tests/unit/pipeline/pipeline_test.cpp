#include "database_dump.hpp"
#include "filled_journal.hpp"
#include "temporary_directory.hpp"
#include "wait_until.hpp"
#include "webhook_body.hpp"

#include "chargifyd/pipeline/pipeline.hpp"
#include "chargifyd/pipeline/rebuild.hpp"
#include "chargifyd/state/sqlite_store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace chargifyd::pipeline {
namespace {

using ::testing::HasSubstr;
using namespace std::chrono_literals;

class background : public ::testing::Test {
protected:
    std::string body(long long n)
    {
        test::subscription_body b;
        b.webhook_id = n;
        b.event_id = n;
        b.id = n;
        return b.str();
    }

    void fill(int count)
    {
        for (int i = 0; i < count; ++i)
            inbox_->append(body(++appended_));
    }

    std::unique_ptr<pipeline> open()
    {
        auto opened = pipeline::open(folder_.path(), with_, {}, inbox_->log(), inbox_->instruments(), clock_);
        if (!opened)
            throw std::runtime_error(opened.error().message);
        return std::move(*opened);
    }

    test::temporary_directory folder_;
    options with_;
    timestamp now_ = system_now();
    clock_fn clock_ = [this] { return now_; };
    std::unique_ptr<test::filled_journal> inbox_ =
        std::make_unique<test::filled_journal>(folder_ / "journal", 64 * 1024, clock_);
    long long appended_ = 0;
};

TEST_F(background, applies_what_was_there_and_what_comes)
{
    fill(10);
    const auto p = open();
    p->start();
    fill(10);
    p->stop(60s);
    EXPECT_EQ(p->now().applied, 20U);
    EXPECT_EQ(p->now().durable, 20U);
    EXPECT_EQ(p->now().failure, "");
}

TEST_F(background, tells_when_journal_and_state_were_written_last)
{
    const auto p = open();
    EXPECT_FALSE(p->now().journal_commit_seconds);
    EXPECT_FALSE(p->now().state_commit_seconds);
    fill(1);
    EXPECT_EQ(p->now().journal_commit_seconds, 0.0);
    EXPECT_FALSE(p->now().state_commit_seconds);
    p->start();
    p->stop(60s);
    now_ += 90s;
    EXPECT_EQ(p->now().journal_commit_seconds, 90.0);
    EXPECT_EQ(p->now().state_commit_seconds, 90.0);
}

TEST_F(background, empties_a_log_that_a_reader_held_although_nothing_comes)
{
    with_.batch_webhooks = 4; // each transaction writes more to the log than its webhooks need
    const auto p = open();
    p->start();
    fill(1);
    test::wait_until([&p] { return p->now().applied == 1; });
    sqlite::database reader(folder_ / "state.db", sqlite::access::read_only);
    reader.exec("BEGIN");
    ASSERT_EQ(reader.integer("SELECT count(*) FROM events"), 1);
    fill(3000);
    test::wait_until([&p] { return p->now().applied == 3001; });
    const std::filesystem::path log = folder_ / "state.db-wal";
    ASSERT_GT(std::filesystem::file_size(log), 17U * 1024 * 1024);
    reader.exec("COMMIT");
    test::wait_until([&] { return p->maintain() && std::filesystem::file_size(log) == 0; });
    p->stop(60s);
}

TEST_F(background, takes_over_a_rebuilt_state_while_it_runs)
{
    fill(30);
    const auto p = open();
    p->start();
    ASSERT_EQ(*rebuild(*rebuild_lock::acquire(folder_.path()), with_, {}, {}), 30U);
    ASSERT_TRUE(p->adopt_rebuilt());
    EXPECT_FALSE(std::filesystem::exists(folder_ / rebuild_file_name));
    fill(5);
    p->stop(60s);
    EXPECT_EQ(p->now().applied, 35U);
    EXPECT_FALSE(p->adopt_rebuilt()); // it has stopped
    sqlite::database db(folder_ / "state.db", sqlite::access::read_only);
    EXPECT_EQ(db.integer("SELECT count(*) FROM events WHERE deliveries = 1"), 35);
}

// P3: no reader sees the state go back, however much came while it was rebuilt.
TEST_F(background, brings_a_rebuilt_state_up_to_date_before_it_takes_it_over)
{
    fill(10);
    const auto p = open();
    p->start();
    ASSERT_EQ(*rebuild(*rebuild_lock::acquire(folder_.path()), with_, {}, {}), 10U);
    fill(90);
    test::wait_until([&p] { return p->now().applied == 100; });
    ASSERT_TRUE(p->adopt_rebuilt());
    sqlite::database db(folder_ / "state.db", sqlite::access::read_only);
    EXPECT_EQ(db.integer("SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'cursor'"), 100);
    p->stop(60s);
}

TEST_F(background, takes_over_nothing_that_is_not_there_or_made_by_another_version)
{
    fill(10);
    const auto p = open();
    p->start();
    const auto nothing = p->adopt_rebuilt();
    ASSERT_FALSE(nothing);
    EXPECT_EQ(nothing.error().code, errc::not_found);
    EXPECT_FALSE(std::filesystem::exists(folder_ / rebuild_file_name));
    ASSERT_TRUE(rebuild(*rebuild_lock::acquire(folder_.path()), with_, {}, {}));
    sqlite::database(folder_ / rebuild_file_name, sqlite::access::read_write)
        .exec("UPDATE meta SET value = '1' WHERE key = 'projection'");
    const auto other = p->adopt_rebuilt();
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().code, errc::invalid);
    fill(1);
    p->stop(60s);
    EXPECT_EQ(p->now().applied, 11U);
    EXPECT_FALSE(p->now().rebuilding);
}

TEST_F(background, retries_dead_letters_on_request)
{
    inbox_->append("no webhook %");
    fill(1);
    const auto p = open();
    p->start();
    const auto revived = p->retry_dead({});
    ASSERT_TRUE(revived);
    EXPECT_EQ(*revived, 0U);
    p->stop(60s);
    EXPECT_EQ(p->now().dead_letters, 1U);
}

TEST_F(background, refuses_a_state_that_is_ahead_of_the_journal)
{
    fill(3);
    {
        auto store = std::move(*state::sqlite_store::open(folder_ / "state.db", inbox_->log().id(), {}));
        store->begin();
        store->commit(9);
    }
    const auto opened =
        pipeline::open(folder_.path(), {}, {}, inbox_->log(), inbox_->instruments(), system_now);
    ASSERT_FALSE(opened);
    EXPECT_THAT(opened.error().message, HasSubstr("the journal lost some"));
}

TEST_F(background, retention_keeps_a_snapshot_from_which_the_state_is_made_again)
{
    with_.retention = std::chrono::days(1);
    fill(200);
    {
        const auto p = open();
        p->start();
        p->stop(60s);
    }
    const std::string expected = test::dump(folder_ / "state.db");
    now_ += 48h;
    {
        const auto p = open();
        p->start();
        ASSERT_TRUE(p->maintain());
        p->stop(60s);
    }
    ASSERT_GT(inbox_->log().first_sequence(), 1U);
    ASSERT_TRUE(std::filesystem::exists(folder_ / state::snapshot_file_name));
    remove_database(folder_ / "state.db");
    {
        const auto p = open();
        p->start();
        p->stop(60s);
    }
    EXPECT_EQ(test::dump(folder_ / "state.db"), expected);
    remove_database(folder_ / "state.db");
    std::filesystem::remove(folder_ / state::snapshot_file_name);
    EXPECT_FALSE(pipeline::open(folder_.path(), {}, {}, inbox_->log(), inbox_->instruments(), system_now));
}

// P6: whoever locks the state, the journal goes on.
TEST_F(background, goes_on_when_the_state_can_be_written_again)
{
    const auto p = open();
    sqlite::database intruder(folder_ / "state.db", sqlite::access::read_write);
    intruder.exec("BEGIN IMMEDIATE");
    p->start();
    fill(5); // each append is acknowledged while the state is locked
    EXPECT_EQ(inbox_->log().durable_sequence(), 5U);
    intruder.exec("COMMIT");
    p->stop(120s);
    EXPECT_EQ(p->now().applied, 5U);
}

} // namespace
} // namespace chargifyd::pipeline
