#include "ctl/commands.hpp"
#include "ctl/state_rows.hpp"

#include <CLI/CLI.hpp>

#include <memory>

namespace chargifyd::ctl {

namespace {

struct past_due_options {
    std::string site;
    page_options page;
};

exit_code list(context& ctx, const past_due_options& with)
{
    state::state_reader state = open_state(ctx);
    write_list(ctx, state, state::list_past_due(with.site), with.page);
    return exit_code::done;
}

} // namespace

void add_past_due(CLI::App& app, context& ctx)
{
    const auto with = std::make_shared<past_due_options>();
    CLI::App& command = add_command(app, ctx, "past-due", "Who is past due, since when, and what comes next",
                                    "Examples:\n"
                                    "  chargifyctl past-due\n"
                                    "  chargifyctl past-due --site acme --csv",
                                    [with](context& c) { return list(c, *with); });
    command.add_option("--site", with->site, "Only of this site")->type_name("SITE");
    add_page_options(command, with->page);
}

} // namespace chargifyd::ctl
