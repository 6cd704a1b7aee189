#pragma once

#include "chargifyd/base/metrics.hpp"
#include "chargifyd/state/sqlite_store.hpp"

#include <chrono>
#include <cstdint>

namespace chargifyd::pipeline {

/// Decides when the write-ahead log of `state.db` is copied into it, and keeps the log short while readers
/// overlap. On the applying thread.
class checkpointer {
public:
    /// Both must outlive it.
    checkpointer(state::sqlite_store& store, metrics::registry& instruments);

    /// After each commit, and now and then while there is none. Warns of a reader that keeps its snapshot.
    /// Throws what the store throws, and is not due again at once then.
    void run_if_due();

private:
    using steady = std::chrono::steady_clock;

    state::sqlite_store& store_;
    metrics::counter begun_;
    std::uint64_t pages_when_tried_ = 0; ///< that the log held
    steady::time_point next_try_;
    steady::time_point next_wait_;
    steady::time_point next_warning_;
};

} // namespace chargifyd::pipeline
