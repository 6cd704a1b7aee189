#pragma once

#include "chargifyd/base/digest.hpp"
#include "chargifyd/base/error.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What a whole backup is made of. It is laid out as a state directory, with the configuration beside it.
namespace chargifyd::ctl {

/// The files with their SHA-256, as sha256sum(1) writes and checks them. A backup without it is none.
inline constexpr const char* sums_name = "SHA256SUMS";
/// Facts about the backup, for people and scripts.
inline constexpr const char* facts_name = "backup.json";
inline constexpr const char* configuration_name = "chargifyd.toml";

/// A file of a journal, by its name.
struct segment_name {
    std::uint64_t first_sequence = 0;
    bool compressed = false;
};
/// Nothing: another file, or one that is being made.
std::optional<segment_name> parse_segment_name(std::string_view name) noexcept;
std::string format_segment_name(const segment_name& name);

/// A file of a backup.
struct summed_file {
    std::string path; ///< relative to the backup
    digest256 digest{};
};
std::string format_sums(const std::vector<summed_file>& files);
/// errc::corrupt: not a list of a backup's files; one that names a file elsewhere is none.
result<std::vector<summed_file>> parse_sums(std::string_view text);

} // namespace chargifyd::ctl
