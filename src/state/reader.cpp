#include "chargifyd/state/reader.hpp"

#include "column_kinds.hpp"
#include "open_state.hpp"
#include "values.hpp"

#include "chargifyd/state/words.hpp"

#include <utility>

namespace chargifyd::state {

namespace {

void bind_all(sqlite::statement::run& rows, const std::vector<value>& parameters)
{
    for (const value& v : parameters)
        bind_value(rows, v);
}

std::vector<result_column> columns_of(const sqlite::statement::run& rows)
{
    std::vector<result_column> columns;
    for (int i = 0; i < rows.columns(); ++i) {
        const std::string_view name = rows.name(i);
        columns.push_back({std::string(name), kind_of_column(name).value_or(column_kind::text)});
    }
    return columns;
}

/// Runs to the end, or until `on_row` says so.
void run_all(sqlite::database& db, const query& q, const columns_fn& on_columns, const row_fn& on_row)
{
    sqlite::statement prepared(db, q.sql);
    sqlite::statement::run rows(prepared);
    bind_all(rows, q.parameters);
    std::vector<result_column> columns = columns_of(rows);
    const int stored = rows.columns();
    if (q.with_words)
        columns.push_back({"text", column_kind::text});
    if (on_columns)
        on_columns(columns);
    std::vector<value> row(columns.size());
    while (rows.step()) {
        for (int i = 0; i < stored; ++i)
            row[static_cast<std::size_t>(i)] = value_at(rows, i);
        if (q.with_words)
            row.back() = describe(fact(columns, row));
        if (!on_row(row))
            return;
    }
}

} // namespace

state_reader::state_reader(std::filesystem::path file, sqlite::database db)
    : file_(std::move(file))
    , db_(std::move(db))
{}

result<state_reader> state_reader::open(const std::filesystem::path& file)
{
    std::error_code ignored;
    if (!std::filesystem::exists(file, ignored))
        return make_error(errc::not_found,
                          "there is no " + file.string() + "; has chargifyd run with this state directory?");
    try {
        sqlite::database db(file, sqlite::access::read_only);
        if (auto mistake =
                judge_current_state(db, file, db.text("SELECT value FROM meta WHERE key = 'journal_id'")))
            return *mistake;
        return state_reader(file, std::move(db));
    } catch (const sqlite::failure& e) {
        return explain_failure(file, e);
    }
}

result<void> state_reader::hold_moment()
{
    try {
        db_.exec("BEGIN");
        return {};
    } catch (const sqlite::failure& e) {
        return explain_failure(file_, e);
    }
}

result<void> state_reader::run(const query& q, const columns_fn& on_columns, const row_fn& on_row)
{
    try {
        if (limit_)
            db_.set_deadline(std::chrono::steady_clock::now() + *limit_);
        run_all(db_, q, on_columns, on_row);
        return {};
    } catch (const sqlite::failure& e) {
        if (e.out_of_time())
            return make_error(errc::unavailable,
                              "this takes longer than " +
                                  std::to_string(limit_.value_or(std::chrono::milliseconds(0)).count()) +
                                  " ms and was ended; ask for less");
        return explain_failure(file_, e);
    }
}

result<std::optional<value>> state_reader::first(const query& q)
{
    std::optional<value> found;
    const auto done = run(q, {}, [&found](std::span<const value> row) {
        found = row[0];
        return false;
    });
    if (!done)
        return done.error();
    return found;
}

result<std::uint64_t> state_reader::cursor()
{
    const auto found = first({"SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'cursor'", {}});
    if (!found)
        return found.error();
    return *found ? static_cast<std::uint64_t>(std::get<std::int64_t>(**found)) : 0;
}

result<std::string> state_reader::journal_id()
{
    const auto found = first({"SELECT value FROM meta WHERE key = 'journal_id'", {}});
    if (!found)
        return found.error();
    return *found ? std::get<std::string>(**found) : std::string();
}

result<std::vector<std::string>> state_reader::sites()
{
    std::vector<std::string> all;
    const auto done =
        run({"SELECT site FROM sites ORDER BY site", {}}, {}, [&all](std::span<const value> row) {
            all.push_back(std::get<std::string>(row[0]));
            return true;
        });
    if (!done)
        return done.error();
    return all;
}

result<std::int64_t> state_reader::first_sequence_since(const std::string& time)
{
    const auto last = first({"SELECT max(seq) FROM events", {}});
    if (!last)
        return last.error();
    const auto* const newest = *last ? std::get_if<std::int64_t>(&**last) : nullptr;
    std::int64_t low = 1;
    std::int64_t high = newest != nullptr ? *newest + 1 : 1;
    while (low < high) {
        const std::int64_t middle = low + (high - low) / 2;
        std::int64_t found = high; // numbers are missing where a webhook came twice
        bool later = true;
        const auto done = run(
            {"SELECT seq, received_at >= ? FROM events WHERE seq >= ? ORDER BY seq LIMIT 1", {time, middle}},
            {}, [&](std::span<const value> row) {
                found = std::get<std::int64_t>(row[0]);
                later = std::get<std::int64_t>(row[1]) != 0;
                return false;
            });
        if (!done)
            return done.error();
        if (later)
            high = middle;
        else
            low = found + 1;
    }
    return low;
}

result<std::vector<std::string>> state_reader::integrity_problems()
{
    std::vector<std::string> problems;
    const auto done = run({"PRAGMA integrity_check(100)", {}}, {}, [&](std::span<const value> row) {
        const auto* const text = std::get_if<std::string>(&row[0]);
        if (text != nullptr && *text != "ok")
            problems.push_back(*text);
        return true;
    });
    if (!done)
        return done.error();
    return problems;
}

} // namespace chargifyd::state
