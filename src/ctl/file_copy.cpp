#include "ctl/file_copy.hpp"

#include "ctl/failure.hpp"

#include "chargifyd/chargify/sha256.hpp"

#include <algorithm>
#include <cerrno>
#include <vector>

namespace chargifyd::ctl {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t block_bytes = 1024 * 1024;

journal::file_system& files() noexcept
{
    return journal::real_file_system();
}

bool is_blank(std::span<const char> bytes) noexcept
{
    return std::ranges::all_of(bytes, [](char c) { return c == 0; });
}

std::size_t read_block(const journal::file& from, const fs::path& path, std::span<char> into,
                       std::uint64_t at)
{
    std::size_t got = 0;
    if (const int failed = from.read_at(into, at, &got))
        fail(failed, "read", path);
    return got;
}

/// Behind the last block that holds anything but zeros.
std::uint64_t written_end(const journal::file& from, const fs::path& path, std::uint64_t length)
{
    std::vector<char> block(block_bytes);
    std::uint64_t end = length;
    while (end > 0) {
        const std::uint64_t begin = (end - 1) / block_bytes * block_bytes;
        const std::size_t got = read_block(from, path, std::span(block).first(end - begin), begin);
        if (!is_blank(std::span(block).first(got)))
            break;
        end = begin;
    }
    if (end == 0)
        return 0;
    const std::uint64_t begin = (end - 1) / block_bytes * block_bytes;
    std::size_t last = static_cast<std::size_t>(end - begin);
    while (last > 0 && block[last - 1] == 0)
        --last;
    return begin + last;
}

void copy_range(const journal::file& from, const fs::path& from_path, std::uint64_t bytes,
                std::uint64_t length, const fs::path& to, const copied_fn& copied)
{
    std::unique_ptr<journal::file> made;
    if (const int failed = files().open(to, journal::file_system::mode::create, &made))
        fail(failed, "create", to);
    std::vector<char> block(block_bytes);
    for (std::uint64_t at = 0; at < bytes;) {
        const std::size_t wanted =
            static_cast<std::size_t>(std::min<std::uint64_t>(block.size(), bytes - at));
        const std::size_t got = read_block(from, from_path, std::span(block).first(wanted), at);
        if (got == 0)
            fail(EIO, "read all of", from_path);
        if (const int failed = made->write_at(std::span<const char>(block).first(got), at))
            fail(failed, "write", to);
        at += got;
        copied(got);
    }
    if (const int failed = length > bytes ? made->truncate(length) : 0)
        fail(failed, "write", to);
    if (const int failed = made->sync())
        fail(failed, "sync", to);
}

std::uint64_t size_of(const journal::file& of, const fs::path& path)
{
    std::uint64_t bytes = 0;
    if (const int failed = of.size(&bytes))
        fail(failed, "read", path);
    return bytes;
}

} // namespace

void fail(int errno_value, std::string_view action, const fs::path& path)
{
    throw failure(system_error(errno_value, "cannot " + std::string(action) + " " + path.string()));
}

std::unique_ptr<journal::file> open_for_reading(const fs::path& path)
{
    std::unique_ptr<journal::file> opened;
    const int failed = files().open(path, journal::file_system::mode::read, &opened);
    if (failed != 0 && failed != ENOENT)
        fail(failed, "open", path);
    return opened;
}

void copy_into(const journal::file& from, const fs::path& from_path, const fs::path& to,
               const copied_fn& copied)
{
    const std::uint64_t bytes = size_of(from, from_path);
    copy_range(from, from_path, bytes, bytes, to, copied);
}

void copy_growing(const journal::file& from, const fs::path& from_path, const fs::path& to,
                  const copied_fn& copied)
{
    // The end is looked for before the first byte is read. Up to there everything but the batch that is being
    // written at this moment, which nobody relies on yet, is complete and stays as it is. A copy that simply
    // ran to the end could hold a later batch, and before it the zeros of a moment when an earlier one was
    // not there yet: that looks like damage.
    const std::uint64_t length = size_of(from, from_path);
    copy_range(from, from_path, written_end(from, from_path, length), length, to, copied);
}

void write_new(const fs::path& to, std::string_view content)
{
    std::unique_ptr<journal::file> made;
    if (const int failed = files().open(to, journal::file_system::mode::create, &made))
        fail(failed, "create", to);
    if (const int failed = made->write_at({content.data(), content.size()}, 0))
        fail(failed, "write", to);
    if (const int failed = made->sync())
        fail(failed, "sync", to);
}

void make_directory(const fs::path& path)
{
    if (const int failed = files().make_directory(path))
        fail(failed, "make", path);
}

void sync_directory(const fs::path& path)
{
    if (const int failed = files().sync_directory(path))
        fail(failed, "sync", path);
}

void rename_durably(const fs::path& from, const fs::path& to)
{
    if (const int failed = files().rename(from, to))
        fail(failed, "rename", from);
    sync_directory(to.parent_path());
}

digest256 digest_of(const fs::path& path, const copied_fn& done)
{
    const auto from = open_for_reading(path);
    if (!from)
        fail(ENOENT, "open", path);
    std::vector<char> block(block_bytes);
    return chargify::sha256_of_pieces([&, at = std::uint64_t{0}]() mutable {
        const std::size_t got = read_block(*from, path, block, at);
        at += got;
        if (done)
            done(got);
        return std::string_view(block.data(), got);
    });
}

} // namespace chargifyd::ctl
