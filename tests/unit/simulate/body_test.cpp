#include "wire.hpp"

#include "chargifyd/chargify/timestamp.hpp"
#include "chargifyd/simulate/body.hpp"

#include <gtest/gtest.h>

namespace chargifyd::simulate {
namespace {

using namespace std::chrono;

TEST(body_writer, writes_as_chargify_does)
{
    body_writer out;
    out.add("payload[a][b]", "Ann Lee & Co. = 5%");
    out.add("c", "-._!'()").add("d", ":/@$,?&=%+;~*\"<>[]#").add("e", "").add("f", "Zo\xc3\xab\n");
    out.add("g", std::int64_t{-17}).add("h", INT64_MAX);
    EXPECT_EQ(out.str(), "payload[a][b]=Ann%20Lee%20%26%20Co.%20%3D%205%25&c=-._!'()"
                         "&d=%3A%2F%40%24%2C%3F%26%3D%25%2B%3B%7E%2A%22%3C%3E%5B%5D%23&e=&f=Zo%C3%AB%0A&g=-17"
                         "&h=9223372036854775807");
}

TEST(body_writer, what_it_writes_is_read_back)
{
    std::string every_byte;
    for (int c = 0; c < 256; ++c)
        every_byte += static_cast<char>(c);
    body_writer out;
    out.add("a[b]", every_byte).add("strange key&=", "1");
    const auto tree = chargify::form::parse(out.str());
    ASSERT_TRUE(tree);
    EXPECT_EQ(tree->value(tree->branch(chargify::form::root, "a"), "b"), every_byte);
    EXPECT_EQ(tree->value(chargify::form::root, "strange key&="), "1");
}

TEST(eastern_time, follows_daylight_saving)
{
    const auto at = [](year_month_day day, seconds clock) { return eastern_time(sys_days(day) + clock); };
    EXPECT_EQ(at(2016y / 11 / 8, 21h + 22min + 18s), "2016-11-08 16:22:18 -0500");
    EXPECT_EQ(at(2026y / 7 / 1, 12h), "2026-07-01 08:00:00 -0400");
    EXPECT_EQ(at(2026y / 3 / 8, 6h + 59min + 59s), "2026-03-08 01:59:59 -0500");
    EXPECT_EQ(at(2026y / 3 / 8, 7h), "2026-03-08 03:00:00 -0400");
    EXPECT_EQ(at(2026y / 11 / 1, 5h + 59min + 59s), "2026-11-01 01:59:59 -0400");
    EXPECT_EQ(at(2026y / 11 / 1, 6h), "2026-11-01 01:00:00 -0500");
    EXPECT_EQ(at(2015y / 3 / 1, 12h), "2015-03-01 07:00:00 -0500");
    EXPECT_EQ(at(2027y / 1 / 1, 2h), "2026-12-31 21:00:00 -0500");
    EXPECT_EQ(at(1970y / 1 / 1, 0s), "1969-12-31 19:00:00 -0500");
}

TEST(eastern_time, is_read_back_as_the_same_instant)
{
    for (sys_seconds when = sys_days(2026y / 1 / 1); when < sys_days(2027y / 1 / 2); when += 1h + 7s)
        ASSERT_EQ(chargify::parse_timestamp(eastern_time(when)), when) << eastern_time(when);
}

TEST(test_webhook, is_what_the_test_button_sends)
{
    const webhook sent = test_webhook(123456);
    EXPECT_EQ(sent.id, 123456);
    EXPECT_EQ(sent.event, "test");
    EXPECT_EQ(sent.body, "id=123456&event=test&payload[chargify]=testing");
    EXPECT_TRUE(read(sent).test);
}

} // namespace
} // namespace chargifyd::simulate
