#pragma once

#include "journal/format.hpp"
#include "journal/queue.hpp"
#include "journal/recent.hpp"
#include "journal/recovery.hpp"
#include "journal/segment.hpp"
#include "journal/shared.hpp"

#include "chargifyd/base/error.hpp"
#include "chargifyd/base/heartbeat.hpp"
#include "chargifyd/base/metrics.hpp"
#include "chargifyd/base/time.hpp"
#include "chargifyd/journal/file_system.hpp"
#include "chargifyd/journal/journal.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace chargifyd::journal {

struct instruments {
    explicit instruments(metrics::registry& from);

    metrics::histogram sync_seconds;
    metrics::histogram batch_webhooks;
    metrics::gauge queue_webhooks;
    metrics::gauge free_bytes;
    metrics::counter duplicates;
};

/// The work of the journal's thread.
class writer {
public:
    /// Everything passed by reference outlives the writer. `start` comes from `recover`.
    writer(const options& with, file_system& files, const clock_fn& clock, instruments& meters,
           append_queue& queue, segment_list& segments, durable_mark& durable, recent_webhooks recent,
           recovered start);

    /// Looks at the disk and makes a segment when there is none. Before the thread begins.
    result<void> prepare();
    /// The thread: writes until the queue is closed and empty, or until a failure.
    void run() noexcept;

    /// Any thread.
    bool disk_full() const noexcept { return full_.load(std::memory_order_relaxed); }
    /// Any thread. timestamp{}: there was none.
    timestamp last_commit() const noexcept { return last_commit_.load(std::memory_order_relaxed); }
    /// Any thread; called at once when the failure came first.
    void on_failure(std::function<void(const error&)> handler);
    /// Ends the active segment if it holds a webhook; returns when that is done, or the thread has ended. Any
    /// thread but the writer's.
    void rotate();
    /// Any thread.
    heartbeat::clock::duration stalled() const noexcept { return pulse_.stalled(); }
    /// Before the first webhook.
    void on_batch(std::function<void()> handler) { on_batch_ = std::move(handler); }

private:
    enum class fate { fresh, known, as_fresh };
    struct entry {
        append_operation* operation;
        fate what;
    };
    enum class space { enough, none };

    void work();
    /// What `rotate` asked for. False: a failure stopped the journal.
    bool rotate_now();
    void end_rotations(bool for_good) noexcept;
    /// Takes what fits into one batch off the waiting list; serialises it only when it may be written.
    void gather(bool may_write);
    fate classify(const append_operation& operation, bool may_write);
    /// False: a failure stopped the journal.
    bool write_gathered();
    void complete_gathered(append_status fresh);

    bool have_space();
    space look_at_disk();
    /// Makes sure that a batch of so many bytes fits into the active segment.
    result<space> make_room(std::uint64_t batch_bytes);
    result<void> seal_active();
    result<space> create_segment(std::uint64_t bytes);
    void set_full(bool full, std::string_view why);

    error describe(const io_status& status, const std::filesystem::path& path) const;
    void fail(const error& why) noexcept;
    std::size_t refuse_everything() noexcept;
    void finish();

    const options& with_;
    file_system& files_;
    const clock_fn& clock_;
    instruments& meters_;
    append_queue& queue_;
    segment_list& segments_;
    durable_mark& durable_;

    recent_webhooks recent_;
    format::journal_id id_;
    std::uint64_t next_sequence_;
    std::unique_ptr<active_segment> active_;

    append_operation* waiting_ = nullptr; ///< taken from the queue, not yet in a batch
    std::vector<entry> gathered_;
    std::vector<char> batch_;        ///< space for the header, then records
    std::uint32_t records_ = 0;      ///< in batch_
    std::size_t gathered_bytes_ = 0; ///< bodies in gathered_
    std::uint64_t first_number_ = 0; ///< what recent_ has from here on is not durable yet

    heartbeat pulse_;
    std::atomic<bool> full_{false};
    std::atomic<timestamp> last_commit_{timestamp{}};
    std::chrono::steady_clock::time_point next_look_{};
    std::chrono::steady_clock::time_point next_batch_{}; ///< none begins before

    std::atomic<bool> rotation_wanted_{false};
    std::mutex rotation_mutex_;
    std::condition_variable rotated_;
    bool ended_ = false; ///< guarded by rotation_mutex_

    std::mutex failure_mutex_;
    std::function<void(const error&)> on_failure_;
    std::optional<error> failure_;
    std::function<void()> on_batch_;
};

} // namespace chargifyd::journal
