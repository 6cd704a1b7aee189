#include "ctl/commands.hpp"
#include "ctl/progress.hpp"
#include "ctl/soundness.hpp"

#include <CLI/CLI.hpp>

#include <iostream>

namespace chargifyd::ctl {

namespace {

exit_code check(context& ctx)
{
    soundness found;
    {
        progress_line progress(std::cerr, "reading the journal", progress_line::unit::bytes);
        found = examine(ctx.state_directory(), true,
                        [&progress](std::uint64_t done, std::uint64_t total) { progress.show(done, total); });
    }
    for (const std::string& p : found.problems)
        ctx.note(p);
    const journal::verification& journal = found.journal;
    write_object(ctx.out(),
                 {{"sound", kind::flag},
                  {"problems", kind::integer},
                  {"segments", kind::integer},
                  {"journal_bytes", kind::integer},
                  {"first_sequence", kind::integer},
                  {"last_sequence", kind::integer},
                  {"applied_sequence", kind::integer}},
                 {found.problems.empty(), static_cast<std::int64_t>(found.problems.size()),
                  static_cast<std::int64_t>(journal.segments.size()),
                  static_cast<std::int64_t>(journal.bytes), static_cast<std::int64_t>(journal.first_sequence),
                  static_cast<std::int64_t>(journal.last_sequence),
                  static_cast<std::int64_t>(found.applied)});
    return found.problems.empty() ? exit_code::done : exit_code::failed;
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
