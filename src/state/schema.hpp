#pragma once

#include <string>

namespace chargifyd::state {

/// The whole schema, version `schema_version`, as statements to be executed on an empty database.
const std::string& schema_sql();

} // namespace chargifyd::state
