#pragma once

#include "chargifyd/base/error.hpp"
#include "chargifyd/sqlite/database.hpp"
#include "chargifyd/state/tables.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace chargifyd::state {

/// SQL made here, with values only as parameters.
struct query {
    std::string sql;
    std::vector<value> parameters;
    bool with_words = false; ///< rows of `changes`: each gets a last column `text`, the fact in words
};

struct result_column {
    std::string name;
    column_kind kind;
};

/// Called once, before the rows.
using columns_fn = std::function<void(std::span<const result_column>)>;
/// Called with each row, until it returns false.
using row_fn = std::function<bool(std::span<const value>)>;

/// A reader of a state file, read-only. One thread.
class state_reader {
public:
    /// errc::not_found: no such file. errc::invalid, errc::corrupt: not a state file that this version can
    /// read.
    static result<state_reader> open(const std::filesystem::path& file);

    /// From now on a statement that runs longer than this ends with errc::unavailable.
    void limit_time(std::chrono::milliseconds each) { limit_ = each; }
    /// All that is read from now on is of one moment. For a few quick statements: while it lasts, the
    /// writer's log grows.
    result<void> hold_moment();

    /// Errors: errc::io, errc::corrupt, errc::unavailable.
    result<void> run(const query& q, const columns_fn& on_columns, const row_fn& on_row);
    /// The first column of the first row, if there is a row.
    result<std::optional<value>> first(const query& q);

    /// How far the journal is applied, and which journal that is.
    result<std::uint64_t> cursor();
    result<std::string> journal_id();
    /// The sites of which something was received, in order.
    result<std::vector<std::string>> sites();
    /// Webhooks from this number on were received at that time (`YYYY-MM-DDTHH:MM:SSZ`) or later. Relies on a
    /// clock that did not go backwards while webhooks came.
    result<std::int64_t> first_sequence_since(const std::string& time);
    /// SQLite's own full check: empty when sound.
    result<std::vector<std::string>> integrity_problems();

private:
    state_reader(std::filesystem::path file, sqlite::database db);
    std::filesystem::path file_;
    sqlite::database db_;
    std::optional<std::chrono::milliseconds> limit_;
};

} // namespace chargifyd::state
