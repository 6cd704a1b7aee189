#include "journal/names.hpp"
#include "journal/recovery.hpp"
#include "journal_fixture.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <deque>

namespace chargifyd::journal {
namespace {

using test::append_status;
using test::fault_file_system;
using test::journal_test;
using test::sync_gate;
using test::webhook;
using call = test::fault_file_system::call;
using loss = test::fault_file_system::loss;

// With the thread sanitizer, which makes these tests twenty times slower and is not what they are for,
// samples do.
#ifdef __SANITIZE_THREAD__
constexpr std::size_t every = 37;
constexpr std::size_t kth = 3;
constexpr std::uint64_t few_or_many = 1;
#else
constexpr std::size_t every = 1;
constexpr std::size_t kth = 1;
constexpr std::uint64_t few_or_many = 12;
#endif

class recovery_test : public journal_test {
protected:
    /// The journal as it is when the daemon is killed now: nothing is closed, nothing synced.
    static std::unique_ptr<fault_file_system> killed(const fault_file_system& files) { return files.copy(); }

    /// What must hold at any start after webhooks 1, 2, 3, … were submitted in this order.
    void expect_intact(fault_file_system& files, std::uint64_t stored, std::uint64_t submitted)
    {
        const auto journal = open_log(files);
        const std::uint64_t durable = journal->durable_sequence();
        EXPECT_GE(durable, stored);
        EXPECT_LE(durable, submitted);
        EXPECT_EQ(numbers(read_all(files)), range(1, durable));
        // What was recovered may be answered as a duplicate from now on, so it has to be durable by now.
        const auto left = files.after_power_loss(loss::all_unsynced, 1);
        EXPECT_EQ(numbers(read_all(*left)), range(1, durable));
        EXPECT_EQ(store(*journal, durable + 1), append_status::stored);
        EXPECT_EQ(journal->durable_sequence(), durable + 1);
        EXPECT_EQ(numbers(read_all(files)), range(1, durable + 1));
    }

    /// Where a record's body begins in a segment.
    static std::size_t body_at(const std::string& segment, const std::string& body)
    {
        const std::string before = "acme192.0.2.7";
        const std::size_t at = segment.find(before + body);
        EXPECT_NE(at, std::string::npos);
        return at + before.size();
    }

