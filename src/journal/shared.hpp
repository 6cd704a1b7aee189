#pragma once

#include "chargifyd/base/metrics.hpp"
#include "chargifyd/journal/journal.hpp"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <stop_token>
#include <vector>

/// What the journal's thread shares with all others.
namespace chargifyd::journal {

/// How far the journal is durable, and a place to wait for more. Any thread.
class durable_mark {
public:
    explicit durable_mark(std::uint64_t sequence) noexcept
        : sequence_(sequence)
    {}

    std::uint64_t get() const noexcept { return sequence_.load(); }
    void set(std::uint64_t sequence) noexcept { sequence_.store(sequence); }
    /// Wakes those who wait. Costs next to nothing when nobody does.
    void announce();
    /// Nobody waits any more, from now on.
    void stop();
    std::uint64_t wait_beyond(std::uint64_t sequence, std::stop_token stop);

private:
    std::atomic<std::uint64_t> sequence_;
    std::atomic<int> waiting_{0};
    std::mutex mutex_;
    std::condition_variable_any moved_;
    bool stopped_ = false;
};

/// The segments, oldest first. Held for moments only. Any thread.
class segment_list {
public:
    segment_list(std::vector<segment_info> segments, metrics::gauge bytes);

    std::vector<segment_info> get() const;
    std::uint64_t first_sequence() const;
    std::uint64_t bytes() const;

    void add(segment_info segment);
    /// Replaces what is known about the segment that begins there.
    void update(const segment_info& segment);
    void remove(std::uint64_t first_sequence);

private:
    void count();

    mutable std::mutex mutex_;
    std::vector<segment_info> segments_;
    std::uint64_t total_ = 0;
    metrics::gauge bytes_;
};

} // namespace chargifyd::journal
