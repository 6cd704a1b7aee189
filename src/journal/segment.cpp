#include "journal/segment.hpp"

#include "journal/names.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

namespace chargifyd::journal {

namespace {

/// How far ahead of the batches zeros are written. A sync of blocks that were written before is one flush;
/// one of blocks that are only reserved, or beyond the end of the file, makes the file system commit metadata
/// as well.
constexpr std::uint64_t zeros_ahead_bytes = 1024 * 1024;

/// Kept free behind the data for the mark of an orderly stop and the seal.
constexpr std::uint64_t marker_bytes = 2 * format::header_bytes;

std::span<const char> as_span(const format::header_block& block) noexcept
{
    return {block.data(), block.size()};
}

} // namespace

bool io_status::no_space() const noexcept
{
    return code == ENOSPC || code == EDQUOT;
}

active_segment::active_segment(std::unique_ptr<file> opened, std::filesystem::path path,
                               const format::segment_header& header, std::uint64_t bytes)
    : file_(std::move(opened))
    , path_(std::move(path))
    , header_(header)
    , end_(format::header_bytes)
    , allocated_(bytes)
    , overwritten_(format::header_bytes)
{}

active_segment::active_segment(std::unique_ptr<file> opened, const segment_tail& tail, std::uint64_t bytes)
    : active_segment(std::move(opened), tail.path, tail.header, bytes)
{
    end_ = tail.end;
    overwritten_ = tail.end;
    unmarked_ = !tail.clean && tail.end > format::header_bytes;
}

io_status active_segment::create(file_system& files, const std::filesystem::path& directory,
                                 const format::segment_header& header, std::uint64_t bytes,
                                 std::unique_ptr<active_segment>* made)
{
    const std::filesystem::path path = raw_path(directory, header.first_sequence);
    std::unique_ptr<file> opened;
    if (const int failed = files.open(path, file_system::mode::create, &opened))
        return {failed, "cannot create"};
    if (const int failed = opened->allocate(bytes))
        return {failed, "cannot allocate"};
    const format::header_block block = format::encode(header);
    if (const int failed = opened->write_at(as_span(block), 0))
        return {failed, "cannot write"};
    if (const int failed = opened->sync())
        return {failed, "cannot sync"};
    if (const int failed = files.sync_directory(directory))
        return {failed, "cannot sync the directory of"};
    made->reset(new active_segment(std::move(opened), path, header, bytes));
    return {};
}

std::uint64_t active_segment::room_in(std::uint64_t bytes) noexcept
{
    const std::uint64_t taken = format::header_bytes + marker_bytes;
    return bytes > taken ? bytes - taken : 0;
}

std::uint64_t active_segment::bytes_for(std::uint64_t batch_bytes) noexcept
{
    return format::header_bytes + batch_bytes + marker_bytes;
}

std::uint64_t active_segment::room() const noexcept
{
    return allocated_ > end_ + marker_bytes ? allocated_ - end_ - marker_bytes : 0;
}

io_status active_segment::grow(std::uint64_t bytes)
{
    if (bytes <= allocated_)
        return {};
    if (const int failed = file_->allocate(bytes))
        return {failed, "cannot allocate"};
    allocated_ = bytes;
    return {};
}

io_status active_segment::write(std::vector<char>& batch, std::uint64_t first_sequence, std::uint32_t count,
                                timestamp now)
{
    format::batch_header header;
    header.bytes = static_cast<std::uint32_t>(batch.size());
    header.first_sequence = first_sequence;
    header.count = count;
    header.offset = end_;
    header.durable = end_;
    header.written_at = now;
    header.payload_checksum =
        format::checksum({batch.data() + format::header_bytes, batch.size() - format::header_bytes});
    const format::header_block block = format::encode(header, header_.salt);
    std::copy(block.begin(), block.end(), batch.begin());
    pad_with_zeros(batch);
    if (const int failed = file_->write_at(batch, end_))
        return {failed, "cannot write"};
    overwritten_ = std::max<std::uint64_t>(overwritten_, end_ + batch.size());
    end_ = header.end_offset();
    unmarked_ = true;
    return {};
}

void active_segment::pad_with_zeros(std::vector<char>& batch) const
{
    const std::uint64_t batch_end = end_ + batch.size();
    if (batch_end > overwritten_ && batch_end < allocated_)
        batch.resize(batch.size() + std::min(zeros_ahead_bytes, allocated_ - batch_end));
}

io_status active_segment::sync()
{
    if (const int failed = file_->sync())
        return {failed, "cannot sync"};
    return {};
}

io_status active_segment::write_marker(format::batch_kind kind, std::uint64_t next_sequence, timestamp now)
{
    format::batch_header header;
    header.bytes = format::header_bytes;
    header.first_sequence = next_sequence;
    header.kind = kind;
    header.offset = end_;
    header.durable = end_;
    header.written_at = now;
    header.payload_checksum = format::checksum({});
    const format::header_block block = format::encode(header, header_.salt);
    if (const int failed = file_->write_at(as_span(block), end_))
        return {failed, "cannot write"};
    end_ += format::header_bytes;
    unmarked_ = false;
    return {};
}

io_status active_segment::seal(std::uint64_t next_sequence, timestamp now)
{
    if (const io_status written = write_marker(format::batch_kind::seal, next_sequence, now);
        written.failed())
        return written;
    if (const int failed = file_->truncate(end_))
        return {failed, "cannot truncate"};
    allocated_ = end_;
    return sync();
}

io_status active_segment::mark_clean(std::uint64_t next_sequence, timestamp now)
{
    // The last bytes of a segment are kept for its seal.
    if (!unmarked_ || end_ + marker_bytes > allocated_)
        return {};
    if (const io_status written = write_marker(format::batch_kind::clean, next_sequence, now);
        written.failed())
        return written;
    return sync();
}

} // namespace chargifyd::journal