    static std::string first_segment() { return raw_path(directory, 1).string(); }
};

struct moment {
    std::unique_ptr<fault_file_system> files;
    std::uint64_t stored;
    std::uint64_t submitted;
};

TEST_F(recovery_test, a_power_loss_at_any_sync_loses_nothing_that_was_stored)
{
    std::vector<moment> moments;
    std::atomic<std::uint64_t> stored{0};
    std::atomic<std::uint64_t> submitted{0};
    std::mutex mutex;
    files_.before_sync([this, &moments, &stored, &submitted, &mutex] {
        const std::lock_guard hold(mutex);
        const std::uint64_t known = stored;
        moments.push_back({files_.after_power_loss(loss::all_unsynced, 0), known, submitted});
        for (std::uint64_t seed = 1; seed <= few_or_many; ++seed)
            moments.push_back(
                {files_.after_power_loss(loss::random, seed + moments.size()), known, submitted});
    });
    std::uint64_t n = 0;
    for (int run = 0; run < 2; ++run) {
        const auto journal = open_log(files_);
        for (int group = 1; group <= 12; ++group) {
            std::deque<webhook> batch;
            for (int i = 0; i < group; ++i) {
                submitted = ++n;
                ASSERT_EQ(journal->submit(batch.emplace_back(n)), append_status::stored);
            }
            for (webhook& w : batch)
                ASSERT_EQ(w.wait(), append_status::stored);
            stored = n;
        }
    }
    files_.before_sync({});
    ASSERT_GT(moments.size(), 30 * few_or_many);
    for (const moment& m : moments) {
        expect_intact(*m.files, m.stored, m.submitted);
        if (HasFailure())
            return;
    }
}

/// Works on a journal in every way, and notes what was answered.
struct outcome {
    std::uint64_t submitted = 0;
    std::uint64_t stored = 0; ///< the last one that was answered so
    bool opened = false;
    bool stopped = false;
    int failures_told = 0;
};

TEST_F(recovery_test, no_failure_of_any_call_makes_a_false_answer)
{
    const auto work = [this](fault_file_system& files) {
        outcome o;
        auto opened = try_open(files);
        if (!opened) {
            EXPECT_EQ(opened.error().code, errc::io) << opened.error().message;
            return o;
        }
        o.opened = true;
        log& journal = **opened;
        journal.on_failure([&o](const error&) { ++o.failures_told; });
        for (int i = 0; i < 34; ++i) {
            const append_status answer = store(journal, o.submitted + 1);
            EXPECT_TRUE(!o.stopped || answer == append_status::stopped)
                << "there is no way back from a failure";
            o.stopped = answer == append_status::stopped;
            if (answer == append_status::stored)
                o.stored = ++o.submitted;
            else if (o.stopped && o.submitted == o.stored)
                ++o.submitted; // it may have got to the disk nevertheless
            if (i == 20)
                static_cast<void>(journal.compress(o.stored));
        }
        journal.close();
        EXPECT_TRUE(o.failures_told == 1 || (o.failures_told == 0 && !o.stopped)) << o.failures_told;
        return o;
    };
    for (const call what : {call::open, call::make_directory, call::list, call::rename, call::remove,
                            call::sync_directory, call::write, call::read, call::sync, call::allocate,
                            call::truncate, call::size, call::free_bytes}) {
        for (const bool for_ever : {false, true}) {
            for (std::size_t k = 1;; k += kth) {
                SCOPED_TRACE(testing::Message() << "call " << static_cast<int>(what) << " number " << k
                                                << (for_ever ? " and all after it" : ""));
                fault_file_system files;
                files.fail(what, k, EIO, for_ever);
                const outcome first = work(files);
                if (!files.failed_once()) {
                    EXPECT_GT(k, 1U);
                    break;
                }
                files.heal();
                expect_intact(*files.after_power_loss(loss::all_unsynced, 1), first.stored, first.submitted);
                for (std::uint64_t seed = 1; seed <= (few_or_many + 3) / 4; ++seed)
                    expect_intact(*files.after_power_loss(loss::random, seed), first.stored, first.submitted);
                expect_intact(files, first.stored, first.submitted);
                if (HasFailure())
                    return;
            }
        }
    }
}

TEST_F(recovery_test, a_failure_or_a_power_loss_during_recovery_is_recovered_from)
{
    {
        const auto journal = open_log(files_);
        store_range(*journal, 1, 30);
        ASSERT_TRUE(journal->compress(15));
        files_.fail(call::sync, 1, EIO);
        EXPECT_EQ(store(*journal, 31), append_status::stopped);
    }
    files_.heal();
    for (const call what : {call::open, call::list, call::remove, call::sync_directory, call::write,
                            call::read, call::sync, call::allocate, call::size}) {
        for (std::size_t k = 1; k < 20; ++k) {
            const auto files = killed(files_);
            files->fail(what, k, EIO);
            static_cast<void>(try_open(*files));
            files->heal();
            expect_intact(*files->after_power_loss(loss::random, k), 30, 31);
            expect_intact(*files, 30, 31);
            if (HasFailure())
                return;
        }
    }
}

TEST_F(recovery_test, what_a_failed_sync_left_in_memory_only_is_made_durable_before_it_counts)
{
    {
        const auto journal = open_log(files_);
        store_range(*journal, 1, 3);
        files_.fail(call::sync, 1, EIO);
        EXPECT_EQ(store(*journal, 4), append_status::stopped);
    }
    // The kernel now takes the pages of 4 for written; they can be read, and a plain sync would do nothing.
    const auto journal = open_log(files_);
    ASSERT_EQ(journal->durable_sequence(), 4U);
    EXPECT_EQ(store(*journal, 4), append_status::duplicate);
    EXPECT_EQ(numbers(read_all(*files_.after_power_loss(loss::all_unsynced, 1))), range(1, 4));
}

TEST_F(recovery_test, cuts_a_torn_batch_and_goes_on_in_its_place)
{
    sync_gate gate(files_);
    const auto journal = open_log(files_);
    store_range(*journal, 1, 3);
    webhook torn(4);
    gate.close();
    ASSERT_EQ(journal->submit(torn), append_status::stored);
    gate.await_held();
    const auto left = killed(files_);
    std::string bytes = left->content(first_segment());
    const std::size_t at = bytes.find(webhook::body_of(4));
    ASSERT_NE(at, std::string::npos);
    bytes[at] ^= 1;
    left->set_content(first_segment(), bytes);
    gate.open();
    EXPECT_EQ(torn.wait(), append_status::stored);
    {
        const auto again = open_log(*left);
        EXPECT_EQ(again->durable_sequence(), 3U);
        const std::string after = left->content(first_segment());
        EXPECT_EQ(after.size(), bytes.size());
        EXPECT_EQ(after.find(std::string_view(webhook::body_of(4)).substr(1)), std::string::npos)
            << "it is gone";
        EXPECT_EQ(store(*again, 4), append_status::stored);
    }
    EXPECT_EQ(numbers(read_all(*left)), range(1, 4));
}

TEST_F(recovery_test, damage_below_the_durable_point_stops_the_start_and_changes_nothing)
{
    {
        const auto journal = open_log(files_);
        store_range(*journal, 1, 3);
    }
    files_.set_content("/state/journal/00000000000000000001.log.zst.tmp", "left over");
    std::string bytes = files_.content(first_segment());
    const std::size_t third = bytes.find(webhook::body_of(3));
    bytes[third] ^= 1;
    files_.set_content(first_segment(), bytes);
    const auto before = files_.contents();
    const auto refused = try_open(files_);
    ASSERT_FALSE(refused) << "the mark of the orderly stop shows that the last batch was durable";
    EXPECT_EQ(refused.error().code, errc::corrupt);
    EXPECT_EQ(refused.error().message.rfind(first_segment() + ": damaged at offset ", 0), 0U);
    EXPECT_NE(refused.error().message.find("Nothing was changed."), std::string::npos);
    EXPECT_EQ(files_.contents(), before);
}

TEST_F(recovery_test, a_missing_block_below_the_durable_point_is_no_torn_tail)
{
    const auto journal = open_log(files_);
    store_range(*journal, 1, 3);
    const auto left = killed(files_);
    std::string bytes = left->content(first_segment());
    const std::size_t second = body_at(bytes, webhook::body_of(2));
    const std::size_t start = second - 13 - 64 - 64; // site and peer, the record's header, the batch's header
    const std::size_t count = second + webhook::body_of(2).size() - start;
    bytes.replace(start, count, std::string(count, '\0')); // as if it had never been written
    left->set_content(first_segment(), bytes);
    const auto refused = try_open(*left);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, errc::corrupt);
}

TEST_F(recovery_test, a_body_that_holds_a_segment_is_not_taken_for_batches)
{
    auto with = small_options();
    with.segment_bytes = 64 * 1024;
    const auto journal = open_log(files_, with);
    store_range(*journal, 1, 5);
    std::string whole = files_.content(first_segment());
    whole.resize(whole.find_last_not_of('\0') + 1);
    for (std::uint64_t pad = 0; pad < 8; ++pad) // at every alignment
        ASSERT_EQ(store(*journal, 10 + pad, std::string(pad, 'p') + whole), append_status::stored);
    // Tear each of these batches in turn, with all behind it lost, as a power cut at that time would have.
    const std::string bytes = files_.content(first_segment());
    const auto all = read_all(files_);
    ASSERT_EQ(all.size(), 13U);
    EXPECT_EQ(all[12].body, std::string(7, 'p') + whole);
    for (std::size_t i = 5; i < 13; ++i) {
        const std::size_t body = body_at(bytes, all[i].body);
        std::string torn = bytes;
        torn.resize(body + all[i].body.size());
        torn.resize(bytes.size());
        torn.replace(body - 40, 16, std::string(16, '\0'));
        const auto left = killed(files_);
        left->set_content(first_segment(), torn);
        const auto again = open_log(*left, with);
        EXPECT_EQ(again->durable_sequence(), i);
    }
}

/// Flips each byte of each file in turn, and says for each what `judge` has to make of it.
template <class Judge>
void for_each_flip(const fault_file_system& files, std::size_t up_to, const Judge& judge)
{
    for (const auto& [path, bytes] : files.contents()) {
        for (std::size_t at = 0; at < std::min(bytes.size(), up_to); at += every) {
            std::string flipped = bytes;
            flipped[at] = static_cast<char>(flipped[at] ^ (1 << at % 8));
            const auto damaged = files.copy();
            damaged->set_content(path, std::move(flipped));
            judge(*damaged, path, at);
            if (testing::Test::HasFailure())
                return;
        }
    }
}

TEST_F(recovery_test, no_flipped_byte_makes_a_wrong_record_or_loses_one_after_an_orderly_stop)
{
    {
        const auto journal = open_log(files_);
        store_range(*journal, 1, 20);
        ASSERT_EQ(journal->segments().size(), 2U);
    }
    std::size_t refused = 0;
    for_each_flip(files_, 4096,
                  [this, &refused](fault_file_system& damaged, const std::string& path, std::size_t at) {
                      SCOPED_TRACE(path + " at " + std::to_string(at));
                      const auto before = damaged.contents();
                      error problem;
                      const auto seen = numbers(read_all(damaged, 0, &problem));
                      EXPECT_EQ(seen, range(1, seen.size()));
                      const auto opened = try_open(damaged);
                      if (!opened) {
                          ++refused;
                          EXPECT_EQ(opened.error().code, errc::corrupt);
                          EXPECT_EQ(damaged.contents(), before);
                          return;
                      }
                      EXPECT_EQ((*opened)->durable_sequence(), 20U);
                      EXPECT_EQ(numbers(read_all(damaged)), range(1, 20));
                  });
    EXPECT_GT(refused, 4000 / every);
}

TEST_F(recovery_test, after_a_kill_a_flipped_byte_can_only_cost_the_batch_that_nothing_vouches_for)
{
    const auto journal = open_log(files_);
    store_range(*journal, 1, 8);
    const auto left = killed(files_);
    const std::string bytes = left->content(first_segment());
    const std::size_t last_record = bytes.find(webhook::body_of(8));
    for_each_flip(*left, 4096,
                  [this, last_record](fault_file_system& damaged, const std::string& path, std::size_t at) {
                      SCOPED_TRACE(path + " at " + std::to_string(at));
                      const auto opened = try_open(damaged);
                      if (!opened) {
                          EXPECT_EQ(opened.error().code, errc::corrupt);
                          EXPECT_LT(at, last_record);
                          return;
                      }
                      const std::uint64_t durable = (*opened)->durable_sequence();
                      EXPECT_TRUE(durable == 7 || durable == 8) << durable;
                      EXPECT_EQ(numbers(read_all(damaged)), range(1, durable));
                  });
}

TEST_F(recovery_test, a_torn_creation_is_made_again)
{
    const auto journal = open_log(files_);
    std::string header = files_.content(first_segment()).substr(0, 64);
    header.replace(20, 30, std::string(30, '\0'));
    for (const std::string& torn : {std::string(), header.substr(0, 10), header + std::string(4032, '\0')}) {
        fault_file_system files;
        files.make_directory(directory);
        files.set_content(first_segment(), torn);
        const auto again = open_log(files);
        EXPECT_EQ(store(*again, 1), append_status::stored);
    }
}

TEST_F(recovery_test, a_torn_creation_behind_a_sealed_segment_is_made_again)
{
    std::uint64_t newest = 0;
    {
        const auto journal = open_log(files_);
        store_range(*journal, 1, 40);
        newest = journal->segments().back().first_sequence;
    }
    files_.set_content(raw_path(directory, newest), std::string(4096, '\0'));
    const auto again = open_log(files_);
    EXPECT_EQ(again->durable_sequence(), newest - 1);
    EXPECT_EQ(store(*again, newest), append_status::stored);
    EXPECT_EQ(numbers(read_all(files_)), range(1, newest));
}

TEST_F(recovery_test, a_header_that_is_damaged_in_front_of_batches_stops_the_start)
{
    {
        const auto journal = open_log(files_);
        store_range(*journal, 1, 3);
    }
    std::string bytes = files_.content(first_segment());
    bytes.replace(0, 64, std::string(64, '\0'));
    files_.set_content(first_segment(), bytes);
    const auto refused = try_open(files_);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, errc::corrupt);
    EXPECT_EQ(files_.content(first_segment()), bytes);
}

