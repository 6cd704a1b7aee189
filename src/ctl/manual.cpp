#include "ctl/manual.hpp"

#include "ctl/commands.hpp"
#include "ctl/roff.hpp"

#include "chargifyd/base/time.hpp"
#include "chargifyd/config/settings.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <memory>

namespace chargifyd::ctl {

namespace {

/// Sections of the manual.
constexpr int commands = 1;
constexpr int administration = 8;
constexpr const char* source = "chargifyd " CHARGIFYD_VERSION;

struct term {
    const char* name;
    const char* text;
};

void write_terms(roff_page& page, std::initializer_list<term> terms)
{
    for (const term& t : terms)
        page.item({t.name}, "", t.text);
}

void write_state_files(roff_page& page)
{
    write_terms(page, {{config::default_path, "The configuration."},
                       {"/var/lib/chargifyd", "The state directory, unless the configuration names another."},
                       {"/var/lib/chargifyd/state.db", "The state, for applications that open it read-only."},
                       {"/var/lib/chargifyd/journal", "Every webhook's exact bytes."}});
}

void write_options(roff_page& page, const std::vector<described_option>& options, bool common)
{
    for (const described_option& o : options)
        if (o.common == common)
            page.item(o.names, o.value, o.text);
}

/// What follows a command's name: arguments, or what stands for its commands.
std::string usage(const described_command& c)
{
    std::string out = "[OPTIONS]";
    for (const described_option& a : c.arguments)
        out += a.required ? " " + a.names.front() : " [" + a.names.front() + "]";
    if (!c.commands.empty())
        out += c.needs_command ? " COMMAND" : " [COMMAND]";
    return out;
}

void write_command(roff_page& page, const described_command& c, const std::string& path)
{
    page.subsection(path);
    page.paragraph(c.summary + ".");
    page.verbatim({path + " " + usage(c)});
    for (const std::string& note : c.notes)
        page.paragraph(note);
    for (const described_option& a : c.arguments)
        page.item(a.names, "", a.text);
    write_options(page, c.options, false);
    if (!c.examples.empty()) {
        page.paragraph(c.examples.size() == 1 ? "Example:" : "Examples:");
        page.verbatim(c.examples);
    }
    for (const described_command& nested : c.commands)
        write_command(page, nested, path + " " + nested.name);
}

std::string today()
{
    std::chrono::sys_seconds when =
        std::chrono::time_point_cast<std::chrono::seconds>(std::chrono::system_clock::now());
    // So that packages are made byte for byte alike.
    if (const char* epoch = std::getenv("SOURCE_DATE_EPOCH"); epoch != nullptr) {
        std::int64_t seconds = 0;
        const char* const end = epoch + std::strlen(epoch);
        if (const auto read = std::from_chars(epoch, end, seconds);
            read.ptr != end || read.ec != std::errc() || seconds < 0 || seconds > 253402300799)
            throw failure(exit_code::usage, "SOURCE_DATE_EPOCH has to be a number of seconds");
        when = std::chrono::sys_seconds(std::chrono::seconds(seconds));
    }
    return format_utc(when).substr(0, 10);
}

} // namespace

std::string chargifyctl_page(const described_command& tree, const std::string& date)
{
    roff_page page(tree.name, commands, date, source);
    page.section("NAME");
    page.paragraph("chargifyctl - look after chargifyd");
    page.section("SYNOPSIS");
    page.synopsis(tree.name, usage(tree));
    page.section("DESCRIPTION");
    page.paragraph(tree.summary);
    for (const std::string& note : tree.notes)
        page.paragraph(note);
    page.verbatim(tree.examples);
    page.section("COMMANDS");
    for (const described_command& c : tree.commands)
        write_command(page, c, tree.name + " " + c.name);
    page.section("OPTIONS");
    page.paragraph("They may stand before or after the command.");
    write_options(page, tree.options, true);
    write_options(page, tree.options, false);
    page.section("EXIT STATUS");
    write_terms(page, {{"0", "Done."},
                       {"1", "Failed; a verification that says no; a simulation in which something was not "
                             "acknowledged."},
                       {"2", "Wrong arguments, or mistakes in the configuration."},
                       {"3", "What was asked for does not exist."}});
    page.section("ENVIRONMENT");
    write_terms(page, {{"NO_COLOR", "No colours on a terminal, when it is set and not empty."}});
    page.section("FILES");
    write_state_files(page);
    page.section("SEE ALSO");
    page.paragraph("chargifyd(8), sqlite3(1)");
    return page.text();
}

std::string chargifyd_page(const std::string& date)
{
    roff_page page("chargifyd", administration, date, source);
    page.section("NAME");
    page.paragraph("chargifyd - receive Chargify webhooks and keep their state in SQLite");
    page.section("SYNOPSIS");
    page.synopsis("chargifyd", "[--config FILE]");
    page.section("DESCRIPTION");
    page.paragraph(
        "Receives Chargify webhooks over HTTPS, verifies their signatures, keeps their exact bytes in a "
        "journal before it answers 200, and maintains the state of subscriptions and customers in a "
        "SQLite file that any program may read.");
    page.paragraph("Runs in the foreground and logs to standard error. Usually a service manager starts it:");
    page.verbatim({"systemctl start chargifyd"});
    page.section("OPTIONS");
    page.item({"--config"}, "FILE",
              std::string("The configuration (default: ") + config::default_path + ").");
    page.item({"--version"}, "", "Print the version and exit.");
    page.item({"-h", "--help"}, "", "Print a short help and exit.");
    page.section("SIGNALS");
    write_terms(
        page, {{"SIGTERM, SIGINT", "Take no new connection, answer the requests under way, close the journal "
                                   "and end."},
               {"SIGHUP", "Read the configuration again and take over the certificate, the sites with their "
                          "keys, and the log level. When it has a mistake, nothing changes. Everything "
                          "else needs a restart."}});
    page.section("EXIT STATUS");
    write_terms(page, {{"0", "Stopped by a signal."},
                       {"1", "Failed; start it again."},
                       {"2", "A mistake in the configuration or the arguments; mend it first."}});
    page.section("FILES");
    write_state_files(page);
    page.section("SEE ALSO");
    page.paragraph("chargifyctl(1), systemctl(1), sqlite3(1)");
    return page.text();
}

void add_man(CLI::App& app, context& ctx)
{
    const auto which = std::make_shared<std::string>("chargifyctl");
    CLI::App& command =
        add_command(app, ctx, "man", "Print a manual page",
                    "Needs neither configuration nor state. The date is that of "
                    "SOURCE_DATE_EPOCH if that is set.\n\n"
                    "Examples:\n"
                    "  chargifyctl man | man -l -\n"
                    "  chargifyctl man chargifyd > chargifyd.8",
                    [which, &app](context& c) {
                        c.out().write(*which == "chargifyd" ? chargifyd_page(today())
                                                            : chargifyctl_page(describe(app), today()));
                        return exit_code::done;
                    });
    command.add_option("PAGE", *which, "chargifyctl (default) or chargifyd")
        ->type_name("")
        ->check(CLI::IsMember({"chargifyctl", "chargifyd"}));
}

} // namespace chargifyd::ctl
