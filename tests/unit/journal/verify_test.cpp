#include "journal/names.hpp"
#include "journal_fixture.hpp"

#include <gtest/gtest.h>

namespace chargifyd::journal {
namespace {

using test::journal_test;
using test::webhook;

class verify_test : public journal_test {
protected:
    verification check(file_system& files, bool thorough)
    {
        auto done = verify(directory, files, thorough);
        EXPECT_TRUE(done) << done.error().message;
        return std::move(*done);
    }
};

TEST_F(verify_test, describes_a_sound_journal)
{
    const auto journal = open_log(files_);
    store_range(*journal, 1, 60);
    ASSERT_TRUE(journal->compress(20));
    for (const bool thorough : {false, true}) {
        const auto before = files_.contents();
        const verification v = check(files_, thorough);
        EXPECT_EQ(v.id, journal->id());
        EXPECT_EQ(v.first_sequence, 1U);
        EXPECT_EQ(v.last_sequence, 60U);
        EXPECT_EQ(v.bytes, journal->bytes());
        EXPECT_EQ(v.segments.size(), journal->segments().size());
        EXPECT_EQ(v.segments.back().last_sequence, 60U);
        EXPECT_EQ(v.problems, std::vector<std::string>{});
        EXPECT_EQ(files_.contents(), before);
    }
}

TEST_F(verify_test, a_missing_journal_is_empty)
{
    const verification v = check(files_, true);
    EXPECT_EQ(v.id, "");
    EXPECT_EQ(v.last_sequence, 0U);
    EXPECT_TRUE(v.segments.empty());
    EXPECT_TRUE(v.problems.empty());
}

TEST_F(verify_test, an_incomplete_batch_at_the_end_is_no_problem_while_a_daemon_writes)
{
    const auto journal = open_log(files_);
    store_range(*journal, 1, 3);
    const std::string path = raw_path(directory, 1).string();
    std::string bytes = files_.content(path);
    const std::size_t third = bytes.find(webhook::body_of(3));
    bytes[third] ^= 1;
    files_.set_content(path, bytes);
    const verification v = check(files_, true);
    EXPECT_TRUE(v.problems.empty());
    EXPECT_EQ(v.last_sequence, 2U);
}

TEST_F(verify_test, finds_all_damage_only_when_it_is_thorough)
{
    std::vector<segment_info> segments;
    {
        const auto journal = open_log(files_);
        store_range(*journal, 1, 80);
        segments = journal->segments();
        ASSERT_GE(segments.size(), 4U);
        ASSERT_TRUE(journal->compress(segments[1].last_sequence));
    }
    // One in a raw, one in a compressed segment.
    std::string bytes = files_.content(segments[2].path);
    bytes[bytes.find(webhook::body_of(segments[2].first_sequence))] ^= 1;
    files_.set_content(segments[2].path, bytes);
    const std::string compressed = compressed_path(directory, 1).string();
    bytes = files_.content(compressed);
    bytes[bytes.size() - 1] ^= 1;
    files_.set_content(compressed, bytes);
    EXPECT_TRUE(check(files_, false).problems.empty());
    const auto problems = check(files_, true).problems;
    ASSERT_EQ(problems.size(), 2U);
    EXPECT_EQ(problems[0].rfind(compressed + ": damaged at offset ", 0), 0U) << problems[0];
    EXPECT_EQ(problems[1],
              segments[2].path.string() + ": damaged at offset 64: the batch is not what its checksum says");
}

TEST_F(verify_test, finds_missing_and_misnamed_segments)
{
    {
        const auto journal = open_log(files_);
        store_range(*journal, 1, 80);
    }
    const auto segments = check(files_, false).segments;
    const auto copy = files_.copy();
    ASSERT_EQ(copy->remove(segments[1].path), 0);
    auto problems = check(*copy, false).problems;
    ASSERT_EQ(problems.size(), 1U);
    EXPECT_EQ(problems[0], segments[2].path.string() + ": begins with sequence " +
                               std::to_string(segments[2].first_sequence) +
                               ", but the segment before it ends with " +
                               std::to_string(segments[0].last_sequence) + ": a file is missing");
    copy->set_content(segments[1].path, files_.content(segments[2].path));
    EXPECT_FALSE(check(*copy, false).problems.empty());
}

TEST_F(verify_test, reports_progress_up_to_the_whole)
{
    auto with = small_options();
    with.segment_bytes = 1024 * 1024;
    {
        const auto journal = open_log(files_, with);
        for (std::uint64_t n = 1; n <= 20; ++n)
            ASSERT_EQ(store(*journal, n, std::string(400'000, 'x')), test::append_status::stored);
    }
    std::vector<std::pair<std::uint64_t, std::uint64_t>> steps;
    ASSERT_TRUE(verify(directory, files_, true, [&steps](std::uint64_t done, std::uint64_t total) {
        steps.emplace_back(done, total);
    }));
    ASSERT_GE(steps.size(), 2U);
    for (std::size_t i = 1; i < steps.size(); ++i)
        EXPECT_GE(steps[i].first, steps[i - 1].first);
    EXPECT_EQ(steps.back().first, steps.back().second);
}

} // namespace
} // namespace chargifyd::journal
