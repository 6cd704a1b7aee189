#pragma once

#include "chargifyd/base/error.hpp"
#include "chargifyd/journal/file_system.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

/// The names of the files in a journal directory.
namespace chargifyd::journal {

std::filesystem::path raw_path(const std::filesystem::path& directory, std::uint64_t first_sequence);
std::filesystem::path compressed_path(const std::filesystem::path& directory, std::uint64_t first_sequence);
/// Where a compressed segment is made before it gets its name.
std::filesystem::path temporary_path(const std::filesystem::path& directory, std::uint64_t first_sequence);

/// The files of one segment. With both, the compressed one is complete and the raw one is about to go.
struct segment_names {
    std::uint64_t first_sequence = 0;
    bool raw = false;
    bool compressed = false;
};

struct listing {
    std::vector<segment_names> segments; ///< oldest first
    std::vector<std::string> leftovers;  ///< unfinished compressed copies
};

/// Empty for a directory that does not exist. Names of other kinds are nobody's business.
result<listing> list_journal(file_system& files, const std::filesystem::path& directory);

/// "cannot read FILE: Input/output error"; errc::not_found for ENOENT.
error file_error(int errno_value, std::string_view action, const std::filesystem::path& path);

/// "FILE: damaged at offset 4096: why"
std::string damage(const std::filesystem::path& path, std::uint64_t offset, std::string_view why);

} // namespace chargifyd::journal
