#include "journal/format.hpp"

#include <xxhash.h>

#include <algorithm>
#include <cstring>
#include <type_traits>

namespace chargifyd::journal::format {

namespace {

constexpr std::string_view segment_magic{"CHJSEG\r\n", 8}; // the line end shows a transfer in text mode
constexpr std::uint32_t skippable_frame = 0x184D2A50;
constexpr std::size_t record_header_bytes = 64;
constexpr std::size_t checksum_bytes = 8;

template <class T>
void put(char* at, T value) noexcept
{
    auto bits = static_cast<std::make_unsigned_t<T>>(value);
    for (std::size_t i = 0; i < sizeof(T); ++i) {
        at[i] = static_cast<char>(static_cast<unsigned char>(bits & 0xff));
        bits = static_cast<std::make_unsigned_t<T>>(bits >> 8);
    }
}

template <class T>
T get(const char* at) noexcept
{
    using unsigned_type = std::make_unsigned_t<T>;
    unsigned_type bits = 0;
    for (std::size_t i = sizeof(T); i-- > 0;)
        bits = static_cast<unsigned_type>((bits << 8) | static_cast<unsigned char>(at[i]));
    return static_cast<T>(bits);
}

void put_time(char* at, timestamp when) noexcept
{
    put<std::int64_t>(at, when.time_since_epoch().count());
}

timestamp get_time(const char* at) noexcept
{
    return timestamp(std::chrono::microseconds(get<std::int64_t>(at)));
}

constexpr std::size_t padding(std::size_t content) noexcept
{
    return (alignment - content % alignment) % alignment;
}

/// What must hold inside any genuine header, so that its numbers can be used without further questions.
bool consistent(const batch_header& h) noexcept
{
    if (h.bytes < header_bytes || h.bytes % alignment != 0 || h.offset < header_bytes ||
        h.durable > h.offset || h.first_sequence == 0)
        return false;
    switch (h.kind) {
    case batch_kind::data:
        return h.count > 0 && h.bytes > header_bytes;
    case batch_kind::seal:
    case batch_kind::clean:
        return h.count == 0 && h.bytes == header_bytes;
    }
    return false;
}

} // namespace

std::uint64_t checksum(std::string_view bytes, std::uint64_t seed) noexcept
{
    return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

header_block encode(const segment_header& header) noexcept
{
    header_block block{};
    std::copy(segment_magic.begin(), segment_magic.end(), block.begin());
    put<std::uint32_t>(&block[8], header.version);
    put<std::uint32_t>(&block[12], header_bytes);
    put<std::uint64_t>(&block[16], header.first_sequence);
    put_time(&block[24], header.created_at);
    std::memcpy(&block[32], header.id.data(), header.id.size());
    put<std::uint64_t>(&block[48], header.salt);
    put<std::uint64_t>(&block[56], checksum({block.data(), 56}));
    return block;
}

std::optional<segment_header> decode_segment_header(std::string_view bytes) noexcept
{
    if (bytes.size() < header_bytes || bytes.substr(0, segment_magic.size()) != segment_magic ||
        get<std::uint64_t>(&bytes[56]) != checksum(bytes.substr(0, 56)))
        return std::nullopt;
    segment_header header;
    header.version = get<std::uint32_t>(&bytes[8]);
    header.first_sequence = get<std::uint64_t>(&bytes[16]);
    header.created_at = get_time(&bytes[24]);
    std::memcpy(header.id.data(), &bytes[32], header.id.size());
    header.salt = get<std::uint64_t>(&bytes[48]);
    return header;
}

header_block encode(const batch_header& header, std::uint64_t salt) noexcept
{
    header_block block{};
    std::copy(batch_magic.begin(), batch_magic.end(), block.begin());
    put<std::uint32_t>(&block[4], header.bytes);
    put<std::uint64_t>(&block[8], header.first_sequence);
    put<std::uint32_t>(&block[16], header.count);
    put<std::uint32_t>(&block[20], static_cast<std::uint32_t>(header.kind));
    put<std::uint64_t>(&block[24], header.offset);
    put<std::uint64_t>(&block[32], header.durable);
    put_time(&block[40], header.written_at);
    put<std::uint64_t>(&block[48], header.payload_checksum);
    put<std::uint64_t>(&block[56], checksum({block.data(), 56}, salt));
    return block;
}

std::optional<batch_header> decode_batch_header(std::string_view bytes, std::uint64_t salt,
                                                std::uint64_t offset) noexcept
{
    if (bytes.size() < header_bytes || bytes.substr(0, batch_magic.size()) != batch_magic)
        return std::nullopt;
    batch_header header;
    header.offset = get<std::uint64_t>(&bytes[24]);
    if (header.offset != offset || get<std::uint64_t>(&bytes[56]) != checksum(bytes.substr(0, 56), salt))
        return std::nullopt;
    header.bytes = get<std::uint32_t>(&bytes[4]);
    header.first_sequence = get<std::uint64_t>(&bytes[8]);
    header.count = get<std::uint32_t>(&bytes[16]);
    header.kind = static_cast<batch_kind>(get<std::uint32_t>(&bytes[20]));
    header.durable = get<std::uint64_t>(&bytes[32]);
    header.written_at = get_time(&bytes[40]);
    header.payload_checksum = get<std::uint64_t>(&bytes[48]);
    if (!consistent(header))
        return std::nullopt;
    return header;
}

std::size_t record_bytes(std::size_t content) noexcept
{
    return record_header_bytes + content + padding(content) + checksum_bytes;
}

void append_record(std::vector<char>& to, const record_view& record)
{
    const std::size_t content = record.site.size() + record.peer.size() + record.body.size();
    const std::size_t start = to.size();
    std::array<char, record_header_bytes> head{};
    put<std::uint32_t>(&head[0], static_cast<std::uint32_t>(record_bytes(content)));
    put<std::uint32_t>(&head[4], static_cast<std::uint32_t>(record.body.size()));
    put<std::uint64_t>(&head[8], record.sequence);
    put_time(&head[16], record.received_at);
    std::memcpy(&head[24], record.fingerprint.data(), record.fingerprint.size());
    put<std::uint16_t>(&head[56], static_cast<std::uint16_t>(record.site.size()));
    put<std::uint16_t>(&head[58], static_cast<std::uint16_t>(record.peer.size()));
    to.insert(to.end(), head.begin(), head.end());
    to.insert(to.end(), record.site.begin(), record.site.end());
    to.insert(to.end(), record.peer.begin(), record.peer.end());
    to.insert(to.end(), record.body.begin(), record.body.end());
    to.insert(to.end(), padding(content), '\0');
    std::array<char, checksum_bytes> sum{};
    put<std::uint64_t>(sum.data(), checksum({to.data() + start, to.size() - start}));
    to.insert(to.end(), sum.begin(), sum.end());
}

std::optional<record_view> take_record(std::string_view& payload) noexcept
{
    if (payload.size() < record_header_bytes + checksum_bytes)
        return std::nullopt;
    const char* const at = payload.data();
    const std::size_t bytes = get<std::uint32_t>(at);
    const std::size_t body = get<std::uint32_t>(at + 4);
    const std::size_t site = get<std::uint16_t>(at + 56);
    const std::size_t peer = get<std::uint16_t>(at + 58);
    if (bytes > payload.size() || bytes != record_bytes(site + peer + body))
        return std::nullopt;
    if (get<std::uint64_t>(at + bytes - checksum_bytes) !=
        checksum(payload.substr(0, bytes - checksum_bytes)))
        return std::nullopt;
    record_view record;
    record.sequence = get<std::uint64_t>(at + 8);
    record.received_at = get_time(at + 16);
    std::memcpy(record.fingerprint.data(), at + 24, record.fingerprint.size());
    record.site = payload.substr(record_header_bytes, site);
    record.peer = payload.substr(record_header_bytes + site, peer);
    record.body = payload.substr(record_header_bytes + site + peer, body);
    payload.remove_prefix(bytes);
    return record;
}

std::array<char, prologue_bytes> encode(const prologue& p) noexcept
{
    std::array<char, prologue_bytes> bytes{};
    put<std::uint32_t>(&bytes[0], skippable_frame);
    put<std::uint32_t>(&bytes[4], prologue_bytes - 8);
    std::copy(p.first.begin(), p.first.end(), &bytes[8]);
    std::copy(p.last.begin(), p.last.end(), &bytes[8 + header_bytes]);
    put<std::uint64_t>(&bytes[prologue_bytes - 24], p.content_bytes);
    put<std::uint64_t>(&bytes[prologue_bytes - 16], p.file_bytes);
    put<std::uint64_t>(&bytes[prologue_bytes - 8], checksum({bytes.data(), prologue_bytes - 8}));
    return bytes;
}

std::optional<prologue> decode_prologue(std::string_view bytes) noexcept
{
    if (bytes.size() < prologue_bytes || get<std::uint32_t>(&bytes[0]) != skippable_frame ||
        get<std::uint32_t>(&bytes[4]) != prologue_bytes - 8 ||
        get<std::uint64_t>(&bytes[prologue_bytes - 8]) != checksum(bytes.substr(0, prologue_bytes - 8)))
        return std::nullopt;
    prologue p;
    std::copy_n(&bytes[8], header_bytes, p.first.begin());
    std::copy_n(&bytes[8 + header_bytes], header_bytes, p.last.begin());
    p.content_bytes = get<std::uint64_t>(&bytes[prologue_bytes - 24]);
    p.file_bytes = get<std::uint64_t>(&bytes[prologue_bytes - 16]);
    return p;
}

} // namespace chargifyd::journal::format
