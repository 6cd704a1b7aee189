#pragma once

#include "chargifyd/journal/journal.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace chargifyd::ctl {

/// What is in a state directory, and what is wrong with it.
struct soundness {
    journal::verification journal;
    std::uint64_t applied = 0;
    std::vector<std::string> problems; ///< of journal, state and their agreement; empty: sound
};

/// Reads every byte of journal and state (`thorough`), or only what takes a moment, and compares the two: the
/// state must be made from this journal, not be ahead of it, and have counted every webhook once. Works while
/// a daemon runs. Fails with not_found when there is no journal or no state.
soundness examine(const std::filesystem::path& state_directory, bool thorough,
                  const std::function<void(std::uint64_t done, std::uint64_t total)>& progress = {});

} // namespace chargifyd::ctl
