#pragma once

#include "chargifyd/base/error.hpp"

#include <cstddef>
#include <filesystem>
#include <string>

namespace chargifyd {

/// The whole of a small file: a configuration, a key, a certificate. Fails when it is longer than `limit`
/// bytes.
result<std::string> read_small_file(const std::filesystem::path& path, std::size_t limit = 1024 * 1024);

} // namespace chargifyd
