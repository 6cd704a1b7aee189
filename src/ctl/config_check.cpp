#include "ctl/commands.hpp"

#include <CLI/CLI.hpp>

namespace chargifyd::ctl {

namespace {

/// `key = value`, with a comment when the value is a default.
std::vector<cell> cells_of(std::string_view line)
{
    constexpr std::string_view mark = "  # default";
    const bool is_default = line.size() >= mark.size() && line.substr(line.size() - mark.size()) == mark;
    if (is_default)
        line.remove_suffix(mark.size());
    const auto equals = line.find(" = ");
    const bool whole = equals == std::string_view::npos;
    return {std::string(line.substr(0, equals)), whole ? cell() : cell(std::string(line.substr(equals + 3))),
            std::string(is_default ? "default" : "file")};
}

exit_code check(context& ctx)
{
    const auto file = ctx.config_file();
    const config::loaded read = config::load(file);
    for (const config::mistake& m : read.mistakes)
        ctx.note(config::format_mistake(file, m));
    for (const config::mistake& w : read.warnings)
        ctx.note("warning: " + config::format_mistake(file, w));
    if (!read.mistakes.empty())
        return exit_code::usage;
    row_writer rows(ctx.out(), {{"key"}, {"value", kind::json}, {"source"}});
    for (const std::string& line : read.value.effective)
        rows.row(cells_of(line));
    rows.finish();
    return exit_code::done;
}

} // namespace

void add_config(CLI::App& app, context& ctx)
{
    CLI::App& config = add_command(app, ctx, "config", "Look at the configuration", "", {});
    config.require_subcommand(1);
    add_command(config, ctx, "check", "Name every mistake, or show every value in force",
                "Exit status: 0 the daemon would start with it, 2 it has mistakes.\n\n"
                "Examples:\n"
                "  chargifyctl config check\n"
                "  chargifyctl config check --config ./chargifyd.toml --json",
                [](context& c) { return check(c); });
}

} // namespace chargifyd::ctl
