#include "ctl/commands.hpp"
#include "ctl/findings.hpp"

#include "chargifyd/journal/directory_lock.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <unistd.h>

namespace chargifyd::ctl {

namespace {

constexpr std::string_view no_permission = "Permission denied";

void look_at_configuration(context& ctx, patient& of, findings& into)
{
    if (!ctx.has_config_file() && ::access(config::default_path, F_OK) == 0) {
        into.warning("configuration", std::string(config::default_path) + " cannot be read by this user",
                     "run it as root or as the daemon's user");
        return;
    }
    const auto file = ctx.config_file();
    config::loaded read = config::load(file);
    for (const config::mistake& m : read.mistakes) {
        const std::string text = config::format_mistake(file, m);
        if (::geteuid() != 0 && m.text.find(no_permission) != std::string::npos)
            into.warning("configuration", text, "run it as root or as the daemon's user to look further");
        else
            into.problem("configuration", text, "mend it; 'chargifyctl config check' tells when it is right");
    }
    for (const config::mistake& w : read.warnings)
        into.warning("configuration", config::format_mistake(file, w), "look at it");
    if (!read.mistakes.empty())
        return;
    into.ok("configuration", file.string() + " has no mistakes");
    of.settings = std::move(read.value);
    of.configured = true;
}

/// The daemon's, as far as it is known: where nothing better is said, the default.
std::filesystem::path directory_of(const context& ctx, const patient& of)
{
    return ctx.common.state_directory.empty() ? of.settings.state_directory : ctx.common.state_directory;
}

void look_at_daemon(patient& of, findings& into)
{
    of.daemon = journal::directory_lock::holder(of.directory);
    if (of.daemon != 0)
        into.ok("daemon", "runs as process " + std::to_string(of.daemon));
    else if (::access((of.directory / "lock").c_str(), R_OK) != 0 && errno == EACCES)
        into.warning("daemon", "whether it runs cannot be told by this user",
                     "run it as root or as the daemon's user");
    else
        into.warning("daemon", "does not run", "systemctl start chargifyd");
}

exit_code write(context& ctx, const findings& found)
{
    row_writer rows(ctx.out(), {{"result", kind::text, 7}, {"check"}, {"finding"}, {"advice"}});
    for (const finding& f : found.all())
        rows.row(
            {std::string(to_string(f.how)), f.subject, f.text, f.advice.empty() ? cell() : cell(f.advice)});
    rows.finish();
    const bool bad =
        std::ranges::any_of(found.all(), [](const finding& f) { return f.how == severity::problem; });
    return bad ? exit_code::failed : exit_code::done;
}

exit_code examine_all(context& ctx)
{
    findings found;
    patient of;
    look_at_configuration(ctx, of, found);
    of.directory = directory_of(ctx, of);
    look_at_daemon(of, found);
    look_at_directory(of, found);
    look_at_disk(of, found);
    look_at_content(of, found);
    look_at_certificate(of, found);
    look_at_addresses(of, found);
    look_at_file_limit(of, found);
    look_at_clock(found);
    look_at_sqlite(found);
    return write(ctx, found);
}

} // namespace

std::string_view to_string(severity s) noexcept
{
    switch (s) {
    case severity::ok:
        return "ok";
    case severity::warning:
        return "warning";
    case severity::problem:
        return "problem";
    }
    return "";
}

void add_doctor(CLI::App& app, context& ctx)
{
    add_command(app, ctx, "doctor", "Look for what is wrong, or soon will be, and say what to do",
                "Looks at configuration, state directory, disk, certificate, addresses, clock, limits and "
                "content; changes\nnothing. What this user may not look at is a warning: run it as root.\n\n"
                "Exit status: 0 no problem, 1 a problem.\n\n"
                "Examples:\n"
                "  chargifyctl doctor\n"
                "  chargifyctl doctor --json",
                examine_all);
}

} // namespace chargifyd::ctl
