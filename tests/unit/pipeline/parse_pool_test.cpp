#include "pipeline/parse_pool.hpp"

#include <gtest/gtest.h>

#include <list>

namespace chargifyd::pipeline {
namespace {

chunk make_chunk(std::uint64_t first, std::size_t count)
{
    chunk c;
    c.count = count;
    for (std::size_t i = 0; i < count; ++i) {
        journal::record r;
        r.sequence = first + i;
        r.site = "acme";
        r.body = "id=" + std::to_string(r.sequence) + "&event=test";
        c.records.push_back(r);
    }
    return c;
}

TEST(parse_pool, parses_every_record_of_every_chunk_in_its_place)
{
    std::list<chunk> chunks;
    {
        parse_pool pool(3);
        for (std::uint64_t i = 0; i < 20; ++i) {
            chunks.push_back(make_chunk(1 + i * 10, 10));
            pool.submit(chunks.back());
        }
        for (chunk& c : chunks)
            pool.wait(c);
    }
    std::int64_t expected = 0;
    for (const chunk& c : chunks) {
        ASSERT_EQ(c.webhooks.size(), 10U);
        for (const state::webhook& w : c.webhooks)
            EXPECT_EQ(w.webhook_id, ++expected);
    }
    EXPECT_EQ(expected, 200);
}

TEST(parse_pool, parses_only_the_filled_part_of_a_reused_chunk)
{
    chunk c = make_chunk(1, 5);
    c.count = 2;
    parse(c);
    EXPECT_EQ(c.webhooks.size(), 2U);
}

TEST(parse_pool, ends_with_work_waiting)
{
    std::list<chunk> chunks;
    {
        parse_pool pool(1);
        for (int i = 0; i < 10; ++i) {
            chunks.push_back(make_chunk(1, 50));
            pool.submit(chunks.back());
        }
    }
    for (const chunk& c : chunks)
        EXPECT_EQ(c.webhooks.size(), 50U);
}

} // namespace
} // namespace chargifyd::pipeline
