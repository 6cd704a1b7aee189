#pragma once

#include "chargifyd/base/error.hpp"
#include "chargifyd/journal/journal.hpp"
#include "chargifyd/pipeline/options.hpp"
#include "chargifyd/state/options.hpp"

#include <cstdint>
#include <filesystem>
#include <stop_token>

namespace chargifyd::pipeline {

/// Applies to the rebuilt file what the state has beyond it, up to `applied`, so that who reads the state
/// never sees it go back when the file takes its place. errc::not_found: there is none; errc::invalid:
/// another version made it; errc::unavailable: stopped.
result<void> catch_up(const std::filesystem::path& state_directory, const options& with,
                      const state::options& state_with, journal::log& inbox, std::uint64_t applied,
                      const std::stop_token& stop);

} // namespace chargifyd::pipeline
