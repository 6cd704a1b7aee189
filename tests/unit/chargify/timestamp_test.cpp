#include "chargifyd/base/time.hpp"
#include "chargifyd/chargify/timestamp.hpp"

#include <gtest/gtest.h>

#include <string>

namespace chargifyd::chargify {
namespace {

std::string utc(std::string_view text)
{
    const auto when = parse_timestamp(text);
    return when ? format_utc(*when) : "nothing";
}

TEST(timestamp, reads_every_form_chargify_writes)
{
    EXPECT_EQ(utc("2016-11-08 16:22:18 -0500"), "2016-11-08T21:22:18Z");
    EXPECT_EQ(utc("2016-07-08 16:22:18 -0400"), "2016-07-08T20:22:18Z");
    EXPECT_EQ(utc("2016-12-20 18:55:55 -0000"), "2016-12-20T18:55:55Z");
    EXPECT_EQ(utc("2016-12-20 18:55:55 +0000"), "2016-12-20T18:55:55Z");
    EXPECT_EQ(utc("2016-12-20 18:55:55 +0930"), "2016-12-20T09:25:55Z");
    EXPECT_EQ(utc("2012-11-19T16:59:13Z"), "2012-11-19T16:59:13Z");
    EXPECT_EQ(utc("2016-11-08T16:22:26-05:00"), "2016-11-08T21:22:26Z");
    EXPECT_EQ(utc("2016-11-08T16:22:26.987654+05:30"), "2016-11-08T10:52:26Z");
    EXPECT_EQ(utc("2013-11-27 00:59:35 UTC"), "2013-11-27T00:59:35Z");
    EXPECT_EQ(utc("Thu, 18 Jan 2024 21:09:55.000000000 EST -05:00"), "2024-01-19T02:09:55Z");
    EXPECT_EQ(utc("Thu, 18 Jan 2024 21:09:55 EST -05:00"), "2024-01-19T02:09:55Z");
    EXPECT_EQ(utc("Mon, 01 Jul 2024 00:00:00.999999999 -03 -03:00"), "2024-07-01T03:00:00Z");
    EXPECT_EQ(utc("Fri, 01 Mar 2024 00:00:00.000000000 UTC +00:00"), "2024-03-01T00:00:00Z");
    EXPECT_EQ(utc("2016-11-08"), "2016-11-08T00:00:00Z");
}

TEST(timestamp, the_same_moment_written_in_two_zones_is_equal)
{
    EXPECT_EQ(parse_timestamp("2016-11-06 01:30:00 -0400"), parse_timestamp("2016-11-06T05:30:00Z"));
    EXPECT_LT(parse_timestamp("2016-11-06 01:59:59 -0400"), parse_timestamp("2016-11-06 01:00:00 -0500"));
}

TEST(timestamp, ignores_white_space_around)
{
    EXPECT_EQ(utc(" \t2016-11-08 16:22:18 -0500\r\n"), "2016-11-08T21:22:18Z");
    EXPECT_EQ(utc(" 2016-11-08 "), "2016-11-08T00:00:00Z");
}

TEST(timestamp, reads_a_leap_second_as_the_next_minute)
{
    EXPECT_EQ(utc("2016-12-31T23:59:60Z"), "2017-01-01T00:00:00Z");
    EXPECT_EQ(utc("2016-12-31T23:59:61Z"), "nothing");
}

TEST(timestamp, knows_the_calendar)
{
    EXPECT_EQ(utc("2024-02-29"), "2024-02-29T00:00:00Z");
    EXPECT_EQ(utc("2000-02-29"), "2000-02-29T00:00:00Z");
    for (const char* text :
         {"2023-02-29", "2100-02-29", "2016-04-31", "2016-13-01", "2016-00-10", "2016-01-00", "2016-01-32",
          "2016-11-08 24:00:00 -0500", "2016-11-08 16:60:00 -0500", "2016-11-08 16:22:18 -1500",
          "2016-11-08 16:22:18 -0560", "Fri, 18 Jan 2024 21:09:55 EST -05:00",
          "Thu, 32 Jan 2024 21:09:55 EST -05:00"})
        EXPECT_EQ(utc(text), "nothing") << text;
}

TEST(timestamp, takes_instants_from_1970_to_9999)
{
    EXPECT_EQ(utc("1970-01-01"), "1970-01-01T00:00:00Z");
    EXPECT_EQ(utc("1969-12-31 19:00:00 -0500"), "1970-01-01T00:00:00Z");
    EXPECT_EQ(utc("9999-12-31T23:59:59Z"), "9999-12-31T23:59:59Z");
    EXPECT_EQ(utc("1969-12-31T23:59:59Z"), "nothing");
    EXPECT_EQ(utc("1970-01-01T00:00:00+00:01"), "nothing");
    EXPECT_EQ(utc("9999-12-31T23:59:59-00:01"), "nothing");
    EXPECT_EQ(utc("9999-12-31T23:59:60Z"), "nothing");
    EXPECT_EQ(utc("0000-01-01"), "nothing");
}

TEST(timestamp, reads_nothing_else)
{
    for (const char* text : {"",
                             " ",
                             "nil",
                             "now",
                             "2016",
                             "2016-11",
                             "2016-1-8",
                             "16-11-08",
                             "2016/11/08",
                             "20161108",
                             "2016-11-08T",
                             "2016-11-08 16:22:18",
                             "2016-11-08T16:22:18",
                             "2016-11-08 16:22 -0500",
                             "2016-11-08 16:22:18 -05:00",
                             "2016-11-08 16:22:18 0500",
                             "2016-11-08 16:22:18-0500",
                             "2016-11-08 16:22:18  -0500",
                             "2016-11-08 16:22:18 -050",
                             "2016-11-08 16:22:18 -05000",
                             "2016-11-08 16:22:18 EST",
                             "2016-11-08 16:22:18 utc",
                             "2016-11-08 16:22:18 UTC+1",
                             "2016-11-08T16:22:18z",
                             "2016-11-08t16:22:18Z",
                             "2016-11-08T16:22:18.Z",
                             "2016-11-08T16:22:18,5Z",
                             "2016-11-08T16:22:18-0500",
                             "2016-11-08 16:22:18 -0500 x",
                             "+2016-11-08",
                             "-2016-11-08",
                             "2016-11-0x",
                             "Thu, 18 Jan 2024",
                             "Thu 18 Jan 2024 21:09:55 EST -05:00",
                             "Thu, 8 Jan 2024 21:09:55 EST -05:00",
                             "Thu, 18 jan 2024 21:09:55 EST -05:00",
                             "Thu, 18 Jan 2024 21:09:55 EST",
                             "Thu, 18 Jan 2024 21:09:55 -05:00",
                             "Thu, 18 Jan 2024 21:09:55 EST -0500",
                             "Xyz, 18 Jan 2024 21:09:55 EST -05:00",
                             "\xd9\xa2\xd9\xa0\xd9\xa1\xd9\xa6"})
        EXPECT_EQ(utc(text), "nothing") << text;
    EXPECT_EQ(utc(std::string_view("2016-11-08\0", 11)), "nothing");
}

TEST(timestamp, no_text_that_is_cut_short_is_read_as_another_time)
{
    constexpr std::string_view whole = "Thu, 18 Jan 2024 21:09:55.000000000 EST -05:00";
    for (std::size_t length = 0; length < whole.size(); ++length)
        EXPECT_EQ(utc(whole.substr(0, length)), "nothing") << length;
    constexpr std::string_view common = "2016-11-08 16:22:18 -0500";
    for (std::size_t length = 0; length < common.size(); ++length) {
        const bool is_the_date = length == 10 || length == 11;
        EXPECT_EQ(utc(common.substr(0, length)), is_the_date ? "2016-11-08T00:00:00Z" : "nothing") << length;
    }
}

} // namespace
} // namespace chargifyd::chargify
