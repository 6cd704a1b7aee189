#pragma once

#include "chargifyd/base/error.hpp"
#include "chargifyd/base/secret.hpp"

#include <filesystem>
#include <string>

namespace chargifyd::ctl {

/// Every byte of a file, or of standard input for `-` and for an empty path. At most 64 MiB.
result<std::string> read_input(const std::filesystem::path& path);

/// Whether `read_input` would read standard input.
bool is_standard_input(const std::filesystem::path& path);

/// The key in a file: its one line, without white space around it, as the daemon reads it.
result<secret> read_key_file(const std::filesystem::path& path);

} // namespace chargifyd::ctl
