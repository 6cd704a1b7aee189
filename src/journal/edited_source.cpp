#include "journal/edited_source.hpp"

#include "journal/names.hpp"

#include <algorithm>

namespace chargifyd::journal {

edited_source::edited_source(const segment_file& from, const body_editor& edit)
    : from_(from)
    , edit_(edit)
    , scan_(*from_.content, *from_.header, true)
{
    const format::header_block header = format::encode(*from_.header);
    ready_.assign(header.begin(), header.end());
}

result<std::size_t> edited_source::read(std::span<char> into, std::uint64_t offset)
{
    std::size_t done = 0;
    while (done < into.size()) {
        const std::uint64_t at = offset + done - ready_offset_;
        if (at >= ready_.size()) {
            const result<bool> more = fill();
            if (!more)
                return more.error();
            if (!*more)
                break;
            continue;
        }
        const std::size_t part = std::min<std::size_t>(into.size() - done, ready_.size() - at);
        std::copy_n(ready_.begin() + static_cast<std::ptrdiff_t>(at), part,
                    into.begin() + static_cast<std::ptrdiff_t>(done));
        done += part;
    }
    return done;
}

result<std::size_t> edited_source::count()
{
    for (;;) {
        const result<bool> more = fill();
        if (!more)
            return more.error();
        if (!*more)
            return changed_;
    }
}

result<bool> edited_source::fill()
{
    if (ended_)
        return false;
    const std::uint64_t offset = scan_.offset();
    const result<scanner::found> found = scan_.next();
    if (!found)
        return found.error();
    if (*found != scanner::found::batch)
        return make_error(errc::corrupt, damage(from_.path, offset, "the segment ends before its seal"));
    ready_offset_ += ready_.size();
    ready_.assign(format::header_bytes, '\0');
    if (const result<void> edited = edit_records(scan_.payload()); !edited)
        return edited.error();
    format::batch_header header = scan_.header();
    header.payload_checksum =
        format::checksum({ready_.data() + format::header_bytes, ready_.size() - format::header_bytes});
    const format::header_block block = format::encode(header, from_.header->salt);
    std::copy(block.begin(), block.end(), ready_.begin());
    ended_ = header.kind == format::batch_kind::seal;
    return true;
}

result<void> edited_source::edit_records(std::string_view payload)
{
    while (!payload.empty()) {
        auto record = format::take_record(payload);
        if (!record)
            return make_error(errc::corrupt,
                              damage(from_.path, scan_.header().offset, "a record is not whole"));
        body_.assign(record->body);
        if (edit_(record->site, body_))
            ++changed_;
        record->body = body_;
        format::append_record(ready_, *record);
    }
    return {};
}

} // namespace chargifyd::journal
