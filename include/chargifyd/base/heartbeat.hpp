#pragma once

#include <atomic>
#include <chrono>

namespace chargifyd {

/// Tells others whether a thread gets on with its work. One thread beats and rests; any thread asks.
class heartbeat {
public:
    using clock = std::chrono::steady_clock;

    /// Something was done, and more is to be done.
    void beat() noexcept { since_.store(clock::now().time_since_epoch().count(), std::memory_order_relaxed); }
    /// There is nothing to do, or it takes as long as it takes.
    void rest() noexcept { since_.store(resting, std::memory_order_relaxed); }

    /// How long nothing was done although there was work; zero at rest.
    clock::duration stalled() const noexcept
    {
        const auto since = since_.load(std::memory_order_relaxed);
        return since == resting ? clock::duration::zero()
                                : clock::now().time_since_epoch() - clock::duration(since);
    }

private:
    static constexpr clock::rep resting = 0;
    std::atomic<clock::rep> since_{resting};
};

} // namespace chargifyd
