#include "journal/compress.hpp"
#include "journal/names.hpp"
#include "journal/source.hpp"
#include "journal_fixture.hpp"
#include "temporary_directory.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>

namespace chargifyd::journal {
namespace {

using test::fault_file_system;
using test::journal_test;
using call = test::fault_file_system::call;

class compress_test : public journal_test {};

TEST_F(compress_test, a_compressed_segment_reads_the_same)
{
    const auto journal = open_log(files_);
    store_range(*journal, 1, 100);
    const auto before = journal->segments();
    const auto done = journal->compress(100);
    ASSERT_TRUE(done);
    EXPECT_EQ(*done, before.size() - 1) << "all that are sealed";
    EXPECT_EQ(numbers(read_all(files_)), range(1, 100));
    const auto after = journal->segments();
    ASSERT_EQ(after.size(), before.size());
    for (std::size_t i = 0; i + 1 < after.size(); ++i) {
        EXPECT_TRUE(after[i].compressed);
        EXPECT_LT(after[i].bytes, before[i].bytes);
        EXPECT_EQ(after[i].bytes, files_.content(after[i].path).size());
        EXPECT_EQ(after[i].last_sequence, before[i].last_sequence);
        EXPECT_EQ(after[i].sealed_at, before[i].sealed_at);
        EXPECT_FALSE(files_.exists(before[i].path));
    }
    EXPECT_FALSE(after.back().compressed);
    EXPECT_EQ(*journal->compress(100), 0U);
}

TEST_F(compress_test, only_what_is_applied)
{
    const auto journal = open_log(files_);
    store_range(*journal, 1, 100);
    const auto segments = journal->segments();
    EXPECT_EQ(*journal->compress(segments[1].last_sequence - 1), 1U);
    EXPECT_EQ(*journal->compress(segments[1].last_sequence), 1U);
}

TEST_F(compress_test, the_zstd_tool_gives_back_the_segment)
{
    if (std::system("zstd --version > /dev/null 2>&1") != 0)
        GTEST_SKIP() << "no zstd tool";
    const test::temporary_directory root;
    auto with = small_options();
    with.directory = root / "journal";
    std::string raw;
    {
        const auto journal = open_log(real_file_system(), with);
        store_range(*journal, 1, 40);
        std::ifstream in(raw_path(with.directory, 1));
        raw.assign(std::istreambuf_iterator<char>(in), {});
        ASSERT_TRUE(journal->compress(40));
    }
    const std::string command =
        "zstd -q -d -o " + (root / "out").string() + " " + compressed_path(with.directory, 1).string();
    ASSERT_EQ(std::system(command.c_str()), 0);
    std::ifstream in(root / "out");
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), raw);
}

TEST_F(compress_test, a_failure_leaves_the_raw_segment_and_the_journal_as_they_were)
{
    for (const call what : {call::open, call::write, call::sync, call::rename, call::sync_directory,
                            call::read, call::size, call::remove}) {
        for (std::size_t k = 1;; ++k) {
            fault_file_system files;
            const auto journal = open_log(files);
            store_range(*journal, 1, 40);
            files.fail(what, k, EIO);
            const auto done = journal->compress(40);
            if (!files.failed_once()) {
                EXPECT_GT(k, 1U);
                break;
            }
            ASSERT_FALSE(done) << static_cast<int>(what) << " " << k;
            EXPECT_EQ(done.error().code, errc::io);
            files.heal();
            EXPECT_EQ(numbers(read_all(files)), range(1, 40));
            EXPECT_EQ(store(*journal, 41), test::append_status::stored) << "appends go on";
            ASSERT_TRUE(journal->compress(41));
            EXPECT_EQ(numbers(read_all(files)), range(1, 41));
            journal->close();
            EXPECT_EQ(open_log(files)->durable_sequence(), 41U);
            for (const auto& [path, bytes] : files.contents()) {
                EXPECT_EQ(path.find(".tmp"), std::string::npos) << path;
                if (path.ends_with(".log.zst")) {
                    EXPECT_FALSE(files.exists(path.substr(0, path.size() - 4))) << path;
                }
            }
        }
    }
}

TEST_F(compress_test, survives_a_power_loss_at_every_moment)
{
    std::vector<std::unique_ptr<fault_file_system>> images;
    const auto journal = open_log(files_);
    store_range(*journal, 1, 60);
    const auto lose_power = [this, &images] {
        images.push_back(files_.after_power_loss(fault_file_system::loss::all_unsynced, 1));
        for (std::uint64_t seed = 1; seed <= 20; ++seed)
            images.push_back(files_.after_power_loss(fault_file_system::loss::random, seed));
    };
    files_.before_sync(lose_power);
    ASSERT_TRUE(journal->compress(60));
    ASSERT_TRUE(journal->remove_older(45, timestamp::max()));
    files_.before_sync({});
    lose_power();
    const std::uint64_t first = journal->first_sequence();
    for (const auto& image : images) {
        const auto again = open_log(*image);
        EXPECT_LE(again->first_sequence(), first);
        EXPECT_EQ(numbers(read_all(*image, again->first_sequence() - 1)), range(again->first_sequence(), 60));
    }
    EXPECT_GT(images.size(), 100U);
}

TEST_F(compress_test, damage_in_a_compressed_segment_is_never_read_as_a_record)
{
    {
        const auto journal = open_log(files_);
        store_range(*journal, 1, 25);
        ASSERT_TRUE(journal->compress(25));
    }
    const std::string path = compressed_path(directory, 1).string();
    const std::string good = files_.content(path);
    for (std::size_t at = 0; at < good.size(); ++at) {
        std::string bad = good;
        bad[at] = static_cast<char>(bad[at] ^ 0x10);
        files_.set_content(path, bad);
        error problem;
        const auto seen = numbers(read_all(files_, 0, &problem));
        ASSERT_EQ(seen, range(1, seen.size())) << at;
        // One bit of the zstd frame's header has no meaning; the content is whole then.
        ASSERT_TRUE(problem.code == errc::corrupt || seen.size() == 25) << at << problem.message;
        const auto checked = verify(directory, files_, true);
        ASSERT_TRUE(checked) << checked.error().message;
        ASSERT_TRUE(!checked->problems.empty() || seen.size() == 25) << at;
    }
    for (std::size_t length = 0; length < good.size(); length += 7) {
        files_.set_content(path, good.substr(0, length));
        EXPECT_FALSE(verify(directory, files_, false)->problems.empty()) << length;
    }
}

} // namespace
} // namespace chargifyd::journal
