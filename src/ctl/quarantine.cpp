#include "chargifyd/quarantine/quarantine.hpp"

#include "ctl/commands.hpp"
#include "ctl/control.hpp"
#include "ctl/journalled_body.hpp"

#include "chargifyd/base/time.hpp"
#include "chargifyd/journal/directory_lock.hpp"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <memory>

namespace chargifyd::ctl {

namespace {

struct quarantine_options {
    std::uint64_t number = 0;
    bool raw = false;
};

std::filesystem::path directory_of(context& ctx)
{
    return ctx.state_directory() / quarantine::directory_name;
}

exit_code list(context& ctx)
{
    journal::file_system& files = journal::real_file_system();
    const auto numbers = value_or_fail(quarantine::list_entries(directory_of(ctx), files));
    row_writer rows(ctx.out(), {{"number", kind::integer},
                                {"site"},
                                {"received_at", kind::time},
                                {"peer"},
                                {"bytes", kind::integer},
                                {"error"}});
    for (const std::uint64_t number : numbers) {
        const auto found = quarantine::read_entry(directory_of(ctx), files, number);
        if (found)
            rows.row({static_cast<std::int64_t>(number),
                      found->site,
                      format_utc(found->received_at),
                      found->peer,
                      static_cast<std::int64_t>(found->body.size()),
                      {}});
        else if (found.error().code != errc::not_found) // removed meanwhile
            rows.row({static_cast<std::int64_t>(number), {}, {}, {}, {}, found.error().message});
    }
    rows.finish();
    return exit_code::done;
}

exit_code show(context& ctx, const quarantine_options& with)
{
    auto found =
        value_or_fail(quarantine::read_entry(directory_of(ctx), journal::real_file_system(), with.number));
    journal::record r;
    r.site = std::move(found.site);
    r.body = std::move(found.body);
    write_body(ctx, r, with.raw);
    return exit_code::done;
}

/// Only the daemon writes to the journal.
exit_code verify(context& ctx)
{
    const auto answer = call_daemon(ctx, "POST", "/v1/control/quarantine-verify");
    if (!answer && answer.error().code == errc::unavailable)
        throw failure(exit_code::failed, "no daemon runs here; start it, then try again");
    const auto said = nlohmann::json::parse(value_or_fail(answer));
    write_object(ctx.out(), {{"moved", kind::integer}, {"left", kind::integer}},
                 {said.value("moved", std::int64_t{0}), said.value("left", std::int64_t{0})});
    return exit_code::done;
}

/// Without a daemon nobody else counts the files.
std::int64_t clear_here(context& ctx, const quarantine_options& with)
{
    const auto lock = value_or_fail(journal::directory_lock::acquire(ctx.state_directory()));
    journal::file_system& files = journal::real_file_system();
    std::int64_t removed = 0;
    for (const std::uint64_t number : value_or_fail(quarantine::list_entries(directory_of(ctx), files))) {
        if (with.number != 0 && number != with.number)
            continue;
        if (const auto done = quarantine::remove_entry(directory_of(ctx), files, number); !done)
            throw failure(done.error());
        ++removed;
    }
    if (with.number != 0 && removed == 0)
        throw failure(exit_code::not_found,
                      "quarantined webhook " + std::to_string(with.number) + " does not exist");
    return removed;
}

exit_code clear(context& ctx, const quarantine_options& with)
{
    std::string target = "/v1/control/quarantine-clear";
    if (with.number != 0)
        target += "?number=" + std::to_string(with.number);
    std::int64_t removed = 0;
    const auto answer = call_daemon(ctx, "POST", target);
    if (answer)
        removed = nlohmann::json::parse(*answer).value("removed", std::int64_t{0});
    else if (answer.error().code == errc::unavailable)
        removed = clear_here(ctx, with);
    else if (answer.error().code == errc::not_found)
        throw failure(exit_code::not_found,
                      "quarantined webhook " + std::to_string(with.number) + " does not exist");
    else
        throw failure(answer.error());
    write_object(ctx.out(), {{"removed", kind::integer}}, {removed});
    return exit_code::done;
}

} // namespace

void add_quarantine(CLI::App& app, context& ctx)
{
    const auto with = std::make_shared<quarantine_options>();
    CLI::App& command =
        add_command(app, ctx, "quarantine", "Webhooks whose signature did not match",
                    "Kept for sites with on_bad_signature = \"quarantine\"; never applied as they are.\n\n"
                    "Examples:\n"
                    "  chargifyctl quarantine\n"
                    "  chargifyctl quarantine show 7\n"
                    "  chargifyctl quarantine verify\n"
                    "  chargifyctl quarantine clear",
                    [](context& c) { return list(c); });
    add_command(command, ctx, "list", "List them", "Example:\n  chargifyctl quarantine list",
                [](context& c) { return list(c); });
    CLI::App& shows = add_command(command, ctx, "show", "The body of one, decoded",
                                  "Example:\n  chargifyctl quarantine show 7 --raw",
                                  [with](context& c) { return show(c, *with); });
    shows.add_option("NUMBER", with->number, "Its number in the list")->type_name("")->required();
    shows.add_flag("--raw", with->raw, "The bytes as received, tokens and all");
    add_command(
        command, ctx, "verify", "Move those that verify now into the journal, in order",
        "After the key was mended and the daemon reloaded. Prints how many were moved and how many are "
        "left.\n\nExample:\n  chargifyctl quarantine verify",
        [](context& c) { return verify(c); });
    CLI::App& clears =
        add_command(command, ctx, "clear", "Remove them", "Example:\n  chargifyctl quarantine clear 7",
                    [with](context& c) { return clear(c, *with); });
    clears.add_option("NUMBER", with->number, "Only this one (default: all)")->type_name("");
}

} // namespace chargifyd::ctl
