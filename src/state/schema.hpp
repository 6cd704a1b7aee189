#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace chargifyd::state {

/// The whole schema, version `schema_version`, as statements to be executed on an empty database.
const std::string& schema_sql();

/// The definition of one column of an object table, without NOT NULL; nothing for any other.
std::optional<std::string> column_definition(std::string_view table, std::string_view column);

} // namespace chargifyd::state