TEST_F(recovery_test, a_missing_segment_in_the_middle_stops_the_start)
{
    {
        const auto journal = open_log(files_);
        store_range(*journal, 1, 60);
        ASSERT_EQ(files_.remove(journal->segments()[1].path), 0);
    }
    const auto refused = try_open(files_);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, errc::corrupt);
    EXPECT_NE(refused.error().message.find("a file is missing"), std::string::npos);
}

TEST_F(recovery_test, a_format_of_the_future_is_not_called_damage)
{
    open_log(files_);
    auto header = format::decode_segment_header(files_.content(first_segment()));
    ASSERT_TRUE(header);
    header->version = 2;
    const auto block = format::encode(*header);
    std::string bytes = files_.content(first_segment());
    bytes.replace(0, block.size(), block.data(), block.size());
    files_.set_content(first_segment(), bytes);
    const auto refused = try_open(files_);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, errc::invalid);
    EXPECT_EQ(refused.error().message,
              first_segment() + ": format version 2 of the journal; this program knows 1");
}

TEST_F(recovery_test, what_a_crash_during_compression_left_is_cleared_away)
{
    const auto journal = open_log(files_);
    store_range(*journal, 1, 40);
    const auto raw = journal->segments()[0];
    const auto before = killed(files_);
    ASSERT_TRUE(journal->compress(raw.last_sequence));
    const std::string compressed = compressed_path(directory, 1).string();
    before->set_content(compressed, files_.content(compressed));
    before->set_content(temporary_path(directory, journal->segments()[1].first_sequence), "unfinished");
    ASSERT_TRUE(before->exists(raw.path));
    const auto again = open_log(*before);
    EXPECT_FALSE(before->exists(raw.path));
    EXPECT_FALSE(before->exists(temporary_path(directory, journal->segments()[1].first_sequence)));
    EXPECT_TRUE(again->segments()[0].compressed);
    EXPECT_EQ(numbers(read_all(*before)), range(1, 40));
}

