#include "database_dump.hpp"
#include "filled_journal.hpp"
#include "pipeline/catch_up.hpp"
#include "temporary_directory.hpp"
#include "webhook_body.hpp"

#include "chargifyd/pipeline/rebuild.hpp"
#include "chargifyd/state/sqlite_store.hpp"

#include <gtest/gtest.h>

namespace chargifyd::pipeline {
namespace {

/// A rebuilt file that ends at 10 of 30.
class catching_up : public ::testing::Test {
protected:
    catching_up()
    {
        fill(10);
        EXPECT_EQ(*make(), 10U);
        fill(20);
    }

    void fill(int count)
    {
        for (int i = 0; i < count; ++i) {
            test::subscription_body b;
            b.webhook_id = b.event_id = b.id = ++appended_;
            inbox_.append(b.str());
        }
    }
    result<std::uint64_t> make() { return rebuild(*rebuild_lock::acquire(folder_.path()), {}, {}, {}); }
    result<void> run(std::uint64_t applied, const std::stop_token& stop = {})
    {
        return catch_up(folder_.path(), {}, {}, inbox_.log(), applied, stop);
    }
    std::int64_t cursor() const
    {
        return sqlite::database(folder_ / rebuild_file_name, sqlite::access::read_only)
            .integer("SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'cursor'");
    }
    void change(const std::string& sql)
    {
        sqlite::database(folder_ / rebuild_file_name, sqlite::access::read_write).exec(sql);
    }

    test::temporary_directory folder_;
    test::filled_journal inbox_{folder_ / "journal"};
    long long appended_ = 0;
};

TEST_F(catching_up, goes_as_far_as_the_state_and_no_further)
{
    ASSERT_TRUE(run(25));
    EXPECT_EQ(cursor(), 25);
    ASSERT_TRUE(run(30));
    const std::string all = test::dump(folder_ / rebuild_file_name);
    ASSERT_TRUE(run(3)); // a rebuild may be ahead
    EXPECT_EQ(cursor(), 30);
    ASSERT_EQ(*make(), 30U);
    EXPECT_EQ(test::dump(folder_ / rebuild_file_name), all);
}

TEST_F(catching_up, makes_no_file)
{
    remove_database(folder_ / rebuild_file_name);
    const auto done = run(30);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, errc::not_found);
    EXPECT_FALSE(std::filesystem::exists(folder_ / rebuild_file_name));
}

TEST_F(catching_up, refuses_what_another_version_made)
{
    change("UPDATE meta SET value = '1' WHERE key = 'projection'");
    const auto done = run(30);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, errc::invalid);
}

TEST_F(catching_up, can_be_stopped)
{
    std::stop_source stop;
    stop.request_stop();
    const auto done = run(30, stop.get_token());
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, errc::unavailable);
    EXPECT_EQ(cursor(), 10);
}

// What is not durable may be gone after a power cut, and the state must not be ahead of the journal then.
TEST_F(catching_up, takes_nothing_that_the_journal_does_not_hold)
{
    change("UPDATE meta SET value = '31' WHERE key = 'cursor'");
    inbox_.log().close();
    const auto done = run(30);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, errc::unavailable);
}

} // namespace
} // namespace chargifyd::pipeline
