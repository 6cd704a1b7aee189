#include "ctl/application.hpp"

#include "ctl/command_tree.hpp"
#include "ctl/commands.hpp"
#include "ctl/help.hpp"

#include <CLI/CLI.hpp>

#include <string_view>

namespace chargifyd::ctl {

namespace {

constexpr const char* examples =
    R"(A table on a terminal, JSON when piped. Data goes to stdout, everything else to stderr.
Exit status: 0 done, 1 failed, 2 wrong usage or configuration, 3 not found.

Examples:
  chargifyctl status
  chargifyctl access --customer user-42
  chargifyctl timeline user-42
  chargifyctl changes --since 2h
  chargifyctl config check
  chargifyctl verify --site acme --headers headers.txt body.form
  chargifyctl simulate --insecure https://localhost/webhooks/acme
  chargifyctl COMMAND --help)";

/// On the program and on every command, so that they may stand anywhere and every help shows them.
void add_common_options(CLI::App& app, common_options& common)
{
    app.add_option("--config", common.config,
                   std::string("Configuration file (default: ") + config::default_path + ")")
        ->type_name("FILE")
        ->group(common_group);
    app.add_option("--state-directory", common.state_directory,
                   "State directory (default: the configuration's)")
        ->type_name("DIR")
        ->group(common_group);
    CLI::Option* json =
        app.add_flag("--json", common.json, "Write JSON, also on a terminal")->group(common_group);
    CLI::Option* csv = app.add_flag("--csv", common.csv, "Write CSV")->group(common_group)->excludes(json);
    app.add_flag("--table", common.table, "Write a table, also when piped")
        ->group(common_group)
        ->excludes(json)
        ->excludes(csv);
}

void add_all_commands(CLI::App& app, context& ctx)
{
    add_status(app, ctx);
    add_subscriptions(app, ctx);
    add_customers(app, ctx);
    add_access(app, ctx);
    add_timeline(app, ctx);
    add_changes(app, ctx);
    add_renewals(app, ctx);
    add_past_due(app, ctx);
    add_revenue(app, ctx);
    add_events(app, ctx);
    add_dead(app, ctx);
    add_doctor(app, ctx);
    add_check(app, ctx);
    add_rebuild(app, ctx);
    add_forget(app, ctx);
    add_quarantine(app, ctx);
    add_backup(app, ctx);
    add_restore(app, ctx);
    add_config(app, ctx);
    add_sign(app, ctx);
    add_verify(app, ctx);
    add_simulate(app, ctx);
    add_man(app, ctx);
    add_completion(app, ctx);
}

int run_command(context& ctx)
{
    try {
        return static_cast<int>(ctx.run());
    } catch (const reader_gone&) {
        return static_cast<int>(exit_code::done);
    } catch (const failure& f) {
        ctx.note(std::string("chargifyctl: ") + f.what());
        return static_cast<int>(f.code());
    } catch (const std::exception& e) {
        ctx.note(std::string("chargifyctl: ") + e.what());
        return static_cast<int>(exit_code::failed);
    }
}

} // namespace

CLI::App& add_command(CLI::App& parent, context& ctx, const std::string& name, const std::string& summary,
                      const std::string& with_examples, context::work work)
{
    CLI::App* const command = parent.add_subcommand(name, summary);
    command->group("Commands");
    command->footer(with_examples);
    add_common_options(*command, ctx.common);
    if (work)
        command->callback([&ctx, work = std::move(work)] { ctx.schedule(work); });
    return *command;
}

int run(int argc, const char* const* argv, streams with)
{
    context ctx(with);
    CLI::App app("Looks after chargifyd: shows its state, checks it, and makes, sends and verifies webhooks.",
                 "chargifyctl");
    app.require_subcommand(1);
    app.set_version_flag("--version", "chargifyctl " CHARGIFYD_VERSION);
    app.footer(examples);
    app.formatter(std::make_shared<help_formatter>());
    add_common_options(app, ctx.common);
    add_all_commands(app, ctx);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
        std::ostringstream text;
        const bool wrong = app.exit(e, text, with.err) != 0;
        with.out.write(text.str());
        with.out.flush();
        return static_cast<int>(wrong ? exit_code::usage : exit_code::done);
    }
    return run_command(ctx);
}

bool wants_colour(const char* no_color, const char* term) noexcept
{
    const bool refused = no_color != nullptr && *no_color != '\0';
    return !refused && term != nullptr && std::string_view(term) != "dumb";
}

} // namespace chargifyd::ctl
