#include "quarantine/file_format.hpp"

#include <gtest/gtest.h>

namespace chargifyd::quarantine {
namespace {

entry example()
{
    entry e;
    e.number = 7;
    e.received_at = timestamp(std::chrono::microseconds(1'780'000'000'123'456));
    e.site = "acme";
    e.peer = "2001:db8::1";
    e.signature.fill(0xab);
    using namespace std::string_literals;
    e.body = "id=1&a=\n\nsite evil\0x"s;
    return e;
}

TEST(quarantine_file, gives_back_what_was_written)
{
    const entry e = example();
    const auto read = read_file(7, write_file(e));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->number, 7U);
    EXPECT_EQ(read->received_at, e.received_at);
    EXPECT_EQ(read->site, e.site);
    EXPECT_EQ(read->peer, e.peer);
    EXPECT_EQ(read->signature, e.signature);
    EXPECT_EQ(read->body, e.body);
}

TEST(quarantine_file, every_cut_and_every_changed_line_is_damage)
{
    const std::string whole = write_file(example());
    for (std::size_t length = 0; length < whole.size(); ++length)
        EXPECT_EQ(read_file(7, whole.substr(0, length)).error().code, errc::corrupt) << length;
    EXPECT_FALSE(read_file(7, whole + "x"));
    std::string other = whole;
    other.replace(other.find("received "), 9, "receivec ");
    EXPECT_FALSE(read_file(7, other));
}

TEST(quarantine_file, names_sort_as_numbers)
{
    EXPECT_EQ(file_name(42), "00000000000000000042");
    EXPECT_EQ(number_of(file_name(42)), 42U);
    EXPECT_EQ(number_of("00000000000000000042.new"), 0U);
    EXPECT_EQ(number_of("readme"), 0U);
    EXPECT_EQ(number_of("0000000000000000004x"), 0U);
}

} // namespace
} // namespace chargifyd::quarantine
