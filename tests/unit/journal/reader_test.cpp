#include "journal_fixture.hpp"
#include "temporary_directory.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace chargifyd::journal {
namespace {

using test::append_status;
using test::fault_file_system;
using test::journal_test;
using test::sync_gate;
using test::webhook;

class reader_test : public journal_test {
protected:
    static reader open_reader(file_system& files, std::uint64_t after,
                              const std::filesystem::path& from = directory)
    {
        auto opened = reader::open(from, files, after);
        EXPECT_TRUE(opened) << opened.error().message;
        return std::move(*opened);
    }

    /// The number of the next record; 0: none.
    static std::uint64_t next(reader& from, std::uint64_t up_to = reader::open_end)
    {
        record one;
        const result<bool> more = from.next(one, up_to);
        EXPECT_TRUE(more) << more.error().message;
        return more && *more ? number_of(one) : 0;
    }
};

TEST_F(reader_test, gives_back_exactly_what_was_stored)
{
    std::string every_byte;
    for (int i = 0; i < 256; ++i)
        every_byte += static_cast<char>(i);
    {
        const auto journal = open_log(files_);
        webhook one(1, every_byte);
        one.site = "a-site";
        one.peer = "2001:db8::1";
        ASSERT_EQ(journal->submit(one), append_status::stored);
        ASSERT_EQ(one.wait(), append_status::stored);
        webhook empty(2, " ");
        empty.body = {};
        empty.peer = {};
        ASSERT_EQ(journal->submit(empty), append_status::stored);
        ASSERT_EQ(empty.wait(), append_status::stored);
    }
    const auto all = read_all(files_);
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all[0].sequence, 1U);
    EXPECT_EQ(all[0].body, every_byte);
    EXPECT_EQ(all[0].site, "a-site");
    EXPECT_EQ(all[0].peer, "2001:db8::1");
    EXPECT_EQ(all[0].received_at, timestamp(std::chrono::seconds(1'000'001)));
    EXPECT_EQ(all[0].fingerprint, test::fingerprint_of(1));
    EXPECT_EQ(all[1].sequence, 2U);
    EXPECT_EQ(all[1].body, "");
    EXPECT_EQ(all[1].peer, "");
}

TEST_F(reader_test, an_empty_or_missing_journal_is_no_error)
{
    auto missing = open_reader(files_, 0);
    EXPECT_EQ(next(missing), 0U);
    EXPECT_EQ(next(missing, 100), 0U);
    const auto journal = open_log(files_);
    EXPECT_EQ(next(missing), 0U);
    ASSERT_EQ(store(*journal, 1), append_status::stored);
    EXPECT_EQ(next(missing), 1U) << "it is followed from the moment it exists";
}

TEST_F(reader_test, begins_behind_any_sequence)
{
    auto with = small_options();
    const auto journal = open_log(files_, with);
    store_range(*journal, 1, 60);
    ASSERT_TRUE(journal->compress(30));
    for (std::uint64_t after = 0; after <= 60; ++after)
        ASSERT_EQ(numbers(read_all(files_, after)), range(after + 1, 60)) << after;
    EXPECT_TRUE(read_all(files_, 75).empty());
}

TEST_F(reader_test, never_reads_above_what_it_may)
{
    const auto journal = open_log(files_);
    store_range(*journal, 1, 5);
    auto from = open_reader(files_, 0);
    EXPECT_EQ(next(from, 0), 0U);
    EXPECT_EQ(next(from, 2), 1U);
    EXPECT_EQ(next(from, 2), 2U);
    EXPECT_EQ(next(from, 2), 0U);
    EXPECT_EQ(next(from, 3), 3U);
}

TEST_F(reader_test, follows_a_growing_journal_from_segment_to_segment)
{
    const auto journal = open_log(files_);
    auto from = open_reader(files_, 0);
    for (std::uint64_t n = 1; n <= 100; ++n) {
        EXPECT_EQ(next(from), 0U);
        ASSERT_EQ(store(*journal, n), append_status::stored);
        ASSERT_EQ(next(from, journal->durable_sequence()), n);
    }
    EXPECT_GT(journal->segments().size(), 3U);
}

