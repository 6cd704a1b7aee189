#include "fault_file_system.hpp"
#include "waiting_append.hpp"

#include "chargifyd/quarantine/quarantine.hpp"

#include <gtest/gtest.h>

namespace chargifyd::quarantine {
namespace {

using journal::append_status;

class release_test : public ::testing::Test {
protected:
    release_test()
    {
        options with;
        with.directory = "/state/quarantine";
        kept = std::move(*store::open(with, files, meters));
        journal::options journal_with;
        journal_with.directory = "/state/journal";
        journal_with.segment_bytes = 65536;
        journal_with.disk_floor_bytes = 0;
        inbox = std::move(*journal::log::open(journal_with, files, system_now, meters));
        for (const char* const body : {"good 1", "bad", "good 2"}) {
            test::waiting_append operation(body);
            EXPECT_EQ(kept->submit(operation), append_status::stored);
            EXPECT_EQ(operation.wait(), append_status::stored);
        }
    }

    std::vector<std::string> journalled()
    {
        auto reader = journal::reader::open("/state/journal", files, 0);
        std::vector<std::string> bodies;
        journal::record r;
        for (auto more = reader->next(r, inbox->durable_sequence()); more && *more;
             more = reader->next(r, inbox->durable_sequence()))
            bodies.push_back(r.body);
        return bodies;
    }

    static bool genuine(const entry& e) { return e.body.starts_with("good"); }

    test::fault_file_system files;
    metrics::registry meters;
    std::unique_ptr<store> kept;
    std::unique_ptr<journal::log> inbox;
};

TEST_F(release_test, moves_what_verifies_in_order_and_leaves_the_rest)
{
    const auto done = release(*kept, *inbox, genuine);
    ASSERT_TRUE(done);
    EXPECT_EQ(done->moved, 2U);
    EXPECT_EQ(done->left, 1U);
    EXPECT_EQ(journalled(), (std::vector<std::string>{"good 1", "good 2"}));
    EXPECT_EQ(kept->count(), 1U);
    EXPECT_EQ(kept->read(kept->numbers().front())->body, "bad");
}

TEST_F(release_test, what_the_journal_does_not_take_stays)
{
    inbox->close();
    const auto done = release(*kept, *inbox, genuine);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, errc::unavailable);
    EXPECT_EQ(kept->count(), 3U);
}

TEST_F(release_test, a_webhook_that_was_journalled_but_not_removed_is_no_trouble)
{
    files.fail(test::fault_file_system::call::remove, 1, EIO);
    ASSERT_FALSE(release(*kept, *inbox, genuine));
    const auto again = release(*kept, *inbox, genuine);
    ASSERT_TRUE(again);
    EXPECT_EQ(again->moved, 2U);
    EXPECT_EQ(journalled().front(), "good 1");
    EXPECT_EQ(kept->count(), 1U);
}

} // namespace
} // namespace chargifyd::quarantine
