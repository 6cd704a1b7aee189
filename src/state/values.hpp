#pragma once

#include "chargifyd/sqlite/database.hpp"
#include "chargifyd/state/tables.hpp"

/// Values on their way into a statement and out of a row.
namespace chargifyd::state {

/// Into a `sqlite::statement::run` or a `sqlite::inserter`, which copies; a run does not.
template <class Sink>
void bind_value(Sink& into, const value& v)
{
    if (const auto* const number = std::get_if<std::int64_t>(&v))
        into.bind(*number);
    else if (const auto* const text = std::get_if<std::string>(&v))
        into.bind(std::string_view(*text));
    else
        into.bind_null();
}

inline value value_at(const sqlite::statement::run& row, int column)
{
    if (row.is_null(column))
        return {};
    if (row.is_integer(column))
        return row.integer(column);
    return std::string(row.text(column));
}

} // namespace chargifyd::state
