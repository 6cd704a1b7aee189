#include "ctl/text.hpp"

#include <gtest/gtest.h>

namespace chargifyd::ctl {
namespace {

TEST(text, what_a_terminal_would_obey_is_escaped)
{
    EXPECT_EQ(printable("a\x1b]0;owned\x07z"), "a\\x1b]0;owned\\x07z");
    EXPECT_EQ(printable("one\r\ntwo\tthree\x7f"), "one\\r\\ntwo\\tthree\\x7f");
    EXPECT_EQ(printable(std::string_view("a\0b", 3)), "a\\x00b");
    EXPECT_EQ(printable("\xc2\x9b"
                        "31m"),
              "\\u009b31m"); // the one-character form of ESC [
    EXPECT_EQ(printable("\x9b"
                        "31m"),
              "\\x9b31m");
}

TEST(text, what_misleads_a_reader_is_escaped)
{
    EXPECT_EQ(printable("a\xe2\x80\xae"
                        "b"),
              "a\\u202eb"); // right-to-left override
    EXPECT_EQ(printable("\xe2\x81\xa6\xe2\x80\x8b\xef\xbb\xbf"), "\\u2066\\u200b\\ufeff");
}

TEST(text, letters_of_every_script_stay)
{
    for (const char* text :
         {"Zo\xc3\xab", "\xe6\x9d\xb1\xe4\xba\xac", "\xf0\x9f\x99\x82", "plain 'text' \"here\" \\"})
        EXPECT_EQ(printable(text), text);
}

TEST(text, bytes_that_are_not_utf8_are_escaped)
{
    EXPECT_EQ(printable("\xff"), "\\xff");
    EXPECT_EQ(printable("\xc3"), "\\xc3");          // cut off
    EXPECT_EQ(printable("\xc0\xaf"), "\\xc0\\xaf"); // longer than needed
    EXPECT_EQ(printable("\xe0\x80\xaf"), "\\xe0\\x80\\xaf");
    EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80"); // a surrogate
    EXPECT_EQ(printable("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");
    EXPECT_EQ(printable("\xe2\x82z"), "\\xe2\\x82z");
}

TEST(text, width_counts_code_points)
{
    EXPECT_EQ(display_width("Zo\xc3\xab"), 3U);
    EXPECT_EQ(display_width(""), 0U);
}

TEST(text, csv_fields_are_quoted_when_they_must_be)
{
    EXPECT_EQ(csv_field("plain"), "plain");
    EXPECT_EQ(csv_field("with space"), "with space");
    EXPECT_EQ(csv_field("a,b"), "\"a,b\"");
    EXPECT_EQ(csv_field("say \"hi\""), "\"say \"\"hi\"\"\"");
    EXPECT_EQ(csv_field("two\nlines"), "\"two\nlines\"");
    EXPECT_EQ(csv_field("carriage\r"), "\"carriage\r\"");
    EXPECT_EQ(csv_field(""), "\"\"");
}

} // namespace
} // namespace chargifyd::ctl