TEST_F(reader_test, a_segment_may_be_compressed_or_deleted_under_it)
{
    const auto journal = open_log(files_);
    store_range(*journal, 1, 40);
    const auto segments = journal->segments();
    ASSERT_GE(segments.size(), 3U);
    auto compressed = open_reader(files_, 0);
    auto deleted = open_reader(files_, 0);
    EXPECT_EQ(next(compressed), 1U);
    EXPECT_EQ(next(deleted), 1U);
    ASSERT_TRUE(journal->compress(40));
    for (std::uint64_t n = 2; n <= 40; ++n)
        ASSERT_EQ(next(compressed), n);
    ASSERT_TRUE(journal->remove_older(segments[1].last_sequence, timestamp::max()));
    for (std::uint64_t n = 2; n <= segments[0].last_sequence; ++n)
        ASSERT_EQ(next(deleted), n) << "the open segment stays readable";
    record one;
    const auto gone = deleted.next(one, reader::open_end);
    ASSERT_FALSE(gone);
    EXPECT_EQ(gone.error().code, errc::not_found);
    const auto late = reader::open(directory, files_, 0);
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().code, errc::not_found);
    EXPECT_EQ(late.error().message, "sequence 1 is no longer in the journal; the first one left is " +
                                        std::to_string(journal->first_sequence()));
    EXPECT_EQ(numbers(read_all(files_, segments[1].last_sequence)), range(segments[1].last_sequence + 1, 40));
}

TEST_F(reader_test, another_process_stops_before_an_incomplete_batch_and_goes_on_when_it_is_complete)
{
    {
        const auto journal = open_log(files_);
        store_range(*journal, 1, 3);
    }
    const std::string path = "/state/journal/00000000000000000001.log";
    const std::string complete = [&] {
        const auto journal = open_log(files_);
        EXPECT_EQ(store(*journal, 4), append_status::stored);
        return files_.content(path);
    }();
    fault_file_system other;
    other.make_directory(directory);
    auto reading = std::optional<reader>();
    std::size_t last = complete.find_last_not_of('\0');
    for (std::size_t cut = last - 300; cut <= last + 1; ++cut) {
        other.set_content(path, complete.substr(0, cut) + std::string(complete.size() - cut, '\0'));
        error none;
        const auto seen = numbers(read_all(other, 0, &none));
        ASSERT_EQ(none.message, "") << cut;
        ASSERT_TRUE(seen == range(1, 3) || seen == range(1, 4)) << cut;
    }
    EXPECT_EQ(numbers(read_all(other)), range(1, 4));
}

TEST_F(reader_test, looks_again_at_what_it_once_saw_half_written)
{
    auto with = small_options();
    with.segment_bytes = 64 * 1024;
    const auto journal = open_log(files_, with);
    store_range(*journal, 1, 3);
    const std::string path = "/state/journal/00000000000000000001.log";
    const auto before = files_.copy();
    store_range(*journal, 4, 5);
    const std::string after = files_.content(path);
    // The same file, first with only the first sectors of the new batches, then whole.
    std::string half = before->content(path);
    const std::size_t written = half.find_last_not_of('\0') + 1;
    half.replace(0, written + 40, after, 0, written + 40);
    std::unique_ptr<file> growing;
    before->set_content(path, half);
    ASSERT_EQ(before->open(path, file_system::mode::write, &growing), 0);
    auto from = open_reader(*before, 0);
    for (std::uint64_t n = 1; n <= 3; ++n)
        ASSERT_EQ(next(from), n);
    ASSERT_EQ(next(from), 0U);
    ASSERT_EQ(growing->write_at(after, 0), 0);
    EXPECT_EQ(next(from), 4U);
    EXPECT_EQ(next(from), 5U);
}

