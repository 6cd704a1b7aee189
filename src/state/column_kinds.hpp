#pragma once

#include "chargifyd/state/tables.hpp"

#include <optional>
#include <string_view>

namespace chargifyd::state {

/// What a result column of that name holds: a name means the same in every table and query. Nothing for a
/// name that no table and no query has.
std::optional<column_kind> kind_of_column(std::string_view name);

} // namespace chargifyd::state
