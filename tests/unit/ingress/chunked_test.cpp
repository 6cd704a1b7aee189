#include "ingress/chunked.hpp"

#include <gtest/gtest.h>

#include <string>

namespace chargifyd::ingress {
namespace {

using outcome = chunk_reader::outcome;

struct reading {
    outcome result;
    std::string body;
    std::size_t received;
};

/// Gives the bytes in pieces of `step`.
reading read(std::string bytes, std::size_t step, std::size_t limit = 1000)
{
    chunk_reader reader(limit);
    outcome last = outcome::more;
    for (std::size_t have = std::min(step, bytes.size()); last == outcome::more;) {
        last = reader.read(std::span(bytes).first(have));
        if (have == bytes.size())
            break;
        have = std::min(have + step, bytes.size());
    }
    return {last, bytes.substr(0, reader.body_bytes()), reader.received()};
}

TEST(chunk_reader, puts_chunks_together_however_they_arrive)
{
    const std::string bytes = "3\r\nabc\r\n00A\r\n0123456789\r\n1\r\nz\r\n0\r\n\r\n";
    for (std::size_t step = 1; step <= bytes.size() + 8; ++step) {
        const reading got = read(bytes + "GET / HT", step);
        EXPECT_EQ(got.result, outcome::complete) << step;
        EXPECT_EQ(got.body, "abc0123456789z") << step;
        EXPECT_EQ(got.received, bytes.size()) << step;
    }
    EXPECT_EQ(read("0\r\n\r\n", 1).body, "");
}

TEST(chunk_reader, refuses_what_someone_could_read_otherwise)
{
    for (const std::string bytes :
         {"\r\n", "g\r\n", "0x3\r\nabc\r\n", "-3\r\nabc", "+3\r\nabc", "3 \r\nabc", " 3\r\nabc",
          "3;a=b\r\nabc", "3\nabc\n0\n\n", "3\rabc", "3\r\nabcd\r\n", "3\r\nabc\n", "3\r\nabc\rx",
          "0\r\nX-A: a\r\n\r\n", "0\r\n\n", "0\n\r\n", "000000003\r\nabc\r\n", "1000000000000000A\r\n"}) {
        EXPECT_EQ(read(bytes, bytes.size()).result, outcome::refused) << bytes;
        EXPECT_EQ(read(bytes, 1).result, outcome::refused) << bytes;
    }
}

TEST(chunk_reader, every_beginning_waits_for_more)
{
    const std::string bytes = "3\r\nabc\r\n0\r\n\r\n";
    for (std::size_t length = 0; length < bytes.size(); ++length)
        EXPECT_EQ(read(bytes.substr(0, length), bytes.size()).result, outcome::more) << length;
}

TEST(chunk_reader, is_bounded)
{
    EXPECT_EQ(read("a\r\n0123456789\r\n0\r\n\r\n", 100, 10).result, outcome::complete);
    chunk_reader reader(10);
    std::string over = "a\r\n0123456789\r\n1\r\n";
    EXPECT_EQ(reader.read(over), outcome::refused);
    EXPECT_EQ(reader.reason(), refusal::too_large);
}

} // namespace
} // namespace chargifyd::ingress
