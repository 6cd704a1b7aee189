#pragma once

#include "chargifyd/base/digest.hpp"
#include "chargifyd/base/time.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

/// The bytes of a segment (docs/journal-format.md). Pure: no files, no clock. All integers are little-endian,
/// all checksums XXH3-64.
namespace chargifyd::journal::format {

inline constexpr std::size_t header_bytes = 64; ///< of a segment and of a batch
inline constexpr std::size_t alignment = 8;     ///< of batches and records
inline constexpr std::uint32_t version = 1;
inline constexpr std::string_view batch_magic = "CHJB";
inline constexpr std::size_t longest_text = 65535; ///< site, peer
inline constexpr std::size_t longest_body = std::size_t{1} << 30;

using header_block = std::array<char, header_bytes>;
using journal_id = std::array<unsigned char, 16>;

/// The first bytes of every segment.
struct segment_header {
    std::uint32_t version = format::version; ///< a reader must know it before it believes anything else
    std::uint64_t first_sequence = 0;
    timestamp created_at{};
    journal_id id{};        ///< the same in all segments of a journal
    std::uint64_t salt = 0; ///< random; ties batch headers to this segment
};

/// What a batch is for. The two markers have no records; their first_sequence is the next record's.
enum class batch_kind : std::uint32_t {
    data = 0,
    seal = 1,  ///< the segment ends here and is complete
    clean = 2, ///< the writer was stopped in order here; more batches may follow
};

struct batch_header {
    std::uint32_t bytes = 0; ///< header and records
    std::uint64_t first_sequence = 0;
    std::uint32_t count = 0;
    batch_kind kind = batch_kind::data;
    std::uint64_t offset = 0; ///< where in the segment this batch stands
    std::uint64_t durable =
        0; ///< all bytes of the segment below this were durable when this batch was written
    timestamp written_at{};
    std::uint64_t payload_checksum = 0;

    std::uint64_t end_sequence() const noexcept { return first_sequence + count; }
    std::uint64_t end_offset() const noexcept { return offset + bytes; }
};

/// One webhook. The views point into the caller's memory, or into the payload it was decoded from.
struct record_view {
    std::uint64_t sequence = 0;
    timestamp received_at{};
    digest256 fingerprint{};
    std::string_view site;
    std::string_view peer;
    std::string_view body;
};

std::uint64_t checksum(std::string_view bytes, std::uint64_t seed = 0) noexcept;

header_block encode(const segment_header& header) noexcept;
/// Nothing when magic or checksum are wrong. The version is not judged.
std::optional<segment_header> decode_segment_header(std::string_view bytes) noexcept;

header_block encode(const batch_header& header, std::uint64_t salt) noexcept;
/// Nothing unless this is a whole header of the segment with this salt that was written at this very offset.
std::optional<batch_header> decode_batch_header(std::string_view bytes, std::uint64_t salt,
                                                std::uint64_t offset) noexcept;

/// Bytes of a record with these many bytes of site, peer and body together.
std::size_t record_bytes(std::size_t content) noexcept;
void append_record(std::vector<char>& to, const record_view& record);
/// Takes the first record off `payload`. Nothing when it is not whole.
std::optional<record_view> take_record(std::string_view& payload) noexcept;

/// The first bytes of a compressed segment: a zstd frame that decompressors skip. It repeats both ends of the
/// segment, so that they can be read without decompressing.
struct prologue {
    header_block first{};            ///< the segment's header
    header_block last{};             ///< its seal
    std::uint64_t content_bytes = 0; ///< of the segment, uncompressed
    std::uint64_t file_bytes = 0;    ///< of the compressed file
};
inline constexpr std::size_t prologue_bytes = 8 + 2 * header_bytes + 24;

std::array<char, prologue_bytes> encode(const prologue& p) noexcept;
std::optional<prologue> decode_prologue(std::string_view bytes) noexcept;

} // namespace chargifyd::journal::format
