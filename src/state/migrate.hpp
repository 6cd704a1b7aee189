#pragma once

#include "chargifyd/sqlite/database.hpp"

#include <string>
#include <vector>

namespace chargifyd::state {

/// Brings a state file of an older schema to `schema_version`, in one transaction: what is missing is added,
/// a table whose columns have changed is copied into its new form, indexes and views that differ are made
/// anew. Every row stays, so readers find the same content before and after; what only the rules of this
/// version read from the journal is not there yet. Throws sqlite::failure, and has then changed nothing.
void migrate(sqlite::database& db);

/// Takes away the indexes that only queries need: to keep them costs applying a fifth of its time, to make
/// them from the rows afterwards a third of that.
void drop_query_indexes(sqlite::database& db);
/// The statements that make the indexes of the schema that are not there.
std::vector<std::string> missing_indexes(sqlite::database& db);

} // namespace chargifyd::state
