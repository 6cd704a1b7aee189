#include "chargify/utf8.hpp"

#include "chargifyd/chargify/form.hpp"

#include <gtest/gtest.h>

namespace chargifyd::chargify {
namespace {

std::string times(std::size_t count)
{
    std::string out;
    for (std::size_t i = 0; i < count; ++i)
        out += replacement_character;
    return out;
}

TEST(utf8, leaves_valid_text_alone)
{
    for (const std::string_view text :
         {"", "plain", "Zo\xc3\xab", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xc2\x80", "\xdf\xbf",
          "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf", "\xf0\x90\x80\x80",
          "\xf4\x8f\xbf\xbf", "\x01\x7f\r\n"})
        EXPECT_EQ(clean_utf8(text), text);
}

TEST(utf8, replaces_nul)
{
    EXPECT_EQ(clean_utf8(std::string_view("a\0b", 3)), "a" + times(1) + "b");
}

TEST(utf8, replaces_what_is_not_a_character)
{
    EXPECT_EQ(clean_utf8("a\x80z"), "a" + times(1) + "z"); // stray continuation
    EXPECT_EQ(clean_utf8("a\xffz"), "a" + times(1) + "z"); // never a byte of UTF-8
    EXPECT_EQ(clean_utf8("\xc0\xaf"), times(2));           // overlong
    EXPECT_EQ(clean_utf8("\xc1\x81"), times(2));           // overlong
    EXPECT_EQ(clean_utf8("\xe0\x80\xaf"), times(3));       // overlong
    EXPECT_EQ(clean_utf8("\xf0\x80\x80\xaf"), times(4));   // overlong
    EXPECT_EQ(clean_utf8("\xed\xa0\x80"), times(3));       // surrogate
    EXPECT_EQ(clean_utf8("\xed\xbf\xbf"), times(3));       // surrogate
    EXPECT_EQ(clean_utf8("\xf4\x90\x80\x80"), times(4));   // above U+10FFFF
    EXPECT_EQ(clean_utf8("\xf5\x80\x80\x80"), times(4));   // above U+10FFFF
}

TEST(utf8, replaces_the_longest_start_of_a_character_once)
{
    EXPECT_EQ(clean_utf8("\xe2\x82"), times(1));
    EXPECT_EQ(clean_utf8("\xe2\x82z"), times(1) + "z");
    EXPECT_EQ(clean_utf8("\xf0\x9f\x98"), times(1));
    EXPECT_EQ(clean_utf8("\xf0\x9f\x98\xc3\xab"), times(1) + "\xc3\xab");
    EXPECT_EQ(clean_utf8("\xc3"), times(1));
    EXPECT_EQ(clean_utf8("\xc3\xc3\xab"), times(1) + "\xc3\xab");
}

TEST(utf8, cleaning_twice_changes_nothing)
{
    std::string bytes;
    for (unsigned i = 0; i < 4096; ++i)
        bytes += static_cast<char>((i * 2654435761U) >> 24);
    const std::string once = clean_utf8(bytes);
    EXPECT_NE(once, bytes);
    EXPECT_EQ(clean_utf8(once), once);
}

} // namespace
} // namespace chargifyd::chargify
