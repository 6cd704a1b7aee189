#pragma once

#include "chargifyd/base/error.hpp"
#include "chargifyd/base/metrics.hpp"
#include "chargifyd/base/time.hpp"
#include "chargifyd/journal/journal.hpp"
#include "chargifyd/pipeline/options.hpp"
#include "chargifyd/state/options.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace chargifyd::pipeline {

/// How far the daemon's own rebuild is.
struct rebuild_progress {
    std::uint64_t done = 0; ///< webhooks
    std::uint64_t total = 0;
    std::string failure; ///< why the last attempt ended; it is tried again
};

/// How the pipeline is doing.
struct status {
    std::uint64_t durable = 0; ///< last sequence in the journal
    std::uint64_t applied = 0; ///< last sequence in the state
    double lag_seconds = 0;    ///< age of the last applied webhook while more are waiting, else 0
    std::uint64_t dead_letters = 0;
    /// How long ago the journal and the state were written last; nothing: not since the start.
    std::optional<double> journal_commit_seconds;
    std::optional<double> state_commit_seconds;
    std::string failure; ///< why applying stands still; empty: it does not
    /// There while rules of another version made the state and it is made anew: it serves meanwhile.
    std::optional<rebuild_progress> rebuilding;
};

/// How far pipeline::forget is.
struct forgetting {
    std::uint64_t next = 0;     ///< sequence to go on with
    std::uint64_t last = 0;     ///< of the journal when it began
    std::uint64_t webhooks = 0; ///< whose bodies were blanked
};

/// The daemon's background work: follows the journal into `state.db`, checkpoints it, makes it anew when
/// rules of another version made it, and keeps the journal's segments compressed and within retention.
/// Nothing here can delay an answer to Chargify: when the state cannot be written it is tried again every
/// second while the journal goes on.
///
/// Its functions may be called from any thread.
class pipeline {
public:
    /// Opens the state and checks that it fits the journal (errors as state::sqlite_store::open, and when the
    /// state has webhooks that the journal lost). `inbox` and `instruments` outlive the pipeline.
    static result<std::unique_ptr<pipeline>> open(const std::filesystem::path& state_directory, options with,
                                                  const state::options& state_with, journal::log& inbox,
                                                  metrics::registry& instruments, clock_fn clock);
    /// Stops.
    ~pipeline();

    void start();
    /// Waits until everything in the journal is applied, or the time is over; then ends the threads.
    /// Idempotent.
    void stop(std::chrono::milliseconds patience);

    status now() const;
    /// How long the applying thread has been at one batch.
    std::chrono::steady_clock::duration stalled() const noexcept;

    /// Applies dead letters again; an empty list means all. Returns how many no longer are dead.
    result<std::size_t> retry_dead(std::vector<std::uint64_t> sequences);
    /// Takes over the state that `rebuild` made in another process, whose caller holds the rebuild_lock. What
    /// came meanwhile is applied to it first, so that no reader sees the state go back. errc::not_found:
    /// there is none; errc::invalid: another version made it.
    result<void> adopt_rebuilt();
    /// Takes what is personal about a customer out of state, journal and snapshot, a part at a time: the
    /// first call has `next` 0, each following one what the last one returned, until `next` is above `last`.
    /// The files still hold remnants until a rebuilt state is taken over; the caller holds the rebuild_lock
    /// until then. errc::not_found: the state does not know them; errc::busy: webhooks wait to be applied.
    result<forgetting> forget(const std::string& site, std::int64_t customer_id, const forgetting& so_far);
    /// Compresses and deletes segments, and looks for sites that fell silent, now, as it is done every
    /// minute.
    result<void> maintain();

private:
    struct implementation;
    explicit pipeline(std::unique_ptr<implementation> impl) noexcept;
    std::unique_ptr<implementation> impl_;
};

} // namespace chargifyd::pipeline
