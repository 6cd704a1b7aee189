#pragma once

#include "journal/format.hpp"
#include "journal/names.hpp"

#include "chargifyd/base/error.hpp"
#include "chargifyd/journal/file_system.hpp"
#include "chargifyd/journal/journal.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>

namespace chargifyd::journal {

/// The bytes of a segment as they were written, whether the file is compressed or not. One thread at a time.
class source {
public:
    virtual ~source() = default;
    source(const source&) = delete;
    source& operator=(const source&) = delete;

    /// Fewer than asked for only at the end. A compressed segment is read fast in ascending order only.
    /// errc::corrupt: the compressed bytes are damaged.
    virtual result<std::size_t> read(std::span<char> into, std::uint64_t offset) = 0;

protected:
    source() = default;
};

/// A segment opened for reading, and what its two ends say. Opening succeeds on damaged ends, they are just
/// missing.
struct segment_file {
    std::filesystem::path path;
    std::uint64_t first_sequence = 0; ///< by its name; the header must agree
    bool compressed = false;
    std::uint64_t file_bytes = 0;    ///< on disk
    std::uint64_t content_bytes = 0; ///< uncompressed
    std::unique_ptr<source> content;
    std::optional<format::segment_header> header;
    std::optional<format::batch_header> seal; ///< in the last bytes; a segment that is being written has none

    /// As the header and the seal tell it.
    segment_info info() const;
};

/// Takes the compressed file when there is one. errc::not_found when the file has gone since it was listed;
/// errc::invalid when it was written by a newer version.
result<segment_file> open_segment(file_system& files, const std::filesystem::path& directory,
                                  const segment_names& names);

} // namespace chargifyd::journal
