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
inline constexpr const char* rebuild_lock_name = "rebuild.lock";

/// The right to make a rebuilt state in a state directory and to have it taken over: one at a time, in
/// whatever process. Held while the object lives; the kernel gives it up when the process ends.
class rebuild_lock {
public:
    /// errc::busy: another rebuild is under way.
    static result<rebuild_lock> acquire(const std::filesystem::path& state_directory);

    rebuild_lock(rebuild_lock&& other) noexcept;
    rebuild_lock& operator=(rebuild_lock&& other) noexcept;
    ~rebuild_lock();

    const std::filesystem::path& directory() const noexcept { return directory_; }

private:
    rebuild_lock(std::filesystem::path directory, int fd) noexcept;
    std::filesystem::path directory_;
    int fd_ = -1;
};

/// Makes a new state file from the snapshot, if retention made one, and the whole journal, beside the old
/// one, which is not touched. Works while a daemon runs. Returns the cursor reached, which is close to the
/// journal's end of then. `on_progress(done, total)` counts webhooks. A failure or a stop (errc::busy) leaves
/// no file.
result<std::uint64_t>
rebuild(const rebuild_lock& held, const options& with, const state::options& state_with, std::stop_token stop,
        const std::function<void(std::uint64_t done, std::uint64_t total)>& on_progress = {});

/// Removes a file of SQLite's with its -wal and -shm.
void remove_database(const std::filesystem::path& file);
/// Removes what a rebuild that was killed left behind.
void remove_unfinished(const rebuild_lock& held);

} // namespace chargifyd::pipeline
