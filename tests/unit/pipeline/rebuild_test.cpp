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
    ASSERT_EQ(*rebuild(folder.path(), {}, {}, {},
                       [&](std::uint64_t done, std::uint64_t total) {
                           EXPECT_EQ(total, 400U);
                           last_done = done;
                       }),
              400U);
    EXPECT_EQ(last_done, 400U);
    EXPECT_EQ(test::dump(folder / rebuild_file_name), test::dump(folder / "state.db"));
}

TEST(rebuild, says_when_there_is_no_journal)
{
    const test::temporary_directory folder;
    const auto done = rebuild(folder.path(), {}, {}, {});
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, errc::not_found);
}

TEST(rebuild, can_be_interrupted_and_leaves_the_old_state_alone)
{
    const test::temporary_directory folder;
    test::filled_journal inbox(folder / "journal");
    inbox.append("id=1&event=test");
    std::stop_source stop;
    stop.request_stop();
    EXPECT_FALSE(rebuild(folder.path(), {}, {}, stop.get_token()));
    EXPECT_FALSE(std::filesystem::exists(folder / "state.db"));
}

} // namespace
} // namespace chargifyd::pipeline
