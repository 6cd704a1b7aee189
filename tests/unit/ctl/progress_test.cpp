#include "ctl/progress.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace chargifyd::ctl {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

class progress : public testing::Test {
protected:
    progress_line line(progress_line::unit counts, bool terminal = true)
    {
        return {text, "copying", counts, terminal, [this] { return now; }};
    }
    std::string drawn()
    {
        std::string all = text.str();
        text.str("");
        return all;
    }

    std::chrono::steady_clock::time_point now{100s};
    std::ostringstream text;
};

TEST_F(progress, is_quiet_without_a_terminal)
{
    {
        progress_line l = line(progress_line::unit::bytes, false);
        l.show(1, 2);
        now += 5s;
        l.show(2, 2);
    }
    EXPECT_EQ(text.str(), "");
}

TEST_F(progress, tells_share_rate_and_time_left)
{
    progress_line l = line(progress_line::unit::bytes);
    l.show(0, 10'000'000);
    EXPECT_EQ(drawn(), "\rcopying 0 %");
    now += 2s;
    l.show(4'000'000, 10'000'000);
    EXPECT_EQ(drawn(), "\rcopying 40 %, 2.0 MB/s, 3s left");
    now += 3s;
    l.show(10'000'000, 10'000'000);
    EXPECT_THAT(drawn(), testing::StartsWith("\rcopying 100 %, 2.0 MB/s"));
}

TEST_F(progress, counts_the_rate_from_where_it_began)
{
    progress_line l = line(progress_line::unit::items);
    l.show(1000, 2000);
    now += 10s;
    l.show(1500, 2000);
    EXPECT_THAT(drawn(), HasSubstr("75 %, 50/s, 10s left"));
}

TEST_F(progress, does_not_draw_all_the_time_but_draws_the_end)
{
    progress_line l = line(progress_line::unit::items);
    l.show(0, 1000);
    drawn();
    for (std::uint64_t i = 1; i < 1000; ++i)
        l.show(i, 1000);
    EXPECT_EQ(drawn(), "");
    l.show(1000, 1000);
    EXPECT_THAT(drawn(), HasSubstr("100 %"));
}

TEST_F(progress, overwrites_what_was_longer_and_goes_away)
{
    {
        progress_line l = line(progress_line::unit::items);
        l.show(0, 1000000);
        now += 1s;
        l.show(1, 1000000);
        const std::size_t longest = drawn().size() - 13;
        now += 1s;
        l.show(1000000, 1000000);
        EXPECT_GE(drawn().size(), longest);
    }
    EXPECT_THAT(text.str(), testing::MatchesRegex("\r +\r"));
}

TEST_F(progress, nothing_to_do_is_all_done)
{
    progress_line l = line(progress_line::unit::items);
    l.show(0, 0);
    EXPECT_EQ(drawn(), "\rcopying 100 %");
}

TEST(format, sizes_and_waits)
{
    EXPECT_EQ(format_bytes(0), "0 B");
    EXPECT_EQ(format_bytes(999), "999 B");
    EXPECT_EQ(format_bytes(1000), "1.0 kB");
    EXPECT_EQ(format_bytes(85'200'000), "85.2 MB");
    EXPECT_EQ(format_bytes(123'456'789'000), "123 GB");
    EXPECT_EQ(format_wait(45s), "45s");
    EXPECT_EQ(format_wait(200s), "3m 20s");
    EXPECT_EQ(format_wait(7500s), "2h 05m");
}

} // namespace
} // namespace chargifyd::ctl
