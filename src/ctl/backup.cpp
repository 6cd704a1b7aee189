#include "ctl/commands.hpp"
#include "ctl/full_backup.hpp"
#include "ctl/state_rows.hpp"

#include "chargifyd/state/sqlite_store.hpp"

#include <CLI/CLI.hpp>

#include <memory>
#include <sys/stat.h>

namespace chargifyd::ctl {

namespace {

struct backup_options {
    std::filesystem::path state; ///< copy of the state alone
    std::filesystem::path all;   ///< directory for everything
};

exit_code back_up_state(context& ctx, const std::filesystem::path& to)
{
    ::umask(0027);
    const auto from = ctx.state_directory() / state::state_file_name;
    std::error_code ignored;
    if (!std::filesystem::exists(from, ignored))
        throw failure(exit_code::not_found, "there is no " + from.string());
    if (auto copied = state::copy_state(from, std::filesystem::absolute(to)); !copied)
        throw failure(copied.error());
    auto copy = value_or_fail(state::state_reader::open(to));
    write_object(ctx.out(), {{"file"}, {"applied_sequence", kind::integer}, {"bytes", kind::integer}},
                 {to.string(), static_cast<std::int64_t>(value_or_fail(copy.cursor())),
                  static_cast<std::int64_t>(std::filesystem::file_size(to))});
    return exit_code::done;
}

exit_code backup(context& ctx, const backup_options& with)
{
    if (!with.all.empty())
        return back_up_all(ctx, with.all);
    if (with.state.empty())
        throw failure(exit_code::usage,
                      "name the copy of the state, or the directory for everything with --all");
    return back_up_state(ctx, with.state);
}

} // namespace

void add_backup(CLI::App& app, context& ctx)
{
    const auto with = std::make_shared<backup_options>();
    CLI::App& command = add_command(
        app, ctx, "backup", "Copy the state, or everything, while the daemon runs",
        "With --all: journal, state, quarantine and the configuration, in a new directory that 'chargifyctl "
        "restore'\ntakes and sha256sum checks. It appears when it is complete. The files that the "
        "configuration "
        "names (keys,\ncertificate, token) are not in it. The journal can be read by root and the daemon's "
        "user "
        "only.\n"
        "With FILE: state.db alone, replaced at once when the copy is complete. Never copy state.db with "
        "cp.\n\n"
        "Examples:\n"
        "  chargifyctl backup /backup/state.db\n"
        "  chargifyctl backup --all /backup/2026-03-01",
        [with](context& c) { return backup(c, *with); });
    CLI::Option* const file = command.add_option("FILE", with->state, "The copy of the state")->type_name("");
    command.add_option("--all", with->all, "Copy everything into this new directory")
        ->type_name("DIR")
        ->excludes(file);
}

} // namespace chargifyd::ctl
