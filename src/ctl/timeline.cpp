#include "ctl/change_options.hpp"
#include "ctl/commands.hpp"
#include "ctl/moments.hpp"
#include "ctl/state_rows.hpp"
#include "ctl/text.hpp"

#include "chargifyd/state/words.hpp"

#include <CLI/CLI.hpp>

#include <memory>

namespace chargifyd::ctl {

namespace {

struct timeline_options {
    subject_options subject;
    state::change_filter filter;
    page_options page;
};

/// `2026-03-01 10:00  subscription 15100141 renewed until 2026-04-01`
std::string line_of(const state::fact& f)
{
    constexpr std::size_t date = 10;
    constexpr std::size_t minutes = 16;
    const std::string_view at = f.text("at").value_or("                    ");
    return std::string(at.substr(0, date)) + " " + std::string(at.substr(date + 1, minutes - date - 1)) +
           "  " + std::string(f.text("text").value_or(""));
}

void write_lines(context& ctx, state::state_reader& state, const state::list& what, const page_options& with)
{
    std::vector<state::result_column> columns;
    read_list(
        ctx, state, what, with,
        [&columns](std::span<const state::result_column> found) {
            columns.assign(found.begin(), found.end());
        },
        [&](std::span<const state::value> row) {
            ctx.out().write(printable(line_of(state::fact(columns, row))) + "\n");
        });
    ctx.out().flush();
}

exit_code tell(context& ctx, timeline_options with)
{
    with.filter.since = moment_or_fail(with.filter.since);
    with.filter.until = moment_or_fail(with.filter.until);
    check_kinds(with.filter.kinds);
    state::state_reader state = open_state(ctx);
    const auto subject = find_subject(state, with.subject);
    if (!subject)
        throw failure(exit_code::usage, "say whose: CUSTOMER, --customer-id or --subscription");
    const state::list all = state::list_changes_of(*subject, with.filter);
    if (ctx.out().how() == form::table)
        write_lines(ctx, state, all, with.page);
    else
        write_list(ctx, state, all, with.page);
    return exit_code::done;
}

} // namespace

void add_timeline(CLI::App& app, context& ctx)
{
    const auto with = std::make_shared<timeline_options>();
    CLI::App& command =
        add_command(app, ctx, "timeline", "What happened to a customer, in words, oldest first",
                    "Examples:\n"
                    "  chargifyctl timeline user-42\n"
                    "  chargifyctl timeline --subscription 15100141 --since 30d\n"
                    "  chargifyctl timeline user-42 --kind payment --kind refund",
                    [with](context& c) { return tell(c, *with); });
    CLI::Option* const customer =
        command.add_option("CUSTOMER", with->subject.customer_reference, "The customer's reference")
            ->type_name("");
    CLI::Option* const id =
        command.add_option("--customer-id", with->subject.customer_id, "The customer's id at Chargify")
            ->type_name("ID")
            ->excludes(customer);
    command.add_option("--subscription", with->subject.subscription_id, "Of this subscription alone")
        ->type_name("ID")
        ->excludes(customer)
        ->excludes(id);
    command.add_option("--site", with->subject.site, "Of this site")->type_name("SITE");
    add_change_options(command, with->filter);
    add_page_options(command, with->page);
}

} // namespace chargifyd::ctl
