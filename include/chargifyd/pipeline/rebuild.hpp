#pragma once

#include "chargifyd/base/error.hpp"
#include "chargifyd/pipeline/options.hpp"
#include "chargifyd/state/options.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <stop_token>

namespace chargifyd::pipeline {

inline constexpr const char* journal_directory_name = "journal";
/// The name under which a rebuilt state is made; it becomes the state by `state::sqlite_store::replace_by`.
inline constexpr const char* rebuild_file_name = "state.db.rebuild";

/// Makes a new state file from the snapshot, if retention made one, and the whole journal, beside the old
/// one, which is not touched. Works while a daemon runs. Returns the cursor reached. `on_progress(done,
/// total)` counts webhooks.
result<std::uint64_t>
rebuild(const std::filesystem::path& state_directory, const options& with, const state::options& state_with,
        std::stop_token stop,
        const std::function<void(std::uint64_t done, std::uint64_t total)>& on_progress = {});

/// Removes a file of SQLite's with its -wal and -shm.
void remove_database(const std::filesystem::path& file);

} // namespace chargifyd::pipeline
