#pragma once

#include "chargifyd/state/queries.hpp"

#include <nlohmann/json_fwd.hpp>

#include <span>
#include <vector>

/// Rows as JSON: numbers are numbers, flags true and false, NULL null, decimals strings (so that none is
/// rounded), and `attributes` an object.
namespace chargifyd::state {

nlohmann::ordered_json to_json(std::span<const result_column> columns, std::span<const value> row);

/// Reads a section: an array of objects, or of a single one the object or null.
result<void> read_json(state_reader& from, const section& shown, nlohmann::ordered_json& into);

} // namespace chargifyd::state
