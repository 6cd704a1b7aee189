#include "ctl/rebuild.hpp"

#include "ctl/commands.hpp"
#include "ctl/control.hpp"
#include "ctl/progress.hpp"
#include "ctl/state_rows.hpp"

#include "chargifyd/base/thread.hpp"
#include "chargifyd/journal/directory_lock.hpp"
#include "chargifyd/state/sqlite_store.hpp"

#include <CLI/CLI.hpp>

#include <chrono>
#include <iostream>
#include <optional>

namespace chargifyd::ctl {

namespace {

namespace fs = std::filesystem;

/// Puts the rebuilt file in the place of the old one, whatever is there: a sound state keeps its readers, for
/// its content is replaced in one transaction; a damaged one is of no use to anybody.
void adopt_here(const fs::path& directory, const std::string& journal_id, const state::options& with)
{
    const auto lock = value_or_fail(journal::directory_lock::acquire(directory));
    const fs::path live = directory / state::state_file_name;
    const fs::path rebuilt = directory / pipeline::rebuild_file_name;
    state::options unread = with; // all of the content goes
    unread.check_content = false;
    auto store = state::sqlite_store::open(live, journal_id, unread);
    if (store) {
        if (auto taken = (*store)->replace_by(rebuilt); !taken)
            throw failure(taken.error());
        (*store)->checkpoint(true);
        pipeline::remove_database(rebuilt);
        return;
    }
    if (store.error().code != errc::corrupt)
        throw failure(store.error());
    // Opened as the daemon does it, for a write-ahead log: the first one to open it could not get that while
    // somebody reads.
    auto fresh = value_or_fail(state::sqlite_store::open(rebuilt, journal_id, with));
    fresh->checkpoint(true);
    fresh->sync();
    fresh.reset();
    pipeline::remove_database(live);
    fs::rename(rebuilt, live);
    pipeline::remove_database(rebuilt);
}

exit_code rebuild(context& ctx)
{
    const auto began = std::chrono::steady_clock::now();
    const rebuilder work(ctx);
    const std::uint64_t applied = work.run();
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    write_object(ctx.out(), {{"webhooks", kind::integer}, {"seconds", kind::real}},
                 {static_cast<std::int64_t>(applied), seconds});
    return exit_code::done;
}

} // namespace

rebuilder::rebuilder(context& ctx)
    : ctx_(ctx)
    , with_(ctx.has_config_file() ? ctx.settings().pipeline : pipeline::options())
    , state_with_(ctx.has_config_file() ? ctx.settings().state : state::options())
    , held_(lock(ctx.state_directory()))
{}

pipeline::rebuild_lock rebuilder::lock(const fs::path& directory)
{
    become_owner(directory);
    return value_or_fail(pipeline::rebuild_lock::acquire(directory));
}

std::uint64_t rebuilder::run() const
{
    const fs::path& directory = held_.directory();
    give_way_to_answers(work_kind::applying);
    std::uint64_t applied = 0;
    {
        progress_line progress(std::cerr, "rebuilding the state");
        applied = value_or_fail(
            pipeline::rebuild(held_, with_, state_with_, {},
                              [&](std::uint64_t done, std::uint64_t total) { progress.show(done, total); }));
    }
    const auto journal_id = value_or_fail(
        value_or_fail(state::state_reader::open(directory / pipeline::rebuild_file_name)).journal_id());
    if (journal::directory_lock::holder(directory) == 0) {
        adopt_here(directory, journal_id, state_with_);
    } else if (const auto taken = call_daemon(ctx_, "POST", "/v1/control/adopt-rebuilt"); !taken) {
        throw failure(taken.error());
    }
    return applied;
}

void add_rebuild(CLI::App& app, context& ctx)
{
    add_command(app, ctx, "rebuild", "Make the state anew from the journal",
                "The old state stays readable until the new one is ready, and readers that are open see the "
                "new one from\n"
                "then on. Works with and without a running daemon.\n\n"
                "Example:\n  chargifyctl rebuild",
                rebuild);
}

} // namespace chargifyd::ctl
