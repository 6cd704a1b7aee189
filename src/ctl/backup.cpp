#include "ctl/commands.hpp"
#include "ctl/state_rows.hpp"

#include "chargifyd/state/sqlite_store.hpp"

#include <CLI/CLI.hpp>

#include <memory>
#include <sys/stat.h>

namespace chargifyd::ctl {

namespace {

exit_code backup(context& ctx, const std::filesystem::path& to)
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

} // namespace

void add_backup(CLI::App& app, context& ctx)
{
    const auto to = std::make_shared<std::filesystem::path>();
    CLI::App& command =
        add_command(app, ctx, "backup", "Copy state.db, consistent while the daemon runs",
                    "The file is replaced at once when the copy is complete. Never copy state.db with cp.\n\n"
                    "Example:\n  chargifyctl backup /backup/state.db",
                    [to](context& c) { return backup(c, *to); });
    command.add_option("FILE", *to, "The copy")->type_name("")->required();
}

} // namespace chargifyd::ctl
