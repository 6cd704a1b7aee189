#include "ctl/commands.hpp"
#include "ctl/control.hpp"
#include "ctl/journalled_body.hpp"
#include "ctl/state_rows.hpp"

#include "chargifyd/journal/directory_lock.hpp"
#include "chargifyd/pipeline/follower.hpp"
#include "chargifyd/pipeline/rebuild.hpp"
#include "chargifyd/state/sqlite_store.hpp"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <memory>

namespace chargifyd::ctl {

namespace {

struct dead_options {
    std::uint64_t sequence = 0;
    bool raw = false;
    std::string site;
    std::uint64_t limit = 0;
};

exit_code list(context& ctx, const dead_options& with)
{
    state::event_filter filter;
    filter.outcome = "dead";
    filter.site = with.site;
    state::state_reader state = open_state(ctx);
    write_list(ctx, state, state::list_events(filter), {{}, with.limit});
    return exit_code::done;
}

/// Without a daemon this process is the one writer.
std::size_t retry_here(context& ctx, const std::vector<std::uint64_t>& wanted)
{
    const state::options with = ctx.has_config_file() ? ctx.settings().state : state::options();
    const auto directory = ctx.state_directory();
    become_owner(directory);
    const auto lock = value_or_fail(journal::directory_lock::acquire(directory));
    const std::string journal_id = value_or_fail(open_state(ctx).journal_id());
    auto store =
        value_or_fail(state::sqlite_store::open(directory / state::state_file_name, journal_id, with));
    pipeline::follower follow(directory / pipeline::journal_directory_name, journal::real_file_system(),
                              *store, {}, nullptr);
    return value_or_fail(follow.retry_dead(wanted.empty() ? store->dead_sequences() : wanted));
}

exit_code retry(context& ctx, const dead_options& with)
{
    std::size_t revived = 0;
    std::string target = "/v1/control/retry-dead";
    if (with.sequence != 0)
        target += "?sequence=" + std::to_string(with.sequence);
    if (const auto answer = call_daemon(ctx, "POST", target))
        revived = nlohmann::json::parse(*answer).value("revived", std::size_t{0});
    else if (answer.error().code != errc::unavailable)
        throw failure(answer.error());
    else
        revived =
            retry_here(ctx, with.sequence != 0 ? std::vector{with.sequence} : std::vector<std::uint64_t>());
    write_object(ctx.out(), {{"revived", kind::integer}}, {static_cast<std::int64_t>(revived)});
    return exit_code::done;
}

void add_list_options(CLI::App& command, dead_options& with)
{
    command.add_option("--site", with.site, "Only of this site")->type_name("SITE");
    command.add_option("--limit", with.limit, "At most so many (default: all)")->type_name("N");
}

} // namespace

void add_dead(CLI::App& app, context& ctx)
{
    const auto with = std::make_shared<dead_options>();
    CLI::App& command = add_command(app, ctx, "dead", "Webhooks that could not be applied, and why",
                                    "Examples:\n"
                                    "  chargifyctl dead\n"
                                    "  chargifyctl dead show 42\n"
                                    "  chargifyctl dead retry",
                                    [with](context& c) { return list(c, *with); });
    add_list_options(command, *with);
    CLI::App& lists =
        add_command(command, ctx, "list", "List them", "Example:\n  chargifyctl dead list --site acme",
                    [with](context& c) { return list(c, *with); });
    add_list_options(lists, *with);

    CLI::App& show = add_command(command, ctx, "show", "The body of one, decoded as far as it can be",
                                 "Example:\n  chargifyctl dead show 42 --raw", [with](context& c) {
                                     write_body(c, read_webhook(c, with->sequence), with->raw);
                                     return exit_code::done;
                                 });
    show.add_option("SEQ", with->sequence, "Its number in the journal")->type_name("")->required();
    show.add_flag("--raw", with->raw, "The bytes as received, tokens and all");

    CLI::App& again = add_command(command, ctx, "retry", "Apply them again, after an upgrade",
                                  "Prints how many are dead no longer.\n\n"
                                  "Examples:\n"
                                  "  chargifyctl dead retry\n"
                                  "  chargifyctl dead retry 42",
                                  [with](context& c) { return retry(c, *with); });
    again.add_option("SEQ", with->sequence, "Only this one (default: all)")->type_name("");
}

} // namespace chargifyd::ctl
