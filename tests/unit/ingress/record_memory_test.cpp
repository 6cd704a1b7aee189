#include "chargifyd/ingress/record_memory.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <thread>
#include <vector>

namespace chargifyd::ingress {
namespace {

constexpr std::size_t record = std::size_t{16} * 1024 + 300;

/// Runs in a thread of its own, which keeps nothing yet.
template <class F>
void in_new_thread(F run)
{
    std::thread(run).join();
}

TEST(record_memory, what_a_thread_gives_back_is_what_it_gets_next)
{
    in_new_thread([] {
        void* const first = record_memory::take(record);
        void* const second = record_memory::take(record - 300);
        ASSERT_NE(first, nullptr);
        ASSERT_NE(second, nullptr);
        EXPECT_EQ(record_memory::kept(), 0U);
        record_memory::give_back(first);
        record_memory::give_back(second);
        EXPECT_EQ(record_memory::kept(), 2U);
        EXPECT_EQ(record_memory::take(record), second);
        EXPECT_EQ(record_memory::take(record), first);
        EXPECT_EQ(record_memory::kept(), 0U);
        record_memory::give_back(first);
        record_memory::give_back(second);
    });
}

TEST(record_memory, a_block_has_the_room_that_was_asked_for)
{
    in_new_thread([] {
        for (std::size_t bytes = 1; bytes < 70'000; bytes += 511) {
            void* const block = record_memory::take(bytes);
            ASSERT_NE(block, nullptr);
            std::memset(block, 0x5a, bytes);
            record_memory::give_back(block);
        }
    });
}

TEST(record_memory, a_thread_keeps_no_more_than_its_share)
{
    in_new_thread([] {
        std::vector<void*> blocks;
        for (std::size_t i = 0; i < 3 * record_memory::most_kept; ++i)
            blocks.push_back(record_memory::take(record));
        for (void* const block : blocks)
            record_memory::give_back(block);
        EXPECT_EQ(record_memory::kept(), record_memory::most_kept);
    });
}

TEST(record_memory, other_sizes_are_not_kept)
{
    in_new_thread([] {
        for (const std::size_t bytes :
             {std::size_t{1}, std::size_t{4096}, record / 2, 2 * record, 100 * record})
            record_memory::give_back(record_memory::take(bytes));
        record_memory::give_back(nullptr);
        EXPECT_EQ(record_memory::kept(), 0U);
    });
}

TEST(record_memory, blocks_do_not_overlap)
{
    in_new_thread([] {
        std::vector<char*> blocks;
        for (int i = 0; i < 500; ++i) {
            blocks.push_back(static_cast<char*>(record_memory::take(record)));
            std::memset(blocks.back(), i % 251, record);
        }
        for (int i = 0; i < 500; ++i) {
            EXPECT_EQ(blocks[i][0], static_cast<char>(i % 251));
            EXPECT_EQ(blocks[i][record - 1], static_cast<char>(i % 251));
        }
        for (char* const block : blocks)
            record_memory::give_back(block);
        // They can be had again, however often.
        for (int i = 0; i < 100'000; ++i)
            record_memory::give_back(record_memory::take(record));
    });
}

TEST(record_memory, there_are_more_when_the_region_is_used_up)
{
    in_new_thread([] {
        std::vector<void*> blocks;
        for (int i = 0; i < 66'000; ++i) {
            blocks.push_back(record_memory::take(record));
            ASSERT_NE(blocks.back(), nullptr);
            *static_cast<char*>(blocks.back()) = 'x';
        }
        for (void* const block : blocks)
            record_memory::give_back(block);
    });
}

TEST(record_memory, a_block_may_be_given_back_by_another_thread)
{
    void* const block = record_memory::take(record);
    in_new_thread([block] {
        record_memory::give_back(block);
        EXPECT_EQ(record_memory::kept(), 1U);
    });
}

} // namespace
} // namespace chargifyd::ingress
