#include "ctl/commands.hpp"
#include "ctl/progress.hpp"
#include "ctl/state_rows.hpp"

#include "chargifyd/journal/journal.hpp"
#include "chargifyd/pipeline/rebuild.hpp"
#include "chargifyd/state/sqlite_store.hpp"

#include <CLI/CLI.hpp>

#include <iostream>

namespace chargifyd::ctl {

namespace {

namespace fs = std::filesystem;

std::vector<std::string> check_state(const fs::path& file, const journal::verification& journal,
                                     std::uint64_t& applied)
{
    auto state = value_or_fail(state::state_reader::open(file));
    std::vector<std::string> problems = value_or_fail(state.integrity_problems());
    for (std::string& p : problems)
        p = file.string() + ": " + p;
    if (value_or_fail(state.journal_id()) != journal.id)
        problems.push_back(file.string() + " was made from another journal");
    applied = value_or_fail(state.cursor());
    if (applied > journal.last_sequence)
        problems.push_back("the state has webhooks up to " + std::to_string(applied) +
                           ", the journal only up to " + std::to_string(journal.last_sequence));
    // Every webhook up to the cursor was counted once, in the transaction that applied it.
    const auto counted = state.run(
        {"SELECT (SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'cursor') - "
         "(SELECT coalesce(sum(webhooks), 0) FROM sites)",
         {}},
        {}, [&](std::span<const state::value> row) {
            if (const auto* difference = std::get_if<std::int64_t>(&row[0]);
                difference == nullptr || *difference != 0)
                problems.push_back(file.string() + ": its count of webhooks does not fit its cursor");
            return false;
        });
    if (!counted)
        throw failure(counted.error());
    return problems;
}

exit_code check(context& ctx)
{
    const fs::path directory = ctx.state_directory();
    std::uint64_t applied = 0;
    journal::verification found;
    {
        progress_line progress(std::cerr, "reading the journal");
        found = value_or_fail(
            journal::verify(directory / pipeline::journal_directory_name, journal::real_file_system(), true,
                            [&](std::uint64_t done, std::uint64_t total) { progress.show(done, total); }));
    }
    if (found.id.empty())
        throw failure(exit_code::not_found, "there is no journal in " + directory.string());
    std::vector<std::string> problems = found.problems;
    for (std::string& p : check_state(directory / state::state_file_name, found, applied))
        problems.push_back(std::move(p));
    for (const std::string& p : problems)
        ctx.note(p);
    write_object(ctx.out(),
                 {{"sound", kind::flag},
                  {"problems", kind::integer},
                  {"segments", kind::integer},
                  {"journal_bytes", kind::integer},
                  {"first_sequence", kind::integer},
                  {"last_sequence", kind::integer},
                  {"applied_sequence", kind::integer}},
                 {problems.empty(), static_cast<std::int64_t>(problems.size()),
                  static_cast<std::int64_t>(found.segments.size()), static_cast<std::int64_t>(found.bytes),
                  static_cast<std::int64_t>(found.first_sequence),
                  static_cast<std::int64_t>(found.last_sequence), static_cast<std::int64_t>(applied)});
    return problems.empty() ? exit_code::done : exit_code::failed;
}

} // namespace

void add_check(CLI::App& app, context& ctx)
{
    add_command(app, ctx, "check", "Check journal and state, every byte, and their agreement",
                "Reads everything; works while the daemon runs. Problems go to stderr, exit status 1.\n\n"
                "Example:\n  chargifyctl check",
                check);
}

} // namespace chargifyd::ctl
