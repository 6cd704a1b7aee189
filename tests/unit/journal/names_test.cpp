#include "journal/names.hpp"
#include "journal_fixture.hpp"

#include "chargifyd/journal/segment_name.hpp"

#include <gtest/gtest.h>

namespace chargifyd::journal {
namespace {

TEST(names, are_twenty_digits_so_that_they_sort_by_sequence)
{
    EXPECT_EQ(raw_path("/j", 42), "/j/00000000000000000042.log");
    EXPECT_EQ(compressed_path("/j", 18446744073709551615U), "/j/18446744073709551615.log.zst");
    EXPECT_EQ(temporary_path("/j", 1), "/j/00000000000000000001.log.zst.tmp");
}

TEST(names, lists_segments_in_order_and_leaves_other_files_alone)
{
    test::fault_file_system files;
    for (const char* const name :
         {"00000000000000000100.log", "00000000000000000009.log.zst", "00000000000000000009.log",
          "00000000000000000009.log.zst.tmp", "notes.txt", "0000000000000000001x.log",
          "00000000000000000000.log", "99999999999999999999.log", "7.log"})
        files.set_content(std::filesystem::path("/state") / name, "");
    const auto found = list_journal(files, "/state");
    ASSERT_TRUE(found);
    ASSERT_EQ(found->segments.size(), 2U);
    EXPECT_EQ(found->segments[0].first_sequence, 9U);
    EXPECT_TRUE(found->segments[0].raw);
    EXPECT_TRUE(found->segments[0].compressed);
    EXPECT_EQ(found->segments[1].first_sequence, 100U);
    EXPECT_FALSE(found->segments[1].compressed);
    EXPECT_EQ(found->leftovers, std::vector<std::string>{"00000000000000000009.log.zst.tmp"});
}

TEST(names, tell_what_a_file_is)
{
    const auto raw = parse_segment_name("00000000000000000042.log");
    ASSERT_TRUE(raw);
    EXPECT_EQ(raw->first_sequence, 42U);
    EXPECT_FALSE(raw->compressed);
    const auto compressed = parse_segment_name("00000000000000000042.log.zst");
    ASSERT_TRUE(compressed);
    EXPECT_TRUE(compressed->compressed);
    for (const char* name :
         {"00000000000000000042.log.zst.tmp", "42.log", "0000000000000000004x.log",
          "00000000000000000000.log", "99999999999999999999.log", "", ".log", "../000000000000000001.log"})
        EXPECT_FALSE(parse_segment_name(name)) << name;
    EXPECT_EQ(format_segment_name(*raw), "00000000000000000042.log");
    EXPECT_EQ(format_segment_name(*compressed), "00000000000000000042.log.zst");
}

TEST(names, a_missing_directory_is_empty)
{
    test::fault_file_system files;
    const auto found = list_journal(files, "/state/journal");
    ASSERT_TRUE(found);
    EXPECT_TRUE(found->segments.empty());
}

} // namespace
} // namespace chargifyd::journal
