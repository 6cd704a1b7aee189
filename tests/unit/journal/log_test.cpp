#include "journal_fixture.hpp"
#include "temporary_directory.hpp"

#include <gtest/gtest.h>

namespace chargifyd::journal {
namespace {

using test::append_status;
using test::fault_file_system;
using test::journal_test;

class log_test : public journal_test {};

TEST_F(log_test, sequences_go_on_and_the_id_stays_over_restarts)
{
    std::string id;
    for (std::uint64_t run = 0; run < 5; ++run) {
        const auto journal = open_log(files_);
        EXPECT_EQ(journal->durable_sequence(), run * 20);
        if (run == 0)
            id = journal->id();
        EXPECT_EQ(journal->id(), id);
        store_range(*journal, run * 20 + 1, run * 20 + 20);
    }
    EXPECT_EQ(id.size(), 32U);
    EXPECT_EQ(id.find_first_not_of("0123456789abcdef"), std::string::npos);
    EXPECT_EQ(numbers(read_all(files_)), range(1, 100));
    const auto all = read_all(files_);
    for (std::uint64_t i = 0; i < all.size(); ++i)
        EXPECT_EQ(all[i].sequence, i + 1);
}

TEST_F(log_test, tells_each_webhook_its_sequence_and_when_it_was_written_last)
{
    const auto journal = open_log(files_);
    EXPECT_EQ(journal->last_commit(), timestamp{});
    const auto before = clock_();
    test::webhook first(1);
    test::webhook second(2);
    test::webhook again(1);
    for (test::webhook* one : {&first, &second, &again}) {
        ASSERT_EQ(journal->submit(*one), append_status::stored);
        one->wait();
    }
    EXPECT_EQ(first.sequence, 1U);
    EXPECT_EQ(second.sequence, 2U);
    EXPECT_EQ(again.sequence, 0U) << "it was not written";
    EXPECT_GT(journal->last_commit(), before);
    EXPECT_LT(journal->last_commit(), clock_());
}

TEST_F(log_test, two_journals_have_two_ids)
{
    fault_file_system other;
    EXPECT_NE(open_log(files_)->id(), open_log(other)->id());
}

TEST_F(log_test, opening_and_closing_without_webhooks_adds_nothing)
{
    {
        const auto journal = open_log(files_);
        ASSERT_EQ(store(*journal, 1), append_status::stored);
    }
    const auto before = files_.contents();
    for (int i = 0; i < 3; ++i)
        open_log(files_);
    EXPECT_EQ(files_.contents(), before);
}

TEST_F(log_test, makes_its_directory_durable)
{
    const auto journal = open_log(files_);
    ASSERT_EQ(store(*journal, 1), append_status::stored);
    const auto left = files_.after_power_loss(fault_file_system::loss::all_unsynced, 1);
    EXPECT_EQ(numbers(read_all(*left)), range(1, 1));
}

TEST_F(log_test, lists_its_segments)
{
    const auto journal = open_log(files_);
    EXPECT_EQ(journal->segments().size(), 1U);
    EXPECT_EQ(journal->segments()[0].last_sequence, 0U);
    store_range(*journal, 1, 50);
    const auto segments = journal->segments();
    ASSERT_GE(segments.size(), 3U);
    std::uint64_t next = 1;
    std::uint64_t bytes = 0;
    for (const segment_info& s : segments) {
        EXPECT_EQ(s.first_sequence, next);
        next = s.last_sequence + 1;
        EXPECT_EQ(s.bytes, files_.content(s.path).size());
        bytes += s.bytes;
        const bool newest = &s == &segments.back();
        EXPECT_EQ(s.sealed, !newest);
        EXPECT_EQ(s.sealed_at == timestamp{}, newest);
        EXPECT_GT(s.created_at, timestamp{});
        EXPECT_TRUE(newest || s.sealed_at >= s.created_at);
    }
    EXPECT_EQ(next, 51U);
    EXPECT_EQ(journal->bytes(), bytes);
    EXPECT_NE(meters_.render().find("chargifyd_journal_bytes " + std::to_string(bytes)), std::string::npos);
    journal->close();
    const auto again = open_log(files_)->segments();
    ASSERT_EQ(again.size(), segments.size());
    for (std::size_t i = 0; i < again.size(); ++i) {
        EXPECT_EQ(again[i].path, segments[i].path);
        EXPECT_EQ(again[i].last_sequence, segments[i].last_sequence);
        EXPECT_EQ(again[i].sealed_at, segments[i].sealed_at);
        EXPECT_EQ(again[i].created_at, segments[i].created_at);
        EXPECT_EQ(again[i].bytes, segments[i].bytes);
    }
}

TEST_F(log_test, deletes_what_is_applied_and_old_but_never_the_newest_segment)
{
    const auto journal = open_log(files_);
    store_range(*journal, 1, 60);
    const auto segments = journal->segments();
    ASSERT_GE(segments.size(), 4U);
    EXPECT_FALSE(journal->has_older(60, segments[0].sealed_at));
    EXPECT_EQ(*journal->remove_older(60, segments[0].sealed_at), 0U);
    EXPECT_FALSE(journal->has_older(segments[0].last_sequence - 1, timestamp::max()));
    EXPECT_TRUE(journal->has_older(segments[0].last_sequence, timestamp::max()));
    EXPECT_EQ(*journal->remove_older(segments[0].last_sequence, timestamp::max()), 1U);
    EXPECT_EQ(journal->first_sequence(), segments[1].first_sequence);
    EXPECT_FALSE(files_.exists(segments[0].path));
    ASSERT_TRUE(journal->compress(60));
    EXPECT_EQ(*journal->remove_older(1000, timestamp::max()), segments.size() - 2);
    EXPECT_EQ(journal->segments().size(), 1U);
    EXPECT_FALSE(journal->has_older(1000, timestamp::max()));
    journal->close();
    const auto again = open_log(files_);
    EXPECT_EQ(again->first_sequence(), segments.back().first_sequence);
    EXPECT_EQ(store(*again, 61), append_status::stored);
    EXPECT_EQ(again->durable_sequence(), 61U);
}

TEST_F(log_test, says_why_it_does_not_open)
{
    files_.fail(fault_file_system::call::make_directory, 1, EACCES);
    const auto refused = try_open(files_);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, errc::io);
    EXPECT_EQ(refused.error().message, "cannot make /state/journal: Permission denied");
}

TEST_F(log_test, works_on_real_files)
{
    const test::temporary_directory root;
    auto with = small_options();
    with.directory = root / "journal";
    for (std::uint64_t run = 0; run < 3; ++run) {
        const auto journal = open_log(real_file_system(), with);
        store_range(*journal, run * 50 + 1, run * 50 + 50);
        ASSERT_TRUE(journal->compress(run * 50));
    }
    EXPECT_EQ(open_log(real_file_system(), with)->durable_sequence(), 150U);
    const auto checked = verify(with.directory, real_file_system(), true);
    ASSERT_TRUE(checked);
    EXPECT_EQ(checked->problems, std::vector<std::string>{});
}

TEST_F(log_test, has_its_instruments)
{
    const auto journal = open_log(files_);
    ASSERT_EQ(store(*journal, 1), append_status::stored);
    journal->close();
    const std::string page = meters_.render();
    for (const char* const line :
         {"chargifyd_journal_sync_seconds_count 1", "chargifyd_journal_batch_webhooks_bucket{le=\"1\"} 1",
          "chargifyd_journal_queue_webhooks 0", "chargifyd_journal_bytes 4096", "chargifyd_disk_free_bytes ",
          "chargifyd_journal_duplicates_total 0"})
        EXPECT_NE(page.find(line), std::string::npos) << line << "\n" << page;
}

} // namespace
} // namespace chargifyd::journal
