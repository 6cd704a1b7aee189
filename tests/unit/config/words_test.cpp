#include "config/words.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace chargifyd::config {
namespace {

TEST(words, quotes_and_escapes)
{
    EXPECT_EQ(in_quotes("plain"), R"("plain")");
    EXPECT_EQ(in_quotes("a\"b\\c"), R"("a\"b\\c")");
    EXPECT_EQ(in_quotes("line\nend\x1b[0m\x7f"), R"("line\x0aend\x1b[0m\x7f")");
    EXPECT_EQ(in_quotes("\xc3\xa9"), R"("\xc3\xa9")");
}

TEST(words, shows_only_the_start_of_a_long_text)
{
    EXPECT_EQ(in_quotes(std::string(80, 'a')), "\"" + std::string(80, 'a') + "\"");
    EXPECT_EQ(in_quotes(std::string(81, 'a')), "\"" + std::string(80, 'a') + "…\"");
    EXPECT_EQ(in_quotes(std::string(500, 'a'), std::string::npos), "\"" + std::string(500, 'a') + "\"");
}

TEST(words, writes_a_list)
{
    EXPECT_EQ(in_brackets(std::vector<std::string>{}), "[]");
    EXPECT_EQ(in_brackets(std::vector<std::string>{"a", "b"}), R"(["a", "b"])");
}

TEST(words, counts_edits)
{
    EXPECT_EQ(edit_distance("", ""), 0U);
    EXPECT_EQ(edit_distance("", "abc"), 3U);
    EXPECT_EQ(edit_distance("threads", "threads"), 0U);
    EXPECT_EQ(edit_distance("thread", "threads"), 1U);
    EXPECT_EQ(edit_distance("treads", "threads"), 1U);
    EXPECT_EQ(edit_distance("thteads", "threads"), 1U);
    EXPECT_EQ(edit_distance("htreads", "threads"), 1U); // neighbours swapped
    EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
}

TEST(words, finds_the_nearest)
{
    const std::vector<std::string> keys{"http", "https", "max_body_bytes", "max_header_bytes"};
    EXPECT_EQ(nearest("htpts", keys), "https");
    EXPECT_EQ(nearest("max_bodi_byte", keys), "max_body_bytes");
    EXPECT_EQ(nearest("max_heder_bytes", keys), "max_header_bytes");
}

TEST(words, suggests_nothing_far_away)
{
    const std::vector<std::string> keys{"http", "https"};
    EXPECT_EQ(nearest("certificate", keys), "");
    EXPECT_EQ(nearest("", keys), "");
    EXPECT_EQ(nearest(std::string(100000, 'h'), keys), "");
    EXPECT_EQ(nearest("http", std::vector<std::string>{}), "");
}

} // namespace
} // namespace chargifyd::config
