#pragma once

#include "journal/format.hpp"

#include "chargifyd/base/error.hpp"
#include "chargifyd/journal/journal.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace chargifyd::journal {

/// How the newest segment ends, as long as it is a raw file.
struct segment_tail {
    std::filesystem::path path;
    format::segment_header header;
    std::uint64_t end = 0;         ///< behind the last good batch
    std::uint64_t proven = 0;      ///< nothing says that the bytes from here to `end` ever reached the disk
    std::uint64_t written_end = 0; ///< bytes from `end` to here are a torn batch
    std::uint64_t file_bytes = 0;
    bool sealed = false;
    bool clean = false; ///< ends with the mark of an orderly stop
};

/// What is in a journal directory.
struct survey {
    std::optional<format::journal_id> id; ///< nothing: no segment yet
    std::vector<segment_info> segments;   ///< oldest first
    std::uint64_t next_sequence = 1;
    std::optional<segment_tail> tail; ///< nothing: the newest segment is compressed, or there is none
    std::vector<std::string> problems;
    std::vector<std::filesystem::path> leftovers; ///< files that a crash left behind and that mean nothing
};

struct survey_options {
    /// Sealed segments are checked byte for byte, newest first, up to so many uncompressed bytes; of the
    /// others both ends and the length are checked. The newest segment is always checked whole.
    std::uint64_t verify_bytes = 0;
    std::function<void(const format::record_view&)> on_record; ///< every record that was checked, in order
    std::function<void(std::uint64_t done, std::uint64_t total)> progress; ///< of the bytes to be checked
};

/// Changes nothing. errc::not_found when a file went away meanwhile (another process compresses or deletes).
result<survey> survey_journal(file_system& files, const std::filesystem::path& directory,
                              const survey_options& with);

} // namespace chargifyd::journal
