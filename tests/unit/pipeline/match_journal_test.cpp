#include "database_dump.hpp"
#include "pipeline/match_journal.hpp"
#include "temporary_directory.hpp"

#include "chargifyd/pipeline/rebuild.hpp"
#include "chargifyd/state/projection.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace chargifyd::pipeline {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

std::string slurp(const fs::path& file)
{
    std::ostringstream all;
    all << std::ifstream(file, std::ios::binary).rdbuf();
    return all.str();
}

/// The journal of an older version, of which retention has deleted what its snapshot holds.
class shortened : public ::testing::Test {
protected:
    shortened()
    {
        fs::copy(fs::path(CHARGIFYD_TEST_DATA) / "state-v1/journal", folder_ / "journal");
        fs::copy_file(CHARGIFYD_TEST_DATA "/state-v1/state.db", folder_ / state::snapshot_file_name);
        const auto applied = static_cast<std::uint64_t>(
            sqlite::database(folder_ / state::snapshot_file_name, sqlite::access::read_only)
                .integer("SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'cursor'"));
        const auto found = *journal::verify(folder_ / "journal", journal::real_file_system(), false);
        for (const journal::segment_info& segment : found.segments) {
            if (segment.last_sequence <= applied)
                fs::remove(segment.path);
        }
        journal::options with;
        with.directory = folder_ / "journal";
        inbox_ = std::move(*journal::log::open(with, journal::real_file_system(), system_now, instruments_));
    }

    std::unique_ptr<state::sqlite_store> open()
    {
        return std::move(*state::sqlite_store::open(folder_ / "state.db", inbox_->id(), {}));
    }

    test::temporary_directory folder_;
    metrics::registry instruments_;
    std::unique_ptr<journal::log> inbox_;
};

TEST_F(shortened, begins_from_the_snapshot_of_an_older_version_and_leaves_that_as_it_is)
{
    ASSERT_GT(inbox_->first_sequence(), 1U);
    const std::string before = slurp(folder_ / state::snapshot_file_name);
    const auto store = open();
    ASSERT_TRUE(match_journal(folder_.path(), *store, *inbox_, {}));
    EXPECT_GE(store->cursor() + 1, inbox_->first_sequence());
    EXPECT_EQ(store->projection(), 0); // older rules made it: it is to be made anew
    EXPECT_EQ(slurp(folder_ / state::snapshot_file_name), before);
    EXPECT_FALSE(fs::exists(folder_ / rebuild_file_name));
    EXPECT_TRUE(match_journal(folder_.path(), *store, *inbox_, {}));
}

TEST_F(shortened, is_made_anew_from_the_snapshot_of_an_older_version)
{
    const std::string before = slurp(folder_ / state::snapshot_file_name);
    const auto reached = rebuild(*rebuild_lock::acquire(folder_.path()), {}, {}, {});
    ASSERT_TRUE(reached) << reached.error().message;
    EXPECT_EQ(*reached, inbox_->durable_sequence());
    EXPECT_EQ(slurp(folder_ / state::snapshot_file_name), before);
    sqlite::database db(folder_ / rebuild_file_name, sqlite::access::read_only);
    EXPECT_GT(db.integer("SELECT count(*) FROM transactions"), 0);
    EXPECT_EQ(db.integer("SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'projection'"),
              state::projection_version);
    EXPECT_EQ(db.integer("SELECT sum(webhooks) FROM sites"), static_cast<std::int64_t>(*reached));
}

TEST_F(shortened, needs_its_snapshot)
{
    fs::remove(folder_ / state::snapshot_file_name);
    const auto store = open();
    const auto fits = match_journal(folder_.path(), *store, *inbox_, {});
    ASSERT_FALSE(fits);
    EXPECT_EQ(fits.error().code, errc::not_found);
    EXPECT_THAT(fits.error().message, HasSubstr("needs its snapshot"));
    EXPECT_EQ(store->cursor(), 0U);
}

TEST_F(shortened, does_not_go_on_from_a_snapshot_that_ends_too_early)
{
    {
        sqlite::database db(folder_ / state::snapshot_file_name, sqlite::access::read_write);
        db.exec("UPDATE meta SET value = '1' WHERE key = 'cursor'");
    }
    const auto store = open();
    const auto fits = match_journal(folder_.path(), *store, *inbox_, {});
    ASSERT_FALSE(fits);
    EXPECT_EQ(fits.error().code, errc::corrupt);
}

} // namespace
} // namespace chargifyd::pipeline
