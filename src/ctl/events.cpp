#include "ctl/commands.hpp"
#include "ctl/journalled_body.hpp"
#include "ctl/state_rows.hpp"

#include <CLI/CLI.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <thread>

namespace chargifyd::ctl {

namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t shown_by_default = 50;
constexpr auto follow_interval = 500ms;

struct event_options {
    state::event_filter filter;
    bool follow = false;
};

/// Prints what there is, then what comes, until it is interrupted.
exit_code follow(context& ctx, state::event_filter filter)
{
    state::state_reader state = open_state(ctx);
    std::optional<row_writer> rows;
    for (;;) {
        std::uint64_t last = filter.after;
        const auto done = state.run(
            state::list_events(filter),
            [&](std::span<const state::result_column> found) {
                if (rows)
                    return;
                std::vector<column> columns;
                for (const state::result_column& c : found)
                    columns.push_back(to_column(c));
                rows.emplace(ctx.out(), columns, row_writer::length::endless);
            },
            [&](std::span<const state::value> row) {
                std::vector<cell> cells;
                for (const state::value& v : row)
                    cells.push_back(to_cell(v));
                rows->row(std::move(cells));
                last = static_cast<std::uint64_t>(std::get<std::int64_t>(row[0]));
                return true;
            });
        if (!done)
            throw failure(done.error());
        rows->flush();
        if (filter.newest)
            last = std::max(last, value_or_fail(state.cursor()));
        filter.after = last;
        filter.newest = false;
        filter.limit = 0;
        std::this_thread::sleep_for(follow_interval);
    }
}

exit_code list(context& ctx, event_options with)
{
    with.filter.newest = with.filter.after == 0;
    if (with.filter.limit == 0 && with.filter.after == 0)
        with.filter.limit = shown_by_default;
    if (with.follow)
        return follow(ctx, with.filter);
    state::state_reader state = open_state(ctx);
    write_rows(ctx, state, state::list_events(with.filter));
    return exit_code::done;
}

} // namespace

void add_events(CLI::App& app, context& ctx)
{
    const auto with = std::make_shared<event_options>();
    CLI::App& command = add_command(app, ctx, "events", "What was received and what became of it",
                                    "Examples:\n"
                                    "  chargifyctl events\n"
                                    "  chargifyctl events --follow\n"
                                    "  chargifyctl events --event payment_failure --limit 10\n"
                                    "  chargifyctl events show 42",
                                    [with](context& c) { return list(c, *with); });
    command.add_flag("--follow", with->follow, "Go on with what comes");
    command.add_option("--event", with->filter.event, "Only this event")->type_name("EVENT");
    command.add_option("--outcome", with->filter.outcome, "applied, unchanged, stale, test, unknown or dead")
        ->type_name("OUTCOME");
    command.add_option("--subscription", with->filter.subscription_id, "Only of this subscription")
        ->type_name("ID");
    command.add_option("--site", with->filter.site, "Only of this site")->type_name("SITE");
    command.add_option("--after", with->filter.after, "Only later than this webhook (seq)")->type_name("SEQ");
    command
        .add_option("--limit", with->filter.limit,
                    "At most so many (default: the newest 50; all with --after)")
        ->type_name("N");

    struct show_options {
        std::uint64_t sequence = 0;
        bool raw = false;
    };
    const auto which = std::make_shared<show_options>();
    CLI::App& show = add_command(command, ctx, "show", "The body of a webhook, decoded",
                                 "Examples:\n"
                                 "  chargifyctl events show 42\n"
                                 "  chargifyctl events show 42 --raw | chargifyctl sign --site acme",
                                 [which](context& c) {
                                     write_body(c, read_webhook(c, which->sequence), which->raw);
                                     return exit_code::done;
                                 });
    show.add_option("SEQ", which->sequence, "Its number in the journal")->type_name("")->required();
    show.add_flag("--raw", which->raw, "The bytes as received, tokens and all");
}

} // namespace chargifyd::ctl
