#pragma once

#include "journal/format.hpp"
#include "journal/source.hpp"

#include "chargifyd/base/error.hpp"

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace chargifyd::journal {

/// Goes through a segment batch by batch. The source outlives it. One thread at a time.
class scanner {
public:
    enum class found {
        batch,   ///< a whole one
        nothing, ///< nothing good here, and nothing says that there ever was: the end of what was written
        damage,  ///< bytes that were durable are not what was written
    };

    /// Stands behind the segment's header. In a `complete` segment everything up to the seal was durable.
    scanner(source& from, const format::segment_header& header, bool complete);

    /// Looks at the batch at `offset()` and, when it is good, steps behind it. The payload of a batch with no
    /// sequence from `wanted` on is not looked at. May be called again after `nothing`: a writer may have
    /// come by meanwhile. Telling `nothing` from `damage` takes a look at the rest of the file; without
    /// `search` it is `nothing`.
    result<found> next(std::uint64_t wanted = 0, bool search = true);

    /// The batch that `next` found; its payload is empty when it was not looked at. Valid until the next
    /// call.
    const format::batch_header& header() const noexcept { return header_; }
    std::string_view payload() const noexcept { return payload_; }

    std::uint64_t offset() const noexcept { return offset_; }
    std::uint64_t next_sequence() const noexcept { return next_sequence_; }
    /// What is wrong at `offset()`, after `damage`.
    const std::string& why() const noexcept { return why_; }
    /// Where the bytes end that are not zero, after `nothing`.
    std::uint64_t written_end() const noexcept { return written_end_; }
    /// For a segment that turns out to have a successor: it must be complete then.
    void expect_complete() noexcept { complete_ = true; }

private:
    result<bool> try_batch(std::uint64_t wanted);
    result<std::string_view> bytes_at(std::uint64_t offset, std::size_t count);
    result<void> fill_buffer(std::size_t count);
    result<std::optional<std::uint64_t>> look_behind();
    void forget_from(std::uint64_t offset) noexcept;

    source* from_;
    std::uint64_t salt_;
    bool complete_;
    std::uint64_t offset_ = format::header_bytes;
    std::uint64_t next_sequence_;
    std::optional<std::uint64_t> searched_; ///< nothing behind this offset says that there was a batch
    std::uint64_t written_end_ = 0;
    format::batch_header header_;
    std::string_view payload_;
    std::string why_;
    std::vector<char> buffer_;
    std::uint64_t buffer_offset_ = 0;
    std::size_t buffered_ = 0;
};

} // namespace chargifyd::journal
