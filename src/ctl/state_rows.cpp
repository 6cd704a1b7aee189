#include "ctl/state_rows.hpp"

#include "chargifyd/state/sqlite_store.hpp"

#include <grp.h>
#include <optional>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace chargifyd::ctl {

state::state_reader open_state(context& ctx)
{
    return value_or_fail(state::state_reader::open(ctx.state_directory() / state::state_file_name));
}

column to_column(const state::result_column& c)
{
    if (c.name == "attributes")
        return {c.name, kind::json};
    switch (c.kind) {
    case state::column_kind::integer:
        return {c.name, kind::integer};
    case state::column_kind::text:
        return {c.name, kind::text};
    case state::column_kind::time:
        return {c.name, kind::time};
    case state::column_kind::flag:
        return {c.name, kind::flag};
    }
    return {c.name};
}

cell to_cell(const state::value& v)
{
    if (const auto* number = std::get_if<std::int64_t>(&v))
        return *number;
    if (const auto* text = std::get_if<std::string>(&v))
        return *text;
    return {};
}

namespace {

std::vector<cell> to_cells(std::span<const state::value> row)
{
    std::vector<cell> cells;
    cells.reserve(row.size());
    for (const state::value& v : row)
        cells.push_back(to_cell(v));
    return cells;
}

std::vector<column> to_columns(std::span<const state::result_column> from)
{
    std::vector<column> columns;
    for (const state::result_column& c : from)
        columns.push_back(to_column(c));
    return columns;
}

} // namespace

std::size_t write_rows(context& ctx, state::state_reader& from, const state::query& q)
{
    std::optional<row_writer> rows;
    std::size_t count = 0;
    const auto done = from.run(
        q,
        [&](std::span<const state::result_column> columns) { rows.emplace(ctx.out(), to_columns(columns)); },
        [&](std::span<const state::value> row) {
            rows->row(to_cells(row));
            ++count;
            return true;
        });
    if (!done)
        throw failure(done.error());
    rows->finish();
    return count;
}

void write_one(context& ctx, state::state_reader& from, const state::query& q, const std::string& missing)
{
    std::vector<column> columns;
    std::vector<cell> cells;
    const auto done = from.run(
        q, [&](std::span<const state::result_column> found) { columns = to_columns(found); },
        [&](std::span<const state::value> row) {
            cells = to_cells(row);
            return false;
        });
    if (!done)
        throw failure(done.error());
    if (cells.empty())
        throw failure(exit_code::not_found, missing);
    write_object(ctx.out(), columns, cells);
}

void become_owner(const std::filesystem::path& state_directory)
{
    ::umask(0027);
    struct stat owner {};
    if (::geteuid() != 0 || ::stat(state_directory.c_str(), &owner) != 0 || owner.st_uid == 0)
        return;
    if (::setgroups(0, nullptr) != 0 || ::setgid(owner.st_gid) != 0 || ::setuid(owner.st_uid) != 0)
        throw failure(exit_code::failed, "cannot go on as the owner of " + state_directory.string());
}

} // namespace chargifyd::ctl
