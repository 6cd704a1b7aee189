#include "checkpointer.hpp"

#include "chargifyd/base/log.hpp"

namespace chargifyd::pipeline {

namespace {

using namespace std::chrono_literals;

/// Of 4 KiB. To copy costs three syncs, and each page once more.
constexpr std::uint64_t pages_to_copy = 2048;
/// Of a log that is longer than this, some reader was there whenever it could have begun anew.
constexpr std::uint64_t pages_to_empty = 2 * pages_to_copy;
/// For readers to end, then. Those that come meanwhile see the last commit, and at last need nothing of the
/// log: short ones do not keep each other company for ever.
constexpr auto patience = 50ms;
/// A log that readers hold is tried again as it grows, and this often. So often they are waited for.
constexpr auto interval = 1s;

constexpr std::uint64_t bytes_to_warn_of = 64 * 1024 * 1024;
constexpr auto warning_interval = 60s;

} // namespace

checkpointer::checkpointer(state::sqlite_store& store, metrics::registry& instruments)
    : store_(store)
    , begun_(instruments.make_counter("state_checkpoints_total",
                                      "How often it was begun to copy the write-ahead log into state.db."))
{}

void checkpointer::run_if_due()
{
    const std::uint64_t pages = store_.wal_pages();
    if (pages < pages_when_tried_)
        pages_when_tried_ = 0; // it is written from its start again
    const auto now = steady::now();
    const bool has_grown = pages - pages_when_tried_ > pages_to_copy;
    if (!has_grown && (pages <= pages_to_copy || now < next_try_))
        return;
    pages_when_tried_ = pages;
    next_try_ = now + interval;
    begun_.add();
    const bool waits = pages > pages_to_empty && now >= next_wait_;
    if (waits)
        next_wait_ = now + interval;
    const bool all = store_.checkpoint(waits, patience);
    const std::uint64_t bytes = store_.wal_bytes();
    if (all || bytes <= bytes_to_warn_of || now < next_warning_)
        return;
    next_warning_ = now + warning_interval;
    log::warning("a reader of state.db holds an old snapshot, so its write-ahead log cannot shrink; end long "
                 "transactions",
                 {{"wal_bytes", bytes}});
}

} // namespace chargifyd::pipeline
