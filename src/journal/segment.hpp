#pragma once

#include "journal/format.hpp"
#include "journal/survey.hpp"

#include "chargifyd/base/error.hpp"
#include "chargifyd/base/time.hpp"
#include "chargifyd/journal/file_system.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

namespace chargifyd::journal {

/// What a step on a file came to: errno, and which step it was.
struct [[nodiscard]] io_status {
    int code = 0;
    const char* action = "";

    bool failed() const noexcept { return code != 0; }
    /// No room on the disk, or in the quota.
    bool no_space() const noexcept;
};

/// The segment that is being written. After a failure of `write`, `sync`, `seal` or `mark_clean` nothing is
/// known about the file and it must not be written again. One thread at a time.
class active_segment {
public:
    /// Makes a segment of `bytes`, durable with its header and its name. On failure the file may be there in
    /// part; nobody relied on it.
    static io_status create(file_system& files, const std::filesystem::path& directory,
                            const format::segment_header& header, std::uint64_t bytes,
                            std::unique_ptr<active_segment>* made);
    /// Goes on where the last run stopped. `opened` belongs to `tail`, with `bytes` allocated.
    active_segment(std::unique_ptr<file> opened, const segment_tail& tail, std::uint64_t bytes);

    const std::filesystem::path& path() const noexcept { return path_; }
    const format::segment_header& header() const noexcept { return header_; }
    std::uint64_t bytes() const noexcept { return allocated_; }
    /// Bytes that the next batch may have.
    std::uint64_t room() const noexcept;
    /// What `room()` is in a new segment of `bytes`.
    static std::uint64_t room_in(std::uint64_t bytes) noexcept;
    /// How large a segment has to be so that a batch of `batch_bytes` fits.
    static std::uint64_t bytes_for(std::uint64_t batch_bytes) noexcept;

    /// Makes the segment at least so large. Nothing has happened when there is no space for it.
    io_status grow(std::uint64_t bytes);
    /// Writes a batch: records behind space for a header, which this fills in. One write; durable after
    /// `sync`. `batch` is used as scratch space.
    io_status write(std::vector<char>& batch, std::uint64_t first_sequence, std::uint32_t count,
                    timestamp now);
    io_status sync();
    /// Ends the segment for good: seal, length, sync.
    io_status seal(std::uint64_t next_sequence, timestamp now);
    /// Notes that everything here was durable when the writer stopped, unless that is what was noted last.
    io_status mark_clean(std::uint64_t next_sequence, timestamp now);

private:
    active_segment(std::unique_ptr<file> opened, std::filesystem::path path,
                   const format::segment_header& header, std::uint64_t bytes);
    io_status write_marker(format::batch_kind kind, std::uint64_t next_sequence, timestamp now);
    void pad_with_zeros(std::vector<char>& batch) const;

    std::unique_ptr<file> file_;
    std::filesystem::path path_;
    format::segment_header header_;
    std::uint64_t end_;         ///< where the next batch begins; all below is durable
    std::uint64_t allocated_;   ///< length of the file
    std::uint64_t overwritten_; ///< blocks below this were written, so writing them again changes no metadata
    bool unmarked_ = false;     ///< there are records behind the last marker
};

} // namespace chargifyd::journal
