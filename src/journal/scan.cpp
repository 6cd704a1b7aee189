#include "journal/scan.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cstring>

namespace chargifyd::journal {

namespace {

constexpr std::size_t read_block_bytes = 64 * 1024;
constexpr std::size_t search_block_bytes = 64 * 1024;

bool all_zero(std::string_view bytes) noexcept
{
    return bytes.empty() ||
           (bytes[0] == 0 && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

/// A header among the first `starts` bytes that proves that what stands at `doubtful` was durable.
std::optional<std::uint64_t> find_proof(std::string_view bytes, std::size_t starts, std::uint64_t offset,
                                        std::uint64_t salt, std::uint64_t doubtful) noexcept
{
    for (std::size_t at = bytes.find(format::batch_magic); at < starts;
         at = bytes.find(format::batch_magic, at + 1)) {
        if (at % format::alignment != 0)
            continue;
        const auto header = format::decode_batch_header(bytes.substr(at), salt, offset + at);
        if (header && header->durable > doubtful)
            return header->offset;
    }
    return std::nullopt;
}

} // namespace

scanner::scanner(source& from, const format::segment_header& header, bool complete)
    : from_(&from)
    , salt_(header.salt)
    , complete_(complete)
    , next_sequence_(header.first_sequence)
{}

result<scanner::found> scanner::next(std::uint64_t wanted, bool search)
{
    result<bool> good = try_batch(wanted);
    if (good && !*good) {
        // The buffer may have been filled while a writer was at it, so look again at the file itself.
        forget_from(offset_);
        good = try_batch(wanted);
    }
    if (!good)
        return good.error();
    if (*good)
        return found::batch;
    if (complete_)
        return found::damage;
    if (!search || searched_ == offset_)
        return found::nothing;
    const result<std::optional<std::uint64_t>> proof = look_behind();
    if (!proof)
        return proof.error();
    if (!*proof) {
        searched_ = offset_;
        return found::nothing;
    }
    // A writer may have completed this batch and begun the one behind it between the two looks.
    forget_from(offset_);
    good = try_batch(wanted);
    if (!good)
        return good.error();
    if (*good)
        return found::batch;
    why_ += fmt::format(" (the batch at offset {} was written when these bytes were durable)", **proof);
    return found::damage;
}

result<bool> scanner::try_batch(std::uint64_t wanted)
{
    payload_ = {};
    const result<std::string_view> head = bytes_at(offset_, format::header_bytes);
    if (!head)
        return head.error();
    const auto header = format::decode_batch_header(*head, salt_, offset_);
    if (!header) {
        why_ = "no batch begins here";
        return false;
    }
    if (header->first_sequence != next_sequence_) {
        why_ = fmt::format("the batch begins with sequence {} instead of {}", header->first_sequence,
                           next_sequence_);
        return false;
    }
    if (header->kind == format::batch_kind::data && header->end_sequence() > wanted) {
        const result<std::string_view> whole = bytes_at(offset_, header->bytes);
        if (!whole)
            return whole.error();
        if (whole->size() < header->bytes) {
            why_ = "the file ends within the batch";
            return false;
        }
        payload_ = whole->substr(format::header_bytes);
        if (format::checksum(payload_) != header->payload_checksum) {
            payload_ = {};
            why_ = "the batch is not what its checksum says";
            return false;
        }
    }
    header_ = *header;
    offset_ = header->end_offset();
    next_sequence_ = header->end_sequence();
    return true;
}

/// Views `count` bytes of the segment, fewer at its end. Valid until the next call.
result<std::string_view> scanner::bytes_at(std::uint64_t offset, std::size_t count)
{
    if (offset < buffer_offset_ || offset > buffer_offset_ + buffered_) {
        buffer_offset_ = offset;
        buffered_ = 0;
    }
    std::size_t skipped = static_cast<std::size_t>(offset - buffer_offset_);
    if (buffered_ - skipped < count) {
        std::copy(buffer_.data() + skipped, buffer_.data() + buffered_, buffer_.data());
        buffer_offset_ = offset;
        buffered_ -= skipped;
        skipped = 0;
        if (const result<void> filled = fill_buffer(count); !filled)
            return filled.error();
    }
    return std::string_view(buffer_.data() + skipped, std::min(count, buffered_ - skipped));
}

/// Reads until the buffer holds `count` bytes or the file ends. It grows with what is there: a header that
/// was forged may name any length.
result<void> scanner::fill_buffer(std::size_t count)
{
    bool ended = false;
    while (buffered_ < count && !ended) {
        if (buffered_ == buffer_.size())
            buffer_.resize(std::max(read_block_bytes, std::min(count, 2 * buffered_)));
        const std::size_t space = buffer_.size() - buffered_;
        const result<std::size_t> got =
            from_->read({buffer_.data() + buffered_, space}, buffer_offset_ + buffered_);
        if (!got)
            return got.error();
        buffered_ += *got;
        ended = *got < space;
    }
    return {};
}

void scanner::forget_from(std::uint64_t offset) noexcept
{
    if (offset >= buffer_offset_ && offset < buffer_offset_ + buffered_)
        buffered_ = static_cast<std::size_t>(offset - buffer_offset_);
}

/// Reads to the end of the file: a batch that was written when `offset()` was durable already, and
/// written_end_.
result<std::optional<std::uint64_t>> scanner::look_behind()
{
    std::optional<std::uint64_t> proof;
    written_end_ = offset_;
    // Each block overlaps the next by one header, so that none is cut in two.
    std::vector<char> block(search_block_bytes + format::header_bytes);
    for (std::uint64_t at = offset_;; at += search_block_bytes) {
        const result<std::size_t> got = from_->read(block, at);
        if (!got)
            return got.error();
        const std::string_view bytes(block.data(), *got);
        if (!all_zero(bytes)) {
            if (!proof)
                proof = find_proof(bytes, search_block_bytes, at, salt_, offset_);
            written_end_ = at + bytes.find_last_not_of('\0') + 1;
        }
        if (*got < block.size())
            return proof;
    }
}

} // namespace chargifyd::journal
