#include "chargifyd/base/heartbeat.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace chargifyd {
namespace {

TEST(heartbeat, counts_from_the_last_beat_until_it_rests)
{
    heartbeat pulse;
    EXPECT_EQ(pulse.stalled(), heartbeat::clock::duration::zero()) << "not begun";
    pulse.beat();
    const auto began = heartbeat::clock::now();
    while (pulse.stalled() == heartbeat::clock::duration::zero())
        std::this_thread::yield();
    const auto stalled = pulse.stalled();
    EXPECT_GT(stalled, heartbeat::clock::duration::zero());
    EXPECT_GE(pulse.stalled(), heartbeat::clock::now() - began - std::chrono::hours(1));
    pulse.rest();
    EXPECT_EQ(pulse.stalled(), heartbeat::clock::duration::zero());
}

} // namespace
} // namespace chargifyd
