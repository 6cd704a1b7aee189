#include "ctl/state_rows.hpp"

#include "chargifyd/state/json.hpp"
#include "chargifyd/state/sqlite_store.hpp"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

namespace chargifyd::ctl {

namespace {

/// Rows are read so many at a time.
constexpr std::uint64_t page_rows = 1000;

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
    case state::column_kind::decimal: // text in JSON too: a number there would be rounded by readers
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

void state_rows::columns(std::span<const state::result_column> found)
{
    if (rows_)
        return;
    std::vector<column> shown;
    for (std::size_t i = 0; i < found.size(); ++i) {
        const bool hidden = ctx_.out().how() == form::table && !in_table_.empty() &&
                            std::ranges::find(in_table_, found[i].name) == in_table_.end();
        if (hidden)
            continue;
        places_.push_back(i);
        shown.push_back(to_column(found[i]));
    }
    rows_.emplace(ctx_.out(), std::move(shown), length_);
}

void state_rows::row(std::span<const state::value> values)
{
    std::vector<cell> cells;
    for (const std::size_t i : places_)
        cells.push_back(to_cell(values[i]));
    rows_->row(std::move(cells));
    ++count_;
}

void state_rows::flush()
{
    rows_->flush();
}

std::size_t state_rows::finish()
{
    rows_->finish();
    return count_;
}

std::size_t write_rows(context& ctx, state::state_reader& from, const state::query& q,
                       std::vector<std::string> in_table)
{
    state_rows rows(ctx, std::move(in_table));
    const auto done = from.run(
        q, [&rows](std::span<const state::result_column> columns) { rows.columns(columns); },
        [&rows](std::span<const state::value> row) {
            rows.row(row);
            return true;
        });
    if (!done)
        throw failure(done.error());
    return rows.finish();
}

void add_page_options(CLI::App& command, page_options& with)
{
    command.add_option("--limit", with.limit, "At most so many (default: all); stderr says how to go on")
        ->type_name("N");
    command.add_option("--after", with.after, "Go on after this place of the same list")->type_name("PLACE");
}

void read_list(context& ctx, state::state_reader& from, const state::list& what, const page_options& with,
               const state::columns_fn& on_columns, const state::each_row_fn& on_row)
{
    std::uint64_t read = 0;
    std::optional<std::string> position = with.after;
    while (position && (with.limit == 0 || read < with.limit)) {
        const std::uint64_t wanted = with.limit == 0 ? page_rows : std::min(with.limit - read, page_rows);
        position = value_or_fail(
            read_page(from, what, *position, wanted, on_columns, [&](std::span<const state::value> row) {
                on_row(row);
                ++read;
            }));
    }
    if (position)
        ctx.note("there may be more: --after '" + *position + "'");
}

std::size_t write_list(context& ctx, state::state_reader& from, const state::list& what,
                       const page_options& with, std::vector<std::string> in_table)
{
    state_rows rows(ctx, std::move(in_table));
    read_list(
        ctx, from, what, with, [&rows](std::span<const state::result_column> found) { rows.columns(found); },
        [&rows](std::span<const state::value> row) { rows.row(row); });
    return rows.finish();
}

namespace {

/// The one row of a query.
struct one_row {
    std::vector<column> columns;
    std::vector<cell> cells;
};

one_row read_one(state::state_reader& from, const state::query& q)
{
    one_row one;
    const auto done = from.run(
        q, [&one](std::span<const state::result_column> found) { one.columns = to_columns(found); },
        [&one](std::span<const state::value> row) {
            one.cells = to_cells(row);
            return false;
        });
    if (!done)
        throw failure(done.error());
    if (one.cells.empty())
        throw failure(exit_code::not_found, "it was removed a moment ago");
    return one;
}

/// The tables below an object; those without rows are left out.
void write_tables(context& ctx, state::state_reader& from, const std::vector<state::section>& sections)
{
    for (const state::section& s : sections) {
        std::vector<std::vector<cell>> rows;
        std::vector<column> columns;
        const auto done = from.run(
            s.rows, [&columns](std::span<const state::result_column> found) { columns = to_columns(found); },
            [&rows](std::span<const state::value> row) {
                rows.push_back(to_cells(row));
                return true;
            });
        if (!done)
            throw failure(done.error());
        if (rows.empty())
            continue;
        ctx.out().line("");
        ctx.out().write(ctx.out().strong(s.name) + "\n");
        if (s.single) {
            write_object(ctx.out(), columns, rows.front());
            continue;
        }
        row_writer table(ctx.out(), columns);
        for (auto& row : rows)
            table.row(std::move(row));
        table.finish();
    }
}

} // namespace

void write_with_sections(context& ctx, state::state_reader& from, const state::query& object,
                         const std::vector<state::section>& sections)
{
    if (const auto held = from.hold_moment(); !held)
        throw failure(held.error());
    one_row one = read_one(from, object);
    if (ctx.out().how() == form::table) {
        write_object(ctx.out(), one.columns, one.cells);
        write_tables(ctx, from, sections);
        ctx.out().flush();
        return;
    }
    for (const state::section& s : sections) {
        nlohmann::ordered_json rows;
        if (const auto done = state::read_json(from, s, rows); !done)
            throw failure(done.error());
        one.columns.emplace_back(s.name, kind::json);
        one.cells.emplace_back(rows.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
    }
    write_object(ctx.out(), one.columns, one.cells);
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
