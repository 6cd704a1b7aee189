#include "ctl/commands.hpp"
#include "ctl/control.hpp"
#include "ctl/state_rows.hpp"

#include "chargifyd/journal/directory_lock.hpp"
#include "chargifyd/journal/journal.hpp"
#include "chargifyd/pipeline/rebuild.hpp"
#include "chargifyd/state/sqlite_store.hpp"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <poll.h>
#include <string_view>
#include <unistd.h>

namespace chargifyd::ctl {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr double default_interval_seconds = 2;

/// What `status` shows, as columns and cells that grow together.
class report {
public:
    void add(const std::string& name, cell value, kind what = kind::text)
    {
        columns_.emplace_back(name, what);
        cells_.push_back(std::move(value));
    }
    void number(const std::string& name, std::uint64_t value)
    {
        add(name, static_cast<std::int64_t>(value), kind::integer);
    }
    const std::vector<column>& columns() const noexcept { return columns_; }
    void write(output& to) const { write_object(to, columns_, cells_); }
    void write(row_writer& to) const
    {
        to.row(cells_);
        to.flush();
    }

private:
    std::vector<column> columns_;
    std::vector<cell> cells_;
};

std::uint64_t bytes_of(const fs::path& file)
{
    std::error_code none;
    const auto size = fs::file_size(file, none);
    return none ? 0 : size;
}

/// What the daemon says of itself; null when none runs.
json ask_daemon(context& ctx)
{
    const auto answer = call_daemon(ctx, "GET", "/readyz");
    return answer ? json::parse(*answer, nullptr, false) : json();
}

/// How far the daemon's own rebuild after an upgrade is; empty when there is none.
cell rebuilding(const json& daemon)
{
    const auto found = daemon.find("rebuilding");
    if (found == daemon.end() || !found->is_object())
        return {};
    std::string text = std::to_string(found->value("done", std::uint64_t{0})) + " of " +
                       std::to_string(found->value("total", std::uint64_t{0}));
    if (const std::string failure = found->value("failure", std::string()); !failure.empty())
        text += "; " + failure;
    return text;
}

void add_daemon(report& r, const fs::path& directory, const json& daemon)
{
    const pid_t pid = journal::directory_lock::holder(directory);
    r.add("daemon", std::string(pid == 0 ? "stopped" : "running"));
    r.add("pid", pid == 0 ? cell() : cell(static_cast<std::int64_t>(pid)), kind::integer);
    if (!daemon.is_object()) {
        r.add("ready", pid == 0 ? cell(false) : cell(), kind::flag);
        r.add("reasons", cell());
        r.add("rebuilding", cell());
        return;
    }
    r.add("ready", daemon.value("ready", false), kind::flag);
    std::string reasons;
    for (const json& reason : daemon.value("reasons", json::array()))
        reasons += (reasons.empty() ? "" : "; ") + reason.get<std::string>();
    r.add("reasons", reasons.empty() ? cell() : cell(reasons));
    r.add("rebuilding", rebuilding(daemon));
}

state::state_reader* open_if_there(std::optional<state::state_reader>& state, const fs::path& file)
{
    auto opened = state::state_reader::open(file);
    if (!opened && opened.error().code != errc::not_found)
        throw failure(opened.error());
    if (opened)
        state.emplace(std::move(*opened));
    return state ? &*state : nullptr;
}

/// The sites as an array of objects, for JSON.
std::string sites_as_json(state::state_reader& state)
{
    std::vector<std::string> names;
    json all = json::array();
    const auto done = state.run(
        state::summary_by_site(),
        [&](std::span<const state::result_column> columns) {
            for (const auto& c : columns)
                names.push_back(c.name);
        },
        [&](std::span<const state::value> row) {
            json site;
            for (std::size_t i = 0; i < row.size(); ++i)
                std::visit(
                    [&](const auto& v) {
                        if constexpr (!std::is_same_v<std::decay_t<decltype(v)>, std::monostate>)
                            site[names[i]] = v;
                    },
                    row[i]);
            all.push_back(std::move(site));
            return true;
        });
    if (!done)
        throw failure(done.error());
    return all.dump();
}

/// One look.
struct seen {
    report facts;
    std::optional<state::state_reader> state;
    std::uint64_t journalled = 0;
    std::uint64_t applied = 0;
    std::chrono::steady_clock::time_point at = std::chrono::steady_clock::now();
};

seen look(context& ctx)
{
    const fs::path directory = ctx.state_directory();
    const json daemon = ask_daemon(ctx);
    const auto found = value_or_fail(
        journal::verify(directory / pipeline::journal_directory_name, journal::real_file_system(), false));
    seen out;
    state::state_reader* const state = open_if_there(out.state, directory / state::state_file_name);
    if (found.id.empty() && state == nullptr)
        throw failure(exit_code::not_found, "there is neither a journal nor a state in " +
                                                directory.string() +
                                                "; has chargifyd run with this state directory?");
    out.journalled = found.last_sequence;
    out.applied = state != nullptr ? value_or_fail(state->cursor()) : 0;
    report& r = out.facts;
    add_daemon(r, directory, daemon);
    r.number("journal_sequence", found.last_sequence);
    r.number("applied_sequence", out.applied);
    // The journal was read before the state, which may be ahead of it by now.
    r.number("apply_lag_webhooks", found.last_sequence - std::min(out.applied, found.last_sequence));
    r.add("apply_lag_seconds", daemon.is_object() ? cell(daemon.value("apply_lag_seconds", 0.0)) : cell(),
          kind::real);
    r.number("journal_segments", found.segments.size());
    r.number("journal_bytes", found.bytes);
    r.number("journal_problems", found.problems.size());
    r.number("state_bytes", bytes_of(directory / state::state_file_name));
    r.number("state_wal_bytes", bytes_of(directory / (std::string(state::state_file_name) + "-wal")));
    return out;
}

void add_sites(context& ctx, seen& what)
{
    if (what.state && ctx.out().how() != form::table)
        what.facts.add("sites", sites_as_json(*what.state), kind::json);
}

void write_site_table(context& ctx, seen& what)
{
    if (!what.state || ctx.out().how() != form::table)
        return;
    ctx.out().line("");
    write_rows(ctx, *what.state, state::summary_by_site());
}

exit_code status(context& ctx)
{
    seen now = look(ctx);
    add_sites(ctx, now);
    now.facts.write(ctx.out());
    write_site_table(ctx, now);
    return exit_code::done;
}

// -- --watch

/// How fast a number grew between two looks; NULL at the first.
cell rate(std::uint64_t before, std::uint64_t now, std::chrono::steady_clock::duration took)
{
    const double seconds = std::chrono::duration<double>(took).count();
    // A state that is made anew begins below what it was.
    return seconds > 0 ? cell(static_cast<double>(now - std::min(before, now)) / seconds) : cell();
}

/// Waits for the next look; ends the command when nobody reads any more.
void wait_while_read(std::chrono::milliseconds wait)
{
    const auto until = std::chrono::steady_clock::now() + wait;
    for (;;) {
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
        pollfd stdout_end{STDOUT_FILENO, 0, 0};
        const int got = ::poll(&stdout_end, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
        if (got > 0)
            throw reader_gone();
        if (got == 0)
            return;
    }
}

/// The cursor to the first place, and everything behind it away.
constexpr const char* redraw = "\x1b[H\x1b[J";

[[noreturn]] void watch(context& ctx, double every_seconds)
{
    const auto every =
        std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::duration<double>(every_seconds));
    const char* const term = std::getenv("TERM");
    const bool redraws = ctx.out().is_terminal() && term != nullptr && std::string_view(term) != "dumb";
    std::optional<row_writer> rows;
    std::optional<seen> before;
    for (;;) {
        seen now = look(ctx);
        const seen& last = before ? *before : now;
        now.facts.add("webhooks_per_second", rate(last.journalled, now.journalled, now.at - last.at),
                      kind::real);
        now.facts.add("applied_per_second", rate(last.applied, now.applied, now.at - last.at), kind::real);
        add_sites(ctx, now);
        if (ctx.out().how() == form::table) {
            ctx.out().write(redraws ? redraw : before ? "\n" : "");
            now.facts.write(ctx.out());
            write_site_table(ctx, now);
        } else {
            if (!rows)
                rows.emplace(ctx.out(), now.facts.columns(), row_writer::length::endless);
            now.facts.write(*rows);
        }
        ctx.out().flush();
        before.emplace(std::move(now));
        before->state.reset(); // an open reader would hold a moment of the state
        wait_while_read(every);
    }
}

} // namespace

void add_status(CLI::App& app, context& ctx)
{
    const auto every = std::make_shared<double>(default_interval_seconds);
    const auto watches = std::make_shared<CLI::Option*>(nullptr);
    CLI::App& command = add_command(
        app, ctx, "status", "Is the daemon up, is it keeping up, the last webhook of each site",
        "Works without a daemon too. --watch goes on until Ctrl-C, and adds how fast webhooks come and are "
        "applied;\npiped it writes one JSON object to a line.\n\n"
        "Examples:\n"
        "  chargifyctl status\n"
        "  chargifyctl status --json\n"
        "  chargifyctl status --watch\n"
        "  chargifyctl status --watch 10 >> status.jsonl",
        [every, watches](context& c) {
            if ((*watches)->count() > 0)
                watch(c, *every);
            return status(c);
        });
    *watches = command.add_option("--watch", *every, "Look again every so many seconds (2)")
                   ->type_name("SECONDS")
                   ->expected(0, 1)
                   ->default_str(std::to_string(default_interval_seconds))
                   ->check(CLI::Range(0.1, 86400.0));
}

} // namespace chargifyd::ctl
