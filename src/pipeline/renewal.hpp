#pragma once

#include "chargifyd/base/error.hpp"
#include "chargifyd/base/guarded.hpp"
#include "chargifyd/journal/journal.hpp"
#include "chargifyd/pipeline/options.hpp"
#include "chargifyd/pipeline/pipeline.hpp"
#include "chargifyd/pipeline/rebuild.hpp"
#include "chargifyd/state/options.hpp"

#include <atomic>
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

namespace chargifyd::pipeline {

/// Makes the state anew while the old one is read and written, when rules of another version made it: what
/// an older version could not read is then applied, without anybody's doing. It is tried until it is done.
class renewal {
public:
    /// What it needs of the pipeline. Any thread.
    struct hooks {
        std::function<bool()> is_needed; ///< rules of another version made the state
        /// Has the rebuilt file taken over.
        std::function<result<void>(const std::stop_token&)> adopt;
    };

    renewal(std::filesystem::path state_directory, options with, state::options state_with,
            const journal::log& inbox, hooks calls);

    /// Returns when the state is renewed, or at a stop: then the next start begins again.
    void run(const std::stop_token& stop);

    /// Any thread; nothing when none is needed.
    std::optional<rebuild_progress> now();
    /// The rebuilt file is its own. Any thread.
    bool is_under_way() const noexcept { return under_way_; }

private:
    result<std::uint64_t> attempt(const std::stop_token& stop);
    result<std::uint64_t> attempt_once(const std::stop_token& stop);
    result<std::uint64_t> make_and_adopt(const rebuild_lock& held, const std::stop_token& stop);
    result<std::uint64_t> make(const rebuild_lock& held, const std::stop_token& stop);
    result<void> require_space(std::uint64_t bytes) const;
    void note_failure(const error& e);

    const std::filesystem::path directory_;
    const options with_;
    const state::options state_with_;
    const journal::log& inbox_;
    const hooks hooks_;
    guarded<rebuild_progress> progress_;
    std::atomic<bool> under_way_ = false;
};

} // namespace chargifyd::pipeline
