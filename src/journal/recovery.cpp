#include "journal/recovery.hpp"

#include "journal/names.hpp"
#include "journal/survey.hpp"

#include "chargifyd/base/log.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <random>

namespace chargifyd::journal {

namespace {

/// Bounds how long a start takes; the rest is checked whenever it is read.
constexpr std::uint64_t verify_bytes_at_open = 256 * 1024 * 1024;
constexpr std::size_t copy_block_bytes = 64 * 1024;

result<void> checked(int failed, std::string_view action, const std::filesystem::path& path)
{
    if (failed != 0) {
        error e = file_error(failed, action, path);
        e.code = errc::io;
        return e;
    }
    return {};
}

std::uint64_t random_number()
{
    std::random_device source;
    return (std::uint64_t{source()} << 32) | source();
}

format::journal_id random_id()
{
    format::journal_id id;
    std::random_device source;
    for (unsigned char& byte : id)
        byte = static_cast<unsigned char>(source());
    return id;
}

result<void> make_directory(file_system& files, const std::filesystem::path& directory)
{
    if (auto made = checked(files.make_directory(directory), "cannot make", directory); !made)
        return made;
    const std::filesystem::path parent = directory.has_parent_path() ? directory.parent_path() : ".";
    return checked(files.sync_directory(parent), "cannot sync", parent);
}

/// Writes a range again as it is. What can be read may be in memory only: the last run may have been killed
/// before its sync, or its sync may have failed, after which the kernel takes the pages for clean and no sync
/// would write them.
result<void> write_again(file& at, const std::filesystem::path& path, std::uint64_t from, std::uint64_t to)
{
    std::vector<char> block(std::min<std::uint64_t>(copy_block_bytes, to - from));
    while (from < to) {
        const std::span<char> part(block.data(), std::min<std::uint64_t>(block.size(), to - from));
        std::size_t got = 0;
        if (auto read = checked(at.read_at(part, from, &got), "cannot read", path); !read)
            return read;
        if (got != part.size())
            return checked(EIO, "cannot read", path);
        if (auto written = checked(at.write_at(part, from), "cannot write", path); !written)
            return written;
        from += got;
    }
    return {};
}

/// Overwrites a torn batch where it stands: unlike cutting the file, this cannot run out of space.
result<void> write_zeros(file& at, const std::filesystem::path& path, std::uint64_t from, std::uint64_t to)
{
    const std::vector<char> zeros(std::min<std::uint64_t>(copy_block_bytes, to - from));
    while (from < to) {
        const std::span<const char> part(zeros.data(), std::min<std::uint64_t>(zeros.size(), to - from));
        if (auto written = checked(at.write_at(part, from), "cannot write", path); !written)
            return written;
        from += part.size();
    }
    return {};
}

/// The length that the newest segment gets; with no space left it stays as long as it is.
result<std::uint64_t> make_room(file& at, const segment_tail& tail, std::uint64_t segment_bytes)
{
    const std::uint64_t wanted =
        std::max({segment_bytes, tail.file_bytes, active_segment::bytes_for(0) + tail.end});
    if (wanted == tail.file_bytes)
        return wanted;
    const io_status allocated{at.allocate(wanted), ""};
    if (allocated.no_space())
        return tail.file_bytes;
    if (auto done = checked(allocated.code, "cannot allocate", tail.path); !done)
        return done.error();
    return wanted;
}

/// Brings the newest segment into order. Null when it is sealed.
result<std::unique_ptr<active_segment>> settle(file_system& files, const segment_tail& tail,
                                               std::uint64_t segment_bytes)
{
    std::unique_ptr<file> opened;
    if (auto done =
            checked(files.open(tail.path, file_system::mode::write, &opened), "cannot open", tail.path);
        !done)
        return done.error();
    if (auto done = write_again(*opened, tail.path, tail.proven, tail.end); !done)
        return done.error();
    std::uint64_t bytes = tail.end;
    if (tail.sealed) {
        if (auto done = checked(opened->truncate(tail.end), "cannot truncate", tail.path); !done)
            return done.error();
    } else {
        if (auto done = write_zeros(*opened, tail.path, tail.end, tail.written_end); !done)
            return done.error();
        const auto length = make_room(*opened, tail, segment_bytes);
        if (!length)
            return length.error();
        bytes = *length;
    }
    if (auto done = checked(opened->sync(), "cannot sync", tail.path); !done)
        return done.error();
    if (tail.sealed)
        return std::unique_ptr<active_segment>();
    if (tail.written_end > tail.end)
        chargifyd::log::warning(
            "journal: cut off a torn batch that was never acknowledged",
            {{"file", tail.path.string()}, {"offset", tail.end}, {"bytes", tail.written_end - tail.end}});
    return std::make_unique<active_segment>(std::move(opened), tail, bytes);
}

result<std::unique_ptr<active_segment>> make_first_segment(const options& with, file_system& files,
                                                           const clock_fn& clock)
{
    std::unique_ptr<active_segment> made;
    const auto header = make_segment_header(1, random_id(), clock());
    const io_status status = active_segment::create(
        files, with.directory, header, std::max(with.segment_bytes, active_segment::bytes_for(0)), &made);
    if (auto done = checked(status.code, status.action, raw_path(with.directory, 1)); !done)
        return done.error();
    return made;
}

result<void> remove_leftovers(file_system& files, const std::filesystem::path& directory, const survey& found)
{
    if (found.leftovers.empty())
        return {};
    // The name of a compressed copy has to be durable before the raw file goes.
    if (auto synced = checked(files.sync_directory(directory), "cannot sync", directory); !synced)
        return synced;
    for (const std::filesystem::path& path : found.leftovers) {
        if (auto removed = checked(files.remove(path), "cannot remove", path); !removed)
            return removed;
    }
    return {};
}

} // namespace

format::segment_header make_segment_header(std::uint64_t first_sequence, const format::journal_id& id,
                                           timestamp now)
{
    format::segment_header header;
    header.first_sequence = first_sequence;
    header.created_at = now;
    header.id = id;
    header.salt = random_number();
    return header;
}

segment_info active_info(const active_segment& segment)
{
    segment_info info;
    info.path = segment.path();
    info.first_sequence = segment.header().first_sequence;
    info.last_sequence = info.first_sequence - 1;
    info.created_at = segment.header().created_at;
    info.bytes = segment.bytes();
    return info;
}

result<recovered> recover(const options& with, file_system& files, const clock_fn& clock,
                          recent_webhooks& recent)
{
    if (auto made = make_directory(files, with.directory); !made)
        return made.error();
    survey_options how;
    how.verify_bytes = verify_bytes_at_open;
    how.on_record = [&recent](const format::record_view& record) {
        recent.insert(record.site, record.fingerprint);
    };
    result<survey> surveyed = survey_journal(files, with.directory, how);
    if (!surveyed)
        return surveyed.error();
    survey& found = *surveyed;
    if (!found.problems.empty())
        return make_error(
            errc::corrupt,
            found.problems.front() +
                ". Nothing was changed. Put back an undamaged copy of the file; without one, move the "
                "whole journal directory aside to begin a new journal");
    if (auto removed = remove_leftovers(files, with.directory, found); !removed)
        return removed.error();
    recovered ready;
    ready.next_sequence = found.next_sequence;
    ready.segments = std::move(found.segments);
    if (found.tail) {
        auto settled = settle(files, *found.tail, with.segment_bytes);
        if (!settled)
            return settled.error();
        ready.active = std::move(*settled);
    }
    // Also makes durable the name of the newest segment and the removals.
    if (auto synced = checked(files.sync_directory(with.directory), "cannot sync", with.directory); !synced)
        return synced.error();
    if (ready.segments.empty()) {
        auto made = make_first_segment(with, files, clock);
        if (!made)
            return made.error();
        ready.active = std::move(*made);
        ready.segments.push_back(active_info(*ready.active));
    }
    ready.id = ready.active ? ready.active->header().id : *found.id;
    ready.segments.back().bytes = ready.active ? ready.active->bytes()
                                  : found.tail ? found.tail->end
                                               : ready.segments.back().bytes;
    return ready;
}

} // namespace chargifyd::journal