TEST_F(recovery_test, an_oversized_tail_behind_the_seal_is_trimmed)
{
    {
        const auto journal = open_log(files_);
        store_range(*journal, 1, 40);
    }
    const auto segments = verify(directory, files_, false)->segments;
    for (std::size_t i = 1; i < segments.size(); ++i)
        ASSERT_EQ(files_.remove(segments[i].path), 0);
    // Sealed, but the power went before the file was cut.
    const std::string sealed = files_.content(first_segment());
    files_.set_content(first_segment(), sealed + std::string(4096 - sealed.size(), '\0'));
    const auto again = open_log(files_);
    EXPECT_EQ(again->durable_sequence(), segments[0].last_sequence);
    EXPECT_EQ(files_.content(first_segment()), sealed);
    EXPECT_EQ(store(*again, segments[0].last_sequence + 1), append_status::stored);
    EXPECT_EQ(again->segments().size(), 2U);
}

TEST_F(recovery_test, a_start_needs_no_space)
{
    sync_gate gate(files_);
    const auto journal = open_log(files_);
    store_range(*journal, 1, 3);
    const auto left = killed(files_);
    std::string bytes = left->content(first_segment());
    bytes[bytes.find(webhook::body_of(3))] ^= 1;
    left->set_content(first_segment(), bytes);
    left->set_capacity(0);
    EXPECT_EQ(open_log(*left)->durable_sequence(), 2U);
}

TEST_F(recovery_test, a_changed_segment_size_takes_effect)
{
    {
        const auto journal = open_log(files_);
        store_range(*journal, 1, 3);
    }
    auto with = small_options();
    with.segment_bytes = 8192;
    {
        const auto journal = open_log(files_, with);
        EXPECT_EQ(journal->bytes(), 8192U);
        store_range(*journal, 4, 40);
    }
    with.segment_bytes = 2048;
    const auto journal = open_log(files_, with);
    store_range(*journal, 41, 60);
    EXPECT_EQ(numbers(read_all(files_)), range(1, 60));
}

} // namespace
} // namespace chargifyd::journal
