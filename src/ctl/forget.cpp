#include "ctl/commands.hpp"
#include "ctl/control.hpp"
#include "ctl/progress.hpp"
#include "ctl/rebuild.hpp"
#include "ctl/state_rows.hpp"

#include "chargifyd/state/sqlite_store.hpp"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <iostream>
#include <memory>

namespace chargifyd::ctl {

namespace {

struct forget_options {
    std::int64_t customer = 0;
    std::string site;
    bool sure = false;
};

/// Has the daemon blank rows and bodies. Returns how many bodies.
std::int64_t blank(context& ctx, const state::object_place& who)
{
    progress_line progress(std::cerr, "erasing from the journal");
    std::uint64_t next = 0;
    std::uint64_t last = 0;
    std::uint64_t webhooks = 0;
    while (next == 0 || next <= last) {
        const auto answer =
            call_daemon(ctx, "POST",
                        "/v1/control/forget?site=" + who.site + "&customer=" + std::to_string(who.id) +
                            "&next=" + std::to_string(next) + "&last=" + std::to_string(last) +
                            "&webhooks=" + std::to_string(webhooks));
        if (!answer && answer.error().code == errc::unavailable)
            throw failure(exit_code::failed,
                          "only the daemon writes to the journal, and none runs here; start it, "
                          "then try again");
        const auto said = nlohmann::json::parse(value_or_fail(answer));
        next = said.at("next").get<std::uint64_t>();
        last = said.at("last").get<std::uint64_t>();
        webhooks = said.at("webhooks").get<std::uint64_t>();
        progress.show(std::min(next, last), last);
    }
    return static_cast<std::int64_t>(webhooks);
}

exit_code forget(context& ctx, const forget_options& with)
{
    state::object_place who;
    {
        state::state_reader state = open_state(ctx);
        who = value_or_fail(state::find_customer(state, {with.site, with.customer, {}}));
    }
    if (!with.sure)
        throw failure(exit_code::usage,
                      "this erases what is personal about customer " + std::to_string(who.id) + " of " +
                          who.site + " for good; look with 'chargifyctl customers', then repeat with --yes");
    const rebuilder work(ctx);
    const std::int64_t webhooks = blank(ctx, who);
    work.run(); // the pages of the old file still hold what was in them
    std::error_code none;
    const auto wal =
        std::filesystem::file_size((ctx.state_directory() / state::state_file_name).string() + "-wal", none);
    if (!none && wal > 0)
        std::cerr << "chargifyctl: a reader of state.db holds an old snapshot; remnants go when it ends\n";
    write_object(ctx.out(), {{"site"}, {"customer", kind::integer}, {"webhooks", kind::integer}},
                 {who.site, who.id, webhooks});
    return exit_code::done;
}

} // namespace

void add_forget(CLI::App& app, context& ctx)
{
    const auto with = std::make_shared<forget_options>();
    CLI::App& command = add_command(
        app, ctx, "forget", "Erase what is personal about a customer",
        "Blanks names, addresses, cards, references, custom fields and texts in the state, the journal and "
        "the\nsnapshot; ids, states, times and amounts stay. Then the state is rebuilt. Cannot be undone. "
        "Delete "
        "the\ncustomer at Chargify first: what comes later is kept again. Not in backups or quarantine.\n\n"
        "Example:\n  chargifyctl forget --customer 14585695 --yes",
        [with](context& c) { return forget(c, *with); });
    command.add_option("--customer", with->customer, "Its id at Chargify")
        ->type_name("ID")
        ->required()
        ->check(CLI::PositiveNumber);
    command.add_option("--site", with->site, "Of this site, when several have the id")->type_name("SITE");
    command.add_flag("--yes", with->sure, "Do it");
}

} // namespace chargifyd::ctl
