#include "ctl/commands.hpp"
#include "ctl/moments.hpp"
#include "ctl/state_rows.hpp"

#include "chargifyd/base/time.hpp"
#include "chargifyd/state/when.hpp"

#include <CLI/CLI.hpp>

#include <memory>

namespace chargifyd::ctl {

namespace {

struct renewal_options {
    std::string within = "7d";
    state::renewal_filter filter;
    page_options page;
};

exit_code renewals(context& ctx, renewal_options with)
{
    const auto now = now_seconds();
    if (with.filter.from.empty() && with.filter.to.empty()) {
        const auto length = state::parse_duration(with.within);
        if (!length)
            throw failure(exit_code::usage, "--within: " + length.error().message);
        with.filter.from = format_utc(now);
        with.filter.to = format_utc(now + *length);
    } else {
        with.filter.from =
            with.filter.from.empty() ? format_utc(now) : coming_moment_or_fail(with.filter.from);
        with.filter.to = coming_moment_or_fail(with.filter.to);
    }
    state::state_reader state = open_state(ctx);
    write_list(ctx, state, state::list_renewals(with.filter), with.page);
    return exit_code::done;
}

} // namespace

void add_renewals(CLI::App& app, context& ctx)
{
    const auto with = std::make_shared<renewal_options>();
    CLI::App& command = add_command(app, ctx, "renewals", "What will be billed, soonest first",
                                    "Examples:\n"
                                    "  chargifyctl renewals\n"
                                    "  chargifyctl renewals --within 24h\n"
                                    "  chargifyctl renewals --from 2026-12-01 --to 2027-01-01",
                                    [with](context& c) { return renewals(c, *with); });
    auto* const within =
        command.add_option("--within", with->within, "From now on for so long (7d)")->type_name("DURATION");
    command.add_option("--from", with->filter.from, "From then (default: now) ...")
        ->type_name("TIME")
        ->excludes(within);
    command.add_option("--to", with->filter.to, "... until before then")->type_name("TIME")->excludes(within);
    command.add_option("--site", with->filter.site, "Only of this site")->type_name("SITE");
    add_page_options(command, with->page);
}

} // namespace chargifyd::ctl