TEST_F(reader_test, damage_below_the_durable_point_is_an_error_that_names_the_place)
{
    const auto journal = open_log(files_);
    store_range(*journal, 1, 3);
    const std::string path = "/state/journal/00000000000000000001.log";
    std::string bytes = files_.content(path);
    const std::size_t second = bytes.find(webhook::body_of(2));
    bytes[second] ^= 1;
    files_.set_content(path, bytes);
    for (const std::uint64_t up_to : {std::uint64_t{3}, reader::open_end}) {
        auto from = open_reader(files_, 0);
        EXPECT_EQ(next(from, up_to), 1U);
        record one;
        const auto failed = from.next(one, up_to);
        ASSERT_FALSE(failed);
        EXPECT_EQ(failed.error().code, errc::corrupt);
        EXPECT_EQ(failed.error().message.rfind(path + ": damaged at offset ", 0), 0U)
            << failed.error().message;
    }
}

TEST_F(reader_test, missing_bytes_that_were_promised_are_an_error)
{
    const auto journal = open_log(files_);
    store_range(*journal, 1, 3);
    auto from = open_reader(files_, 0);
    record one;
    for (int i = 0; i < 3; ++i)
        ASSERT_TRUE(from.next(one, 4).value());
    const auto failed = from.next(one, 4);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, errc::corrupt);
}

TEST_F(reader_test, does_not_mix_two_journals)
{
    std::uint64_t second = 0;
    {
        const auto journal = open_log(files_);
        store_range(*journal, 1, 40);
        second = journal->segments()[1].first_sequence;
    }
    fault_file_system other;
    {
        const auto journal = open_log(other);
        store_range(*journal, 1, 40);
        ASSERT_EQ(journal->segments()[1].first_sequence, second);
    }
    const std::string path = "/state/journal/" + std::string(20 - std::to_string(second).size(), '0') +
                             std::to_string(second) + ".log";
    files_.set_content(path, other.content(path));
    error problem;
    EXPECT_EQ(numbers(read_all(files_, 0, &problem)), range(1, second - 1));
    EXPECT_EQ(problem.code, errc::corrupt);
    EXPECT_EQ(problem.message, path + ": damaged at offset 0: the segment belongs to another journal");
}

/// The real file system, a writer, maintenance and two kinds of readers, all at once.
TEST_F(reader_test, reads_while_it_is_written_compressed_and_deleted)
{
    const test::temporary_directory root;
    constexpr std::uint64_t count = 3000;
    auto with = small_options();
    with.directory = root / "journal";
    with.segment_bytes = 32 * 1024;
    const auto journal = open_log(real_file_system(), with);
    std::atomic<std::uint64_t> applied{0};
    std::vector<std::thread> threads;
    for (std::uint64_t t = 0; t < 4; ++t) {
        threads.emplace_back([&journal, t] {
            for (std::uint64_t n = t + 1; n <= count; n += 4)
                ASSERT_EQ(store(*journal, n), append_status::stored);
        });
    }
    threads.emplace_back([&journal, &with, &applied] { // in the daemon
        auto from = open_reader(real_file_system(), 0, with.directory);
        while (applied < count && !HasFailure()) {
            const std::uint64_t durable = journal->wait_beyond(applied, {});
            for (; applied < durable && !HasFailure(); ++applied)
                EXPECT_NE(next(from, durable), 0U);
        }
    });
    threads.emplace_back([&with] { // in another process
        auto from = open_reader(real_file_system(), 0, with.directory);
        for (std::uint64_t seen = 0; seen < count / 2 && !HasFailure();)
            seen += next(from) != 0 ? 1 : 0;
    });
    threads.emplace_back([&journal, &applied] {
        while (applied < count && !HasFailure()) {
            ASSERT_TRUE(journal->compress(applied));
            journal->segments();
            std::this_thread::yield();
        }
    });
    for (std::thread& t : threads)
        t.join();
    ASSERT_TRUE(journal->remove_older(count, timestamp::max()));
    EXPECT_EQ(journal->segments().size(), 1U);
    journal->close();
    const auto checked = verify(with.directory, real_file_system(), true);
    ASSERT_TRUE(checked);
    EXPECT_TRUE(checked->problems.empty());
    EXPECT_EQ(checked->last_sequence, count);
}

} // namespace
} // namespace chargifyd::journal
