#pragma once

#include "ctl/context.hpp"

#include "chargifyd/state/queries.hpp"

#include <cstddef>
#include <filesystem>

namespace chargifyd::ctl {

/// The state file of the context's state directory, read-only.
state::state_reader open_state(context& ctx);

/// Writes the rows of a query. Returns how many there were.
std::size_t write_rows(context& ctx, state::state_reader& from, const state::query& q);

/// Writes the one row of a query as an object; fails with not_found and `missing` when there is none.
void write_one(context& ctx, state::state_reader& from, const state::query& q, const std::string& missing);

/// A column of a query, as the output wants it.
column to_column(const state::result_column& c);
cell to_cell(const state::value& v);

/// When run by root, goes on as the owner of the state directory: what is written there must belong to the
/// daemon's user. Read the configuration first: that user may not be allowed to.
void become_owner(const std::filesystem::path& state_directory);

} // namespace chargifyd::ctl
