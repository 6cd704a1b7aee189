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

namespace chargifyd::ctl {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

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
    void write(output& to) const { write_object(to, columns_, cells_); }

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

exit_code status(context& ctx)
{
    const fs::path directory = ctx.state_directory();
    const json daemon = ask_daemon(ctx);
    const auto found = value_or_fail(
        journal::verify(directory / pipeline::journal_directory_name, journal::real_file_system(), false));
    std::optional<state::state_reader> opened;
    state::state_reader* const state = open_if_there(opened, directory / state::state_file_name);
    if (found.id.empty() && state == nullptr)
        throw failure(exit_code::not_found, "there is neither a journal nor a state in " +
                                                directory.string() +
                                                "; has chargifyd run with this state directory?");
    const std::uint64_t applied = state != nullptr ? value_or_fail(state->cursor()) : 0;
    report r;
    add_daemon(r, directory, daemon);
    r.number("journal_sequence", found.last_sequence);
    r.number("applied_sequence", applied);
    // The journal was read before the state, which may be ahead of it by now.
    r.number("apply_lag_webhooks", found.last_sequence - std::min(applied, found.last_sequence));
    r.add("apply_lag_seconds", daemon.is_object() ? cell(daemon.value("apply_lag_seconds", 0.0)) : cell(),
          kind::real);
    r.number("journal_segments", found.segments.size());
    r.number("journal_bytes", found.bytes);
    r.number("journal_problems", found.problems.size());
    r.number("state_bytes", bytes_of(directory / state::state_file_name));
    r.number("state_wal_bytes", bytes_of(directory / (std::string(state::state_file_name) + "-wal")));
    if (state != nullptr && ctx.out().how() != form::table)
        r.add("sites", sites_as_json(*state), kind::json);
    r.write(ctx.out());
    if (state != nullptr && ctx.out().how() == form::table) {
        ctx.out().line("");
        write_rows(ctx, *state, state::summary_by_site());
    }
    return exit_code::done;
}

} // namespace

void add_status(CLI::App& app, context& ctx)
{
    add_command(app, ctx, "status", "Is the daemon up, is it keeping up, the last webhook of each site",
                "Works without a daemon too.\n\n"
                "Examples:\n"
                "  chargifyctl status\n"
                "  chargifyctl status --json",
                status);
}

} // namespace chargifyd::ctl
