#include "catch_up.hpp"

#include "chargifyd/pipeline/follower.hpp"
#include "chargifyd/pipeline/rebuild.hpp"
#include "chargifyd/state/projection.hpp"
#include "chargifyd/state/sqlite_store.hpp"

namespace chargifyd::pipeline {

namespace fs = std::filesystem;

result<void> catch_up(const fs::path& state_directory, const options& with, const state::options& state_with,
                      journal::log& inbox, std::uint64_t applied, const std::stop_token& stop)
{
    const fs::path rebuilt = state_directory / rebuild_file_name;
    std::error_code none;
    if (!fs::exists(rebuilt, none))
        return make_error(errc::not_found, "there is no rebuilt state; run 'chargifyctl rebuild'");
    const auto opened = state::sqlite_store::open(rebuilt, inbox.id(), state_with);
    if (!opened)
        return opened.error();
    state::sqlite_store& fresh = **opened;
    if (fresh.projection() != state::projection_version)
        return make_error(errc::invalid,
                          "another version made the rebuilt state; use the chargifyctl of this daemon");
    // Another process may have read what is written, but not durable yet.
    const std::uint64_t reached = fresh.cursor();
    if (reached > inbox.durable_sequence() && inbox.wait_beyond(reached - 1, stop) < reached)
        return make_error(errc::unavailable, "the journal has stopped");
    follower follow(state_directory / journal_directory_name, journal::real_file_system(), fresh, with,
                    nullptr);
    if (const auto advanced = follow.advance(applied, stop); !advanced)
        return advanced.error();
    if (fresh.cursor() < applied)
        return make_error(errc::unavailable, "the daemon is stopping");
    fresh.checkpoint(true);
    return {};
}

} // namespace chargifyd::pipeline
