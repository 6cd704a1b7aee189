#include "ingress/read_buffer.hpp"

#include <gtest/gtest.h>

#include <string>

namespace chargifyd::ingress {
namespace {

void put(read_buffer& into, const std::string& bytes)
{
    ASSERT_GE(into.space().size(), bytes.size());
    std::memcpy(into.space().data(), bytes.data(), bytes.size());
    into.commit(bytes.size());
}

TEST(read_buffer, begins_without_memory)
{
    read_buffer buffer;
    EXPECT_TRUE(buffer.empty());
    EXPECT_TRUE(buffer.space().empty());
    EXPECT_EQ(buffer.capacity(), 0U);
}

TEST(read_buffer, keeps_its_bytes_when_it_grows)
{
    read_buffer buffer;
    buffer.reserve(4);
    put(buffer, "abcd");
    EXPECT_TRUE(buffer.space().empty());
    buffer.consume(1);
    buffer.reserve(8);
    EXPECT_EQ(buffer.view(), "bcd");
    EXPECT_EQ(buffer.space().size(), 5U);
    put(buffer, "efghi");
    EXPECT_EQ(buffer.view(), "bcdefghi");
}

TEST(read_buffer, makes_room_by_moving)
{
    read_buffer buffer;
    buffer.reserve(8);
    put(buffer, "abcdefgh");
    buffer.consume(6);
    buffer.reserve(8);
    EXPECT_EQ(buffer.capacity(), 8U);
    EXPECT_EQ(buffer.view(), "gh");
    EXPECT_EQ(buffer.space().size(), 6U);
}

TEST(read_buffer, gives_memory_back_only_when_empty)
{
    read_buffer buffer;
    buffer.reserve(8);
    put(buffer, "ab");
    buffer.release_if_empty();
    EXPECT_EQ(buffer.view(), "ab");
    buffer.consume(2);
    buffer.release_if_empty();
    EXPECT_EQ(buffer.capacity(), 0U);
}

} // namespace
} // namespace chargifyd::ingress
