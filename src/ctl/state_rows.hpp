#pragma once

#include "ctl/context.hpp"

#include "chargifyd/state/list.hpp"
#include "chargifyd/state/queries.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
} // namespace CLI

namespace chargifyd::ctl {

/// The state file of the context's state directory, read-only.
state::state_reader open_state(context& ctx);

/// Writes what queries find, as it comes.
class state_rows {
public:
    /// In a table only the columns `in_table` are written (none: all).
    explicit state_rows(context& ctx, std::vector<std::string> in_table = {},
                        row_writer::length how_long = row_writer::length::finite)
        : ctx_(ctx)
        , in_table_(std::move(in_table))
        , length_(how_long)
    {}

    /// What a query reports first; only the first time counts.
    void columns(std::span<const state::result_column> found);
    void row(std::span<const state::value> values);
    void flush();
    /// Completes the output. Returns how many rows there were.
    std::size_t finish();

private:
    context& ctx_;
    std::vector<std::string> in_table_;
    row_writer::length length_;
    std::vector<std::size_t> places_; ///< of the columns that are written
    std::optional<row_writer> rows_;
    std::size_t count_ = 0;
};

/// Writes the rows of a query. Returns how many there were.
std::size_t write_rows(context& ctx, state::state_reader& from, const state::query& q,
                       std::vector<std::string> in_table = {});

/// --after and --limit of a list.
struct page_options {
    std::string after;
    std::uint64_t limit = 0; ///< 0: all
};
void add_page_options(CLI::App& command, page_options& with);

/// Reads a list, a page at a time. When the limit ends it, stderr says how to go on.
void read_list(context& ctx, state::state_reader& from, const state::list& what, const page_options& with,
               const state::columns_fn& on_columns, const state::each_row_fn& on_row);
/// Writes a list. Returns how many rows there were.
std::size_t write_list(context& ctx, state::state_reader& from, const state::list& what,
                       const page_options& with, std::vector<std::string> in_table = {});

/// Writes an object and what belongs to it: in JSON and CSV as further values of the one object, in a table
/// as tables below it. Fails with not_found when the object is gone.
void write_with_sections(context& ctx, state::state_reader& from, const state::query& object,
                         const std::vector<state::section>& sections);

/// A column of a query, as the output wants it.
column to_column(const state::result_column& c);
cell to_cell(const state::value& v);

/// When run by root, goes on as the owner of the state directory: what is written there must belong to the
/// daemon's user. Read the configuration first: that user may not be allowed to.
void become_owner(const std::filesystem::path& state_directory);

} // namespace chargifyd::ctl
