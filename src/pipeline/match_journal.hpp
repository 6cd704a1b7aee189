#pragma once

#include "chargifyd/base/error.hpp"
#include "chargifyd/journal/journal.hpp"
#include "chargifyd/state/options.hpp"
#include "chargifyd/state/sqlite_store.hpp"

#include <filesystem>

namespace chargifyd::pipeline {

/// Whether the state can go on with the journal. One that ends before the journal begins is taken from the
/// snapshot that retention made; one that is ahead of the journal is refused (errc::corrupt).
result<void> match_journal(const std::filesystem::path& directory, state::sqlite_store& store,
                           const journal::log& inbox, const state::options& state_with);

} // namespace chargifyd::pipeline
