#pragma once

#include "chargifyd/config/settings.hpp"

#include <filesystem>

namespace chargifyd::app {

/// Runs the daemon until a signal ends it or its storage fails. Returns the process's exit status.
int run_daemon(const std::filesystem::path& config_file, config::settings with);

} // namespace chargifyd::app
