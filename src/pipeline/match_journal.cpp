#include "match_journal.hpp"

#include "chargifyd/base/log.hpp"
#include "chargifyd/pipeline/rebuild.hpp"

#include <string>

namespace chargifyd::pipeline {

namespace fs = std::filesystem;

namespace {

/// By way of a copy: an older version may have made the snapshot, and it is not to be changed.
result<void> take_snapshot(const fs::path& directory, state::sqlite_store& store, const journal::log& inbox,
                           const state::options& state_with)
{
    const fs::path snapshot = directory / state::snapshot_file_name;
    std::error_code none;
    if (!fs::exists(snapshot, none))
        return make_error(errc::not_found, "there is no " + snapshot.string() + "; restore it from a backup");
    const auto held = rebuild_lock::acquire(directory);
    if (!held)
        return held.error();
    const fs::path copy = directory / rebuild_file_name;
    remove_unfinished(*held);
    result<void> taken = state::copy_state(snapshot, copy);
    if (taken) {
        if (const auto migrated = state::sqlite_store::open(copy, inbox.id(), state_with); !migrated)
            taken = migrated.error();
    }
    if (taken)
        taken = store.replace_by(copy);
    remove_unfinished(*held);
    return taken;
}

} // namespace

result<void> match_journal(const fs::path& directory, state::sqlite_store& store, const journal::log& inbox,
                           const state::options& state_with)
{
    const std::uint64_t durable = inbox.durable_sequence();
    if (store.cursor() > durable)
        return make_error(errc::corrupt,
                          "state.db has webhooks up to " + std::to_string(store.cursor()) +
                              ", but the journal ends at " + std::to_string(durable) +
                              ": the journal lost some; restore it, or run 'chargifyctl rebuild' to "
                              "make the state what the journal still holds");
    if (store.cursor() + 1 >= inbox.first_sequence())
        return {};
    log::warning("state.db ends before the journal begins; it is taken from the snapshot",
                 {{"cursor", store.cursor()}});
    if (auto taken = take_snapshot(directory, store, inbox, state_with); !taken)
        return make_error(taken.error().code,
                          "the journal begins at " + std::to_string(inbox.first_sequence()) +
                              " and the state needs its snapshot: " + taken.error().message);
    if (store.cursor() + 1 < inbox.first_sequence() || store.cursor() > durable)
        return make_error(errc::corrupt, (directory / state::snapshot_file_name).string() +
                                             " does not fit the journal; restore it from a backup");
    return {};
}

} // namespace chargifyd::pipeline
