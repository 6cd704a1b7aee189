#include "database_dump.hpp"
#include "filled_journal.hpp"
#include "temporary_directory.hpp"
#include "webhook_body.hpp"

#include "chargifyd/pipeline/follower.hpp"
#include "chargifyd/pipeline/rebuild.hpp"
#include "chargifyd/state/sqlite_store.hpp"

#include <gtest/gtest.h>

#include <random>

namespace chargifyd::pipeline {
namespace {

// P4: the state is a function of the journal.
TEST(rebuild, gives_the_same_content_row_for_row)
{
    const test::temporary_directory folder;
    test::filled_journal inbox(folder / "journal", 256 * 1024);
    std::mt19937 random(7);
    const char* const states[] = {"trialing", "active", "past_due", "canceled", "assessing"};
    for (int i = 0; i < 400; ++i) {
        test::subscription_body b;
        b.webhook_id = 1 + static_cast<long long>(random() % 300); // some come twice
        b.event_id = b.webhook_id;
        b.id = 1 + static_cast<long long>(random() % 20);
        b.state = states[random() % 5];
        b.updated_at = "2026-01-" + std::to_string(10 + random() % 20) + " 10:00:00 -0500";
        b.customer_id = b.id;
        inbox.append(i % 50 == 7 ? "broken %" : b.str());
    }
    // Applied in many small steps …
    {
        auto store = std::move(*state::sqlite_store::open(folder / "state.db", inbox.log().id(), {}));
        options with;
        with.batch_webhooks = 7;
        follower f(folder / "journal", journal::real_file_system(), *store, with, nullptr);
        for (std::uint64_t up_to = 1; up_to <= 400; up_to += 13)
            ASSERT_TRUE(f.advance(up_to, {}));
        ASSERT_TRUE(f.advance(400, {}));
    }
    // … or all at once.
    std::uint64_t last_done = 0;
    ASSERT_EQ(*rebuild(*rebuild_lock::acquire(folder.path()), {}, {}, {},
                       [&](std::uint64_t done, std::uint64_t total) {
                           EXPECT_EQ(total, 400U);
                           last_done = done;
                       }),
              400U);
    EXPECT_EQ(last_done, 400U);
    EXPECT_EQ(test::dump(folder / rebuild_file_name), test::dump(folder / "state.db"));
    const auto schema = [&](const char* file) {
        return sqlite::database(folder / file, sqlite::access::read_only)
            .text("SELECT group_concat(sql) FROM (SELECT sql FROM sqlite_schema ORDER BY type, name)");
    };
    EXPECT_EQ(schema(rebuild_file_name), schema("state.db"));
}

TEST(rebuild, says_when_there_is_no_journal)
{
    const test::temporary_directory folder;
    const auto done = rebuild(*rebuild_lock::acquire(folder.path()), {}, {}, {});
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, errc::not_found);
}

TEST(rebuild, can_be_interrupted_and_leaves_nothing)
{
    const test::temporary_directory folder;
    test::filled_journal inbox(folder / "journal");
    for (int i = 0; i < 30; ++i)
        inbox.append("id=" + std::to_string(i + 1) + "&event=test");
    const auto held = rebuild_lock::acquire(folder.path());
    options with;
    with.batch_webhooks = 10;
    std::stop_source stop;
    const auto done = rebuild(*held, with, {}, stop.get_token(), [&](std::uint64_t so_far, std::uint64_t) {
        if (so_far == 10)
            stop.request_stop();
    });
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, errc::busy);
    for (const char* const name : {"state.db", rebuild_file_name, "state.db.rebuild-wal"})
        EXPECT_FALSE(std::filesystem::exists(folder / name)) << name;
}

TEST(rebuild, follows_what_comes_while_it_works)
{
    const test::temporary_directory folder;
    test::filled_journal inbox(folder / "journal", 16 * 1024 * 1024);
    inbox.append("id=1&event=test");
    std::uint64_t last_total = 0;
    const auto done = rebuild(*rebuild_lock::acquire(folder.path()), {}, {}, {},
                              [&](std::uint64_t so_far, std::uint64_t total) {
                                  for (int i = 2; so_far == 1 && i <= 1500; ++i)
                                      inbox.append("id=" + std::to_string(i) + "&event=test");
                                  last_total = total;
                              });
    ASSERT_TRUE(done);
    EXPECT_EQ(*done, 1500U);
    EXPECT_EQ(last_total, 1500U);
}

TEST(rebuild_lock, is_one_at_a_time)
{
    const test::temporary_directory folder;
    {
        auto first = rebuild_lock::acquire(folder.path());
        ASSERT_TRUE(first);
        const auto second = rebuild_lock::acquire(folder.path());
        ASSERT_FALSE(second);
        EXPECT_EQ(second.error().code, errc::busy);
        const rebuild_lock moved = std::move(*first);
        EXPECT_FALSE(rebuild_lock::acquire(folder.path()));
        EXPECT_EQ(moved.directory(), folder.path());
    }
    EXPECT_TRUE(rebuild_lock::acquire(folder.path()));
    const auto nowhere = rebuild_lock::acquire(folder / "nowhere");
    ASSERT_FALSE(nowhere);
    EXPECT_EQ(nowhere.error().code, errc::not_found);
}

} // namespace
} // namespace chargifyd::pipeline
