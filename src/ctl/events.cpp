#include "ctl/command_tree.hpp"
#include "ctl/commands.hpp"
#include "ctl/follow.hpp"
#include "ctl/journalled_body.hpp"
#include "ctl/moments.hpp"
#include "ctl/state_rows.hpp"

#include <CLI/CLI.hpp>

#include <memory>
#include <optional>

namespace chargifyd::ctl {

namespace {

constexpr std::uint64_t shown_by_default = 50;

struct event_options {
    state::event_filter filter;
    std::string since;
    std::string until;
    std::uint64_t after = 0;
    std::uint64_t limit = 0;
    bool follow = false;
};

std::int64_t cursor_of(state::state_reader& state)
{
    return static_cast<std::int64_t>(value_or_fail(state.cursor()));
}

/// The newest, when nothing says where to begin.
void write_newest(state::state_reader& state, state_rows& rows, const event_options& with)
{
    const auto done = state.run(
        state::newest_events(with.filter, with.limit == 0 ? shown_by_default : with.limit),
        [&rows](std::span<const state::result_column> found) { rows.columns(found); },
        [&rows](std::span<const state::value> row) {
            rows.row(row);
            return true;
        });
    if (!done)
        throw failure(done.error());
}

/// Prints what there is, then what comes, until it is interrupted.
[[noreturn]] void follow_events(context& ctx, state::state_reader& state, const event_options& with)
{
    state_rows rows(ctx, {}, row_writer::length::endless);
    auto after = static_cast<std::int64_t>(with.after);
    if (with.after == 0 && with.filter.from == 0) {
        state::event_filter known = with.filter;
        after = cursor_of(state);
        known.to = after + 1;
        event_options before = with;
        before.filter = known;
        write_newest(state, rows, before);
        rows.flush();
    }
    if (with.filter.from > 0)
        after = std::max(after, with.filter.from - 1);
    follow(state, rows,
           {"seq", [&](state::state_reader&) { return state::list_events(with.filter); }, cursor_of}, after);
}

exit_code list(context& ctx, event_options with)
{
    state::state_reader state = open_state(ctx);
    if (!with.since.empty())
        with.filter.from = value_or_fail(state.first_sequence_since(moment_or_fail(with.since)));
    if (!with.until.empty())
        with.filter.to = value_or_fail(state.first_sequence_since(moment_or_fail(with.until)));
    if (with.follow)
        follow_events(ctx, state, with);
    if (with.after == 0 && with.since.empty()) {
        state_rows rows(ctx);
        write_newest(state, rows, with);
        rows.finish();
        return exit_code::done;
    }
    with.filter.from = std::max(with.filter.from, static_cast<std::int64_t>(with.after) + 1);
    write_list(ctx, state, state::list_events(with.filter), {{}, with.limit});
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
                                    "  chargifyctl events --since 2h --outcome stale\n"
                                    "  chargifyctl events --event payment_failure --limit 10\n"
                                    "  chargifyctl events show 42",
                                    [with](context& c) { return list(c, *with); });
    CLI::Option* const follows = command.add_flag("--follow", with->follow, "Go on with what comes");
    offer(*command.add_option("--event", with->filter.event, "Only this event")->type_name("EVENT"),
          event_choices());
    offer(*command
               .add_option("--outcome", with->filter.outcome,
                           "applied, unchanged, stale, test, unknown or dead")
               ->type_name("OUTCOME"),
          outcome_choices());
    command.add_option("--subscription", with->filter.subscription_id, "Only of this subscription")
        ->type_name("ID");
    command.add_option("--site", with->filter.site, "Only of this site")->type_name("SITE");
    command.add_option("--after", with->after, "Only later than this webhook (seq)")->type_name("SEQ");
    command.add_option("--since", with->since, std::string("Only received since then: ") + moment_help)
        ->type_name("TIME");
    command.add_option("--until", with->until, "Only received before then")
        ->type_name("TIME")
        ->excludes(follows);
    command
        .add_option("--limit", with->limit,
                    "At most so many (default: the newest 50; all with --after or --since)")
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
