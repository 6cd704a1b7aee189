#pragma once

#include "chargifyd/base/error.hpp"
#include "chargifyd/sqlite/database.hpp"
#include "chargifyd/state/options.hpp"

#include <filesystem>
#include <optional>
#include <string>

namespace chargifyd::state {

/// Opens a state file for writing: makes or migrates it, or says why it may not be used. Throws
/// sqlite::failure.
result<sqlite::database> open_state(const std::filesystem::path& file, const std::string& journal_id,
                                    const options& with);

/// Whether an open database is a state file of this schema or an older one, and of that journal; the reason
/// when it is not.
std::optional<error> judge_state(sqlite::database& db, const std::filesystem::path& file,
                                 const std::string& journal_id);
/// The same, and an older schema is no good either: for those who do not migrate it.
std::optional<error> judge_current_state(sqlite::database& db, const std::filesystem::path& file,
                                         const std::string& journal_id);

/// `meta.projection`; 0 when there is none.
int read_projection(sqlite::database& db);
void write_projection(sqlite::database& db, int made_by);

/// Fills the table behind `subscription_access`.
void write_access_states(sqlite::database& db, const options& with);

/// A failure of SQLite as a message for the operator.
error explain_failure(const std::filesystem::path& file, const sqlite::failure& e);

} // namespace chargifyd::state
