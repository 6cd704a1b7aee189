#include "ctl/commands.hpp"
#include "ctl/moments.hpp"
#include "ctl/state_rows.hpp"

#include "chargifyd/base/time.hpp"
#include "chargifyd/state/queries_changes.hpp"

#include <CLI/CLI.hpp>

#include <memory>

namespace chargifyd::ctl {

namespace {

struct revenue_options {
    std::string day;
    state::revenue_filter filter;
    bool totals = false;
};

/// The whole day that was asked for, or today's so far.
void set_times(revenue_options& with)
{
    const bool of_time = !with.filter.since.empty() || !with.filter.until.empty();
    if (of_time) {
        with.filter.since = moment_or_fail(with.filter.since);
        with.filter.until = moment_or_fail(with.filter.until);
        return;
    }
    const auto day = with.day.empty() ? std::chrono::floor<std::chrono::days>(now_seconds())
                                      : value_or_fail(state::parse_day(with.day));
    with.filter.since = format_utc(std::chrono::sys_seconds(day));
    with.filter.until = format_utc(std::chrono::sys_seconds(day) + std::chrono::days(1));
}

void write_totals(context& ctx, state::state_reader& state, const state::revenue_filter& with)
{
    state_rows rows(ctx);
    const auto done = state::total_revenue(
        state, with, [&rows](std::span<const state::result_column> found) { rows.columns(found); },
        [&rows](std::span<const state::value> row) {
            rows.row(row);
            return true;
        });
    if (!done)
        throw failure(done.error());
    rows.finish();
}

exit_code show(context& ctx, revenue_options with)
{
    set_times(with);
    state::state_reader state = open_state(ctx);
    if (with.totals) {
        write_totals(ctx, state, with.filter);
        return exit_code::done;
    }
    const bool json = ctx.out().how() == form::json;
    if (json)
        ctx.out().write("{\"events\": ");
    write_list(ctx, state, value_or_fail(state::list_revenue(state, with.filter)), {},
               {"at", "site", "kind", "subscription_id", "amount_in_cents", "currency", "text"});
    if (ctx.out().how() == form::csv)
        return exit_code::done;
    ctx.out().write(json ? ",\n\"totals\": " : "\n");
    write_totals(ctx, state, with.filter);
    if (json)
        ctx.out().write("}\n");
    return exit_code::done;
}

} // namespace

void add_revenue(CLI::App& app, context& ctx)
{
    const auto with = std::make_shared<revenue_options>();
    CLI::App& command =
        add_command(app, ctx, "revenue", "Payments and refunds of a day, with exact totals",
                    "In JSON one object: `events` and `totals`. In CSV the events; with --totals "
                    "the totals.\n\n"
                    "Examples:\n"
                    "  chargifyctl revenue\n"
                    "  chargifyctl revenue --day 2026-03-01\n"
                    "  chargifyctl revenue --since 2026-03-01 --until 2026-04-01 --totals --csv",
                    [with](context& c) { return show(c, *with); });
    CLI::Option* const day =
        command.add_option("--day", with->day, "Of this day in UTC (default: today)")->type_name("DATE");
    command.add_option("--since", with->filter.since, std::string("From then on: ") + moment_help)
        ->type_name("TIME")
        ->excludes(day);
    command.add_option("--until", with->filter.until, "Before then")->type_name("TIME")->excludes(day);
    command.add_option("--site", with->filter.site, "Only of this site")->type_name("SITE");
    command.add_flag("--totals", with->totals, "Only the totals");
}

} // namespace chargifyd::ctl
