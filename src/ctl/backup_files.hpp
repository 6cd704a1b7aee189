#pragma once

#include "chargifyd/base/digest.hpp"
#include "chargifyd/base/error.hpp"

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

/// A file of a backup.
struct summed_file {
    std::string path; ///< relative to the backup
    digest256 digest{};
};
std::string format_sums(const std::vector<summed_file>& files);
/// errc::corrupt: not a list of a backup's files; one that names a file elsewhere is none.
result<std::vector<summed_file>> parse_sums(std::string_view text);

} // namespace chargifyd::ctl
