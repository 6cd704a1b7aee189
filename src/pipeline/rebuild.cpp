#include "chargifyd/pipeline/rebuild.hpp"

#include "chargifyd/pipeline/follower.hpp"
#include "chargifyd/state/sqlite_store.hpp"

namespace chargifyd::pipeline {

namespace fs = std::filesystem;

void remove_database(const fs::path& file)
{
    std::error_code ignored;
    for (const char* const suffix : {"", "-wal", "-shm"})
        fs::remove(file.string() + suffix, ignored);
}

result<std::uint64_t> rebuild(const fs::path& state_directory, const options& with,
                              const state::options& state_with, std::stop_token stop,
                              const std::function<void(std::uint64_t, std::uint64_t)>& on_progress)
{
    journal::file_system& files = journal::real_file_system();
    const fs::path journal_directory = state_directory / journal_directory_name;
    const auto found = journal::verify(journal_directory, files, false);
    if (!found)
        return found.error();
    if (found->id.empty())
        return make_error(errc::not_found, "there is no journal in " + journal_directory.string());
    const fs::path target = state_directory / rebuild_file_name;
    remove_database(target);
    if (found->first_sequence > 1) {
        if (auto copied = state::copy_state(state_directory / state::snapshot_file_name, target); !copied)
            return copied.error();
    }
    auto store = state::sqlite_store::open(target, found->id, state_with);
    if (!store)
        return store.error();
    const auto total = found->last_sequence;
    follower follow(journal_directory, files, **store, with, nullptr);
    const auto reached = follow.advance(total, stop, [&](const progress& p) {
        if (on_progress)
            on_progress(p.cursor, total);
        if ((*store)->wal_bytes() > std::uint64_t{64} * 1024 * 1024)
            (*store)->checkpoint(true);
    });
    if (!reached)
        return reached.error();
    if (stop.stop_requested())
        return make_error(errc::busy, "interrupted");
    try {
        (*store)->checkpoint(true);
    } catch (const std::exception& e) {
        return make_error(errc::io, e.what());
    }
    return *reached;
}

} // namespace chargifyd::pipeline
