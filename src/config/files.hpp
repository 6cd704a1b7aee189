#pragma once

#include "chargifyd/base/error.hpp"
#include "chargifyd/base/secret.hpp"

#include <filesystem>
#include <string>
#include <string_view>

namespace chargifyd::config {

/// The file that a text in the configuration names: a path, from the configuration's folder on, or
/// `credential:NAME`, a credential that the service manager passes.
std::filesystem::path named_file(const std::filesystem::path& folder, std::string_view text);

/// A file that can be read.
struct readable_file {
    bool open_to_all = false; ///< any user of the machine may read it
};

/// Whether this process can read the file. The error is the bare reason ("No such file or directory"),
/// without the path: what stands where a path should be may be a key.
result<readable_file> check_readable(const std::filesystem::path& path);

/// The one line of a key file, white space around it removed. The error is the bare reason, as above.
result<secret> read_secret(const std::filesystem::path& path);

/// `text` without blanks, tabs and line ends at both ends.
std::string_view trimmed(std::string_view text) noexcept;

/// The text of a mistake for a named file that cannot be read. A text that does not look like a path is not
/// repeated: it may be the secret itself, written in the wrong place.
std::string unreadable(std::string_view path_as_written, std::string_view reason);

/// The text of a warning for a file with a secret that every user of the machine may read.
std::string open_to_all(const std::filesystem::path& path);

} // namespace chargifyd::config
