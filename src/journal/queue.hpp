#pragma once

#include "chargifyd/journal/journal.hpp"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>

namespace chargifyd::journal {

/// The webhooks that wait for the journal's thread: a list threaded through the operations themselves, so
/// that a webhook costs no memory here. Bounded in number and in bytes of bodies, counted from `push` to
/// `release`.
class append_queue {
public:
    append_queue(std::size_t most_webhooks, std::size_t most_bytes) noexcept;

    /// stored: it is in the queue; queue_full; stopped. Any thread.
    append_status push(append_operation& operation) noexcept;
    /// What `push` would say to an empty body. Any thread.
    append_status state() const noexcept;
    /// Takes no more. Any thread.
    void close() noexcept;
    /// Ends a `take` that waits, or the next one. Any thread.
    void wake() noexcept;

    // The journal's thread.

    /// Everything that waits, oldest first; waits for it until then. Null: nothing came, somebody called
    /// `wake`, or closed and empty.
    append_operation* take(std::chrono::steady_clock::time_point until);
    /// Closed, and nothing waits: nothing will ever come again.
    bool drained() const noexcept;
    /// Takes the first operation off a list.
    static append_operation& pop(append_operation*& list) noexcept;
    /// So many are about to be completed. Returns how many are left.
    std::size_t release(std::size_t webhooks, std::size_t bytes) noexcept;

private:
    const std::size_t most_webhooks_;
    const std::size_t most_bytes_;
    mutable std::mutex mutex_;
    std::condition_variable arrived_;
    append_operation* first_ = nullptr;
    append_operation* last_ = nullptr;
    std::size_t webhooks_ = 0;
    std::size_t bytes_ = 0;
    bool idle_ = false; ///< the journal's thread waits
    bool woken_ = false;
    bool closed_ = false;
};

} // namespace chargifyd::journal
