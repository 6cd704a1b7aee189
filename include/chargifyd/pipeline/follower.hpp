#pragma once

#include "chargifyd/base/error.hpp"
#include "chargifyd/base/metrics.hpp"
#include "chargifyd/base/time.hpp"
#include "chargifyd/journal/journal.hpp"
#include "chargifyd/pipeline/options.hpp"
#include "chargifyd/state/store.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <stop_token>
#include <vector>

namespace chargifyd::pipeline {

/// What one round of following did.
struct progress {
    std::uint64_t cursor = 0; ///< applied and committed up to here
    timestamp received_at{};  ///< of the webhook at the cursor; zero when none was applied yet
};

/// Follows the journal into a store: reads from the store's cursor on, parses in parallel, applies in the
/// journal's order, commits in batches. The one path for everyday running, catching up, recovery and rebuild.
///
/// One thread at a time (its workers are its own).
class follower {
public:
    /// `instruments` may be null (a rebuild counts nothing).
    follower(std::filesystem::path journal_directory, journal::file_system& files, state::store& into,
             options with, metrics::registry* instruments);
    ~follower();
    follower(const follower&) = delete;
    follower& operator=(const follower&) = delete;

    /// Applies what the journal holds up to `up_to`, until there is no more or a stop is requested; after
    /// each commit `on_commit` is called. A failure leaves the store at its last commit; the next call goes
    /// on from there. errc::corrupt: the journal; errc::io: the journal or the store.
    result<std::uint64_t> advance(std::uint64_t up_to, std::stop_token stop,
                                  const std::function<void(const progress&)>& on_commit = {});

    /// Applies dead letters again from their journalled bodies, each in a transaction of its own. Those that
    /// still cannot be read stay dead. Returns how many no longer are.
    result<std::size_t> retry_dead(const std::vector<std::uint64_t>& sequences);

    /// Forgets where it was: the store's cursor has been moved by someone else.
    void restart();

private:
    struct implementation;
    std::unique_ptr<implementation> impl_;
};

} // namespace chargifyd::pipeline
