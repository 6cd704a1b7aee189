#include "journal/segment.hpp"
#include "journal_fixture.hpp"

#include <gtest/gtest.h>

#include <cerrno>

namespace chargifyd::journal {
namespace {

using test::fault_file_system;
using call = test::fault_file_system::call;

class segment_test : public testing::Test {
protected:
    std::unique_ptr<active_segment> create(std::uint64_t bytes)
    {
        format::segment_header header;
        header.first_sequence = 1;
        header.salt = 7;
        std::unique_ptr<active_segment> made;
        EXPECT_FALSE(active_segment::create(files_, "/state", header, bytes, &made).failed());
        return made;
    }

    static std::vector<char> batch(std::size_t bytes) { return std::vector<char>(bytes, 'r'); }

    const std::string path_ = "/state/00000000000000000001.log";
    fault_file_system files_;
};

TEST_F(segment_test, is_durable_with_its_name_once_it_is_made)
{
    create(4096);
    const auto left = files_.after_power_loss(fault_file_system::loss::all_unsynced, 1);
    ASSERT_TRUE(left->exists(path_));
    EXPECT_EQ(left->content(path_).size(), 4096U);
    EXPECT_TRUE(format::decode_segment_header(left->content(path_)));
}

TEST_F(segment_test, keeps_room_for_its_markers)
{
    const auto segment = create(4096);
    EXPECT_EQ(segment->room(), 4096U - 64 - 128);
    EXPECT_EQ(segment->room(), active_segment::room_in(4096));
    EXPECT_EQ(active_segment::room_in(active_segment::bytes_for(1000)), 1000U);
    auto bytes = batch(segment->room());
    ASSERT_FALSE(segment->write(bytes, 1, 1, {}).failed());
    EXPECT_EQ(segment->room(), 0U);
    ASSERT_FALSE(segment->mark_clean(2, {}).failed());
    ASSERT_FALSE(segment->seal(2, {}).failed());
    EXPECT_EQ(files_.content(path_).size(), 4096U);
    EXPECT_EQ(segment->bytes(), 4096U);
}

TEST_F(segment_test, notes_an_orderly_stop_once_and_only_behind_records)
{
    const auto segment = create(4096);
    ASSERT_FALSE(segment->mark_clean(1, {}).failed());
    EXPECT_EQ(files_.count(call::write), 1U); // the header
    auto bytes = batch(128);
    ASSERT_FALSE(segment->write(bytes, 1, 1, {}).failed());
    ASSERT_FALSE(segment->mark_clean(2, {}).failed());
    ASSERT_FALSE(segment->mark_clean(2, {}).failed());
    EXPECT_EQ(files_.count(call::write), 3U);
}

TEST_F(segment_test, writes_zeros_ahead_within_one_write_and_not_every_time)
{
    constexpr std::uint64_t mebibyte = 1024 * 1024;
    const auto segment = create(3 * mebibyte);
    files_.set_content("/state/probe", "");
    const std::size_t before = files_.count(call::write);
    auto bytes = batch(4096);
    ASSERT_FALSE(segment->write(bytes, 1, 1, {}).failed());
    EXPECT_EQ(bytes.size(), 4096 + mebibyte);
    bytes = batch(4096);
    ASSERT_FALSE(segment->write(bytes, 2, 1, {}).failed());
    EXPECT_EQ(bytes.size(), 4096U);
    EXPECT_EQ(files_.count(call::write), before + 2);
    EXPECT_EQ(files_.content(path_).size(), 3 * mebibyte);
    bytes = batch(segment->room());
    ASSERT_FALSE(segment->write(bytes, 3, 1, {}).failed());
    EXPECT_EQ(files_.content(path_).size(), 3 * mebibyte) << "never past its end";
}

TEST_F(segment_test, grows_or_leaves_everything_as_it_was)
{
    const auto segment = create(4096);
    files_.set_capacity(6000);
    EXPECT_TRUE(segment->grow(8192).no_space());
    EXPECT_EQ(segment->bytes(), 4096U);
    files_.set_capacity(10000);
    EXPECT_FALSE(segment->grow(8192).failed());
    EXPECT_EQ(segment->room(), active_segment::room_in(8192));
}

TEST_F(segment_test, tells_shortage_of_space_from_other_failures)
{
    EXPECT_TRUE((io_status{ENOSPC, ""}.no_space()));
    EXPECT_TRUE((io_status{EDQUOT, ""}.no_space()));
    EXPECT_FALSE((io_status{EIO, ""}.no_space()));
    EXPECT_FALSE(io_status{}.no_space());
}

} // namespace
} // namespace chargifyd::journal
