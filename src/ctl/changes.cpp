#include "ctl/change_options.hpp"
#include "ctl/commands.hpp"
#include "ctl/follow.hpp"
#include "ctl/moments.hpp"

#include <CLI/CLI.hpp>

#include <memory>

namespace chargifyd::ctl {

namespace {

constexpr std::uint64_t shown_by_default = 50;

struct change_options {
    subject_options subject;
    state::change_filter filter;
    std::optional<std::int64_t> after;
    std::uint64_t limit = 0;
    bool follow = false;
};

const std::vector<std::string> in_table = {"id", "at", "site", "kind", "text"};

std::int64_t newest_id(state::state_reader& state)
{
    const auto found = value_or_fail(state.first({"SELECT COALESCE(max(id), 0) FROM changes", {}}));
    return std::get<std::int64_t>(found.value());
}

/// In the order in which they were learned.
state::list by_id(state::state_reader& state, const std::optional<state::change_subject>& subject,
                  const state::change_filter& with)
{
    return subject ? state::follow_changes_of(*subject, with)
                   : value_or_fail(state::follow_changes(state, with));
}

/// What a person sees before what comes: the newest, or those of the time asked for.
void write_before(state::state_reader& state, state_rows& rows,
                  const std::optional<state::change_subject>& subject, const change_options& with,
                  context& ctx)
{
    const auto columns = [&rows](std::span<const state::result_column> found) { rows.columns(found); };
    const auto one = [&rows](std::span<const state::value> row) { rows.row(row); };
    if (subject)
        return read_list(ctx, state, state::list_changes_of(*subject, with.filter), {{}, with.limit}, columns,
                         one);
    if (!with.filter.since.empty())
        return read_list(ctx, state, value_or_fail(state::list_changes(state, with.filter)), {{}, with.limit},
                         columns, one);
    const std::uint64_t shown = with.limit == 0 ? shown_by_default : with.limit;
    const auto done = state.run(value_or_fail(state::newest_changes(state, with.filter, shown)), columns,
                                [&rows](std::span<const state::value> row) {
                                    rows.row(row);
                                    return true;
                                });
    if (!done)
        throw failure(done.error());
}

[[noreturn]] void follow_from_now(context& ctx, state::state_reader& state,
                                  const std::optional<state::change_subject>& subject,
                                  const change_options& with)
{
    state_rows rows(ctx, in_table, row_writer::length::endless);
    std::int64_t after = with.after.value_or(0);
    if (!with.after) {
        after = newest_id(state);
        write_before(state, rows, subject, with, ctx);
        rows.flush();
    }
    follow(state, rows,
           {"id", [&](state::state_reader& from) { return by_id(from, subject, with.filter); }, newest_id},
           after);
}

exit_code list(context& ctx, change_options with)
{
    if (with.after && (!with.filter.since.empty() || !with.filter.until.empty()))
        throw failure(exit_code::usage,
                      "--after goes by id, in the order learned; it does not go with a time");
    with.filter.since = moment_or_fail(with.filter.since);
    with.filter.until = moment_or_fail(with.filter.until);
    check_kinds(with.filter.kinds);
    state::state_reader state = open_state(ctx);
    const auto subject = find_subject(state, with.subject);
    with.filter.site = subject ? std::string() : with.subject.site;
    if (with.follow)
        follow_from_now(ctx, state, subject, with);
    if (with.after) {
        write_list(ctx, state, by_id(state, subject, with.filter), {std::to_string(*with.after), with.limit},
                   in_table);
        return exit_code::done;
    }
    state_rows rows(ctx, in_table);
    write_before(state, rows, subject, with, ctx);
    rows.finish();
    return exit_code::done;
}

} // namespace

void add_changes(CLI::App& app, context& ctx)
{
    const auto with = std::make_shared<change_options>();
    CLI::App& command =
        add_command(app, ctx, "changes", "What happened to subscriptions and customers, one row per fact",
                    "The newest 50 or, with --since or a subject, all; by the time at which they happened. "
                    "--after and --follow go by id, the order in which they were learned.\n\n"
                    "Examples:\n"
                    "  chargifyctl changes --since 2h\n"
                    "  chargifyctl changes --kind cancellation --since 2026-03-01 --until 2026-04-01 --csv\n"
                    "  chargifyctl changes --kind payment_failed --follow",
                    [with](context& c) { return list(c, *with); });
    CLI::Option* const follows = command.add_flag("--follow", with->follow, "Go on with what comes");
    add_change_options(command, with->filter);
    command.get_option("--until")->excludes(follows);
    CLI::Option* const subscription =
        command.add_option("--subscription", with->subject.subscription_id, "Only of this subscription")
            ->type_name("ID");
    CLI::Option* const customer = command
                                      .add_option("--customer", with->subject.customer_reference,
                                                  "Only of the customer with this reference")
                                      ->type_name("REFERENCE")
                                      ->excludes(subscription);
    command.add_option("--customer-id", with->subject.customer_id, "Only of this customer")
        ->type_name("ID")
        ->excludes(subscription)
        ->excludes(customer);
    command.add_option("--site", with->subject.site, "Only of this site")->type_name("SITE");
    command.add_option("--after", with->after, "Only learned later than this one (id)")->type_name("ID");
    command.add_option("--limit", with->limit, "At most so many")->type_name("N");
}

} // namespace chargifyd::ctl
