#include "ctl/commands.hpp"
#include "ctl/moments.hpp"
#include "ctl/state_rows.hpp"

#include <CLI/CLI.hpp>

#include <memory>

namespace chargifyd::ctl {

namespace {

struct access_options {
    state::access_filter filter;
    bool without = false;
    bool all = false;
    page_options page;
};

exit_code list(context& ctx, access_options with)
{
    state::state_reader state = open_state(ctx);
    with.filter.until = coming_moment_or_fail(with.filter.until);
    // Of one customer both are told: no line would leave it open whether the customer is known.
    if (!with.all && (with.filter.customer_reference.empty() || with.without))
        with.filter.has_access = !with.without;
    write_list(ctx, state, value_or_fail(state::list_access(state, with.filter)), with.page);
    return exit_code::done;
}

} // namespace

void add_access(CLI::App& app, context& ctx)
{
    const auto with = std::make_shared<access_options>();
    CLI::App& command = add_command(app, ctx, "access", "Who has access, and until when",
                                    "Examples:\n"
                                    "  chargifyctl access --customer user-42\n"
                                    "  chargifyctl access --until 2026-12-31\n"
                                    "  chargifyctl access --no --limit 100",
                                    [with](context& c) { return list(c, *with); });
    command
        .add_option("--customer", with->filter.customer_reference,
                    "Only of the customer with this reference, with access or without")
        ->type_name("REFERENCE");
    auto* const no = command.add_flag("--no", with->without, "Those without access");
    auto* const all = command.add_flag("--all", with->all, "With access and without")->excludes(no);
    command
        .add_option("--until", with->filter.until,
                    "Only those whose access ends by then: a cancellation, an expiry, the end of grace")
        ->type_name("TIME")
        ->excludes(no)
        ->excludes(all);
    command.add_option("--site", with->filter.site, "Only of this site")->type_name("SITE");
    add_page_options(command, with->page);
}

} // namespace chargifyd::ctl
