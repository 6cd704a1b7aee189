#include "journal/edited_source.hpp"
#include "journal_fixture.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>

namespace chargifyd::journal {
namespace {

using test::fault_file_system;
using test::journal_test;
using call = test::fault_file_system::call;

constexpr auto no_limit = std::chrono::steady_clock::time_point::max();

/// Makes the bodies of one number blank.
body_editor blanking(std::uint64_t number)
{
    return [text = test::webhook::body_of(number)](std::string_view site, std::span<char> body) {
        if (site != "acme" || std::string_view(body.data(), body.size()) != text)
            return false;
        std::ranges::fill(body, '&');
        return true;
    };
}

class edited_source_test : public journal_test {
protected:
    /// Sequence numbers equal the webhooks' numbers here.
    static void expect_blank(file_system& files, std::uint64_t blank, std::uint64_t last)
    {
        const std::vector<record> all = read_all(files);
        ASSERT_EQ(all.size(), last);
        for (const record& r : all) {
            const std::string text = test::webhook::body_of(r.sequence);
            EXPECT_EQ(r.body, r.sequence == blank ? std::string(text.size(), '&') : text) << r.sequence;
            EXPECT_EQ(r.fingerprint, test::fingerprint_of(r.sequence));
        }
        const auto checked = verify(directory, files, true);
        ASSERT_TRUE(checked);
        EXPECT_EQ(checked->problems, std::vector<std::string>());
    }
};

TEST_F(edited_source_test, a_body_is_overwritten_wherever_it_stands)
{
    for (const std::uint64_t number : {1, 13, 50, 60}) {
        fault_file_system files;
        const auto journal = open_log(files);
        store_range(*journal, 1, 30);
        ASSERT_TRUE(journal->compress(30));
        store_range(*journal, 31, 60);
        journal->rotate();
        const auto done = journal->replace_bodies(1, 60, blanking(number), no_limit);
        ASSERT_TRUE(done) << done.error().message;
        EXPECT_EQ(done->webhooks, 1U);
        EXPECT_EQ(done->next, 61U);
        expect_blank(files, number, 60);
        const std::string text = test::webhook::body_of(number);
        for (const auto& [path, bytes] : files.contents())
            EXPECT_EQ(bytes.find(text + "x"), std::string::npos) << path;
        std::uint64_t on_disk = 0;
        for (const segment_info& s : journal->segments()) {
            EXPECT_EQ(s.bytes, files.content(s.path).size());
            on_disk += s.bytes;
        }
        EXPECT_EQ(journal->bytes(), on_disk);
        EXPECT_EQ(store(*journal, 61), test::append_status::stored) << "appends go on";
        EXPECT_EQ(store(*journal, number), test::append_status::duplicate) << "a replay stays one";
        journal->close();
        EXPECT_EQ(open_log(files)->durable_sequence(), 61U);
    }
}

TEST_F(edited_source_test, nothing_is_written_where_nothing_is_changed)
{
    const auto journal = open_log(files_);
    store_range(*journal, 1, 60);
    journal->rotate();
    const auto before = files_.contents();
    const auto done = journal->replace_bodies(1, 60, blanking(99), no_limit);
    ASSERT_TRUE(done);
    EXPECT_EQ(done->webhooks, 0U);
    EXPECT_EQ(files_.contents(), before);
}

TEST_F(edited_source_test, goes_on_where_it_stopped)
{
    const auto journal = open_log(files_);
    store_range(*journal, 1, 60);
    journal->rotate();
    std::size_t changed = 0;
    std::ptrdiff_t rounds = 0;
    for (std::uint64_t next = 1; next <= 60; ++rounds) {
        const auto done = journal->replace_bodies(next, 60, blanking(33), {});
        ASSERT_TRUE(done);
        ASSERT_GT(done->next, next) << "a segment at least";
        next = done->next;
        changed += done->webhooks;
    }
    EXPECT_EQ(changed, 1U);
    const auto all = journal->segments();
    EXPECT_EQ(rounds, std::count_if(all.begin(), all.end(), [](const segment_info& s) { return s.sealed; }));
    expect_blank(files_, 33, 60);
}

TEST_F(edited_source_test, rotating_ends_a_segment_that_holds_something)
{
    const auto journal = open_log(files_);
    journal->rotate();
    EXPECT_EQ(journal->segments().size(), 1U) << "it was empty";
    store_range(*journal, 1, 3);
    journal->rotate();
    EXPECT_TRUE(journal->segments().front().sealed);
    EXPECT_EQ(journal->segments().front().last_sequence, 3U);
    store_range(*journal, 4, 5);
    EXPECT_EQ(numbers(read_all(files_)), range(1, 5));
    journal->close();
    journal->rotate(); // returns, though nobody is there to do it
}

TEST_F(edited_source_test, a_failure_leaves_every_webhook_as_it_was_or_as_it_should_be)
{
    for (const call what : {call::open, call::write, call::sync, call::rename, call::sync_directory,
                            call::read, call::size, call::remove}) {
        for (std::size_t k = 1;; ++k) {
            fault_file_system files;
            const auto journal = open_log(files);
            store_range(*journal, 1, 40);
            journal->rotate();
            files.fail(what, k, EIO);
            const auto done = journal->replace_bodies(1, 40, blanking(20), no_limit);
            const bool failed = files.failed_once();
            files.heal();
            EXPECT_EQ(done.has_value(), !failed) << static_cast<int>(what) << " " << k;
            EXPECT_EQ(read_all(files).size(), 40U);
            ASSERT_TRUE(journal->replace_bodies(1, 40, blanking(20), no_limit));
            ASSERT_TRUE(journal->compress(40));
            expect_blank(files, 20, 40);
            if (!failed)
                break;
        }
    }
}

TEST_F(edited_source_test, survives_a_power_loss_at_every_moment)
{
    std::vector<std::unique_ptr<fault_file_system>> images;
    const auto journal = open_log(files_);
    store_range(*journal, 1, 60);
    journal->rotate();
    files_.before_sync([this, &images] {
        for (std::uint64_t seed = 1; seed <= 20; ++seed)
            images.push_back(files_.after_power_loss(fault_file_system::loss::random, seed));
    });
    ASSERT_TRUE(journal->replace_bodies(1, 60, blanking(20), no_limit));
    files_.before_sync({});
    for (const auto& image : images) {
        const auto again = open_log(*image);
        const auto all = read_all(*image);
        ASSERT_EQ(all.size(), 60U);
        for (const record& r : all)
            EXPECT_TRUE(r.sequence == 20 || r.body == test::webhook::body_of(r.sequence));
    }
    EXPECT_GT(images.size(), 20U);
    expect_blank(*files_.after_power_loss(fault_file_system::loss::all_unsynced, 1), 20, 60);
}

} // namespace
} // namespace chargifyd::journal
