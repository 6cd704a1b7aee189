#include "journal/queue.hpp"
#include "journal_fixture.hpp"

#include <gtest/gtest.h>

namespace chargifyd::journal {
namespace {

using test::webhook;

TEST(queue, hands_over_everything_in_order)
{
    append_queue queue(10, 1000);
    webhook a(1, "a"), b(2, "b"), c(3, "c");
    for (webhook* const w : {&a, &b, &c})
        ASSERT_EQ(queue.push(*w), append_status::stored);
    append_operation* list = queue.take({});
    EXPECT_EQ(&append_queue::pop(list), &a);
    EXPECT_EQ(&append_queue::pop(list), &b);
    EXPECT_EQ(&append_queue::pop(list), &c);
    EXPECT_EQ(list, nullptr);
    EXPECT_EQ(queue.take({}), nullptr);
}

TEST(queue, is_bounded_in_webhooks_until_they_are_released)
{
    append_queue queue(2, 1000);
    webhook a(1, "a"), b(2, "b"), c(3, "c");
    EXPECT_EQ(queue.push(a), append_status::stored);
    EXPECT_EQ(queue.push(b), append_status::stored);
    EXPECT_EQ(queue.state(), append_status::queue_full);
    EXPECT_EQ(queue.push(c), append_status::queue_full);
    EXPECT_NE(queue.take({}), nullptr);
    EXPECT_EQ(queue.push(c), append_status::queue_full);
    EXPECT_EQ(queue.release(1, 1), 1U);
    EXPECT_EQ(queue.state(), append_status::stored);
    EXPECT_EQ(queue.push(c), append_status::stored);
}

TEST(queue, is_bounded_in_bytes_of_bodies)
{
    append_queue queue(100, 10);
    webhook six(1, "sixsix"), four(2, "four"), one(3, "1"), eleven(4, "elevenbytes");
    EXPECT_EQ(queue.push(eleven), append_status::queue_full);
    EXPECT_EQ(queue.push(six), append_status::stored);
    EXPECT_EQ(queue.push(four), append_status::stored);
    EXPECT_EQ(queue.push(one), append_status::queue_full);
    EXPECT_EQ(queue.state(), append_status::queue_full);
}

TEST(queue, refuses_what_no_record_can_hold)
{
    append_queue queue(100, std::size_t{1} << 40);
    const std::string name(65536, 'n');
    webhook long_site(1), long_peer(2);
    long_site.site = name;
    long_peer.peer = name;
    EXPECT_EQ(queue.push(long_site), append_status::queue_full);
    EXPECT_EQ(queue.push(long_peer), append_status::queue_full);
}

TEST(queue, gives_out_what_it_took_before_it_was_closed)
{
    append_queue queue(10, 1000);
    webhook a(1, "a"), b(2, "b");
    EXPECT_EQ(queue.push(a), append_status::stored);
    queue.close();
    EXPECT_EQ(queue.push(b), append_status::stopped);
    EXPECT_EQ(queue.state(), append_status::stopped);
    EXPECT_FALSE(queue.drained());
    EXPECT_EQ(queue.take(std::chrono::steady_clock::time_point::max()), &a);
    EXPECT_EQ(queue.take(std::chrono::steady_clock::time_point::max()), nullptr);
    EXPECT_TRUE(queue.drained());
}

} // namespace
} // namespace chargifyd::journal
