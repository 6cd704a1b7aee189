#pragma once

#include "chargifyd/base/error.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

/// The seam between the journal and the operating system. Every file access of the journal goes through it,
/// so that tests can fail any call, and lose or tear whatever was not synced. Expected failures are errno
/// values: 0 is done.
namespace chargifyd::journal {

/// One open file. Used by one thread at a time. Closed by its destructor, which does not sync.
class file {
public:
    virtual ~file() = default;
    file(const file&) = delete;
    file& operator=(const file&) = delete;

    /// Writes all of `bytes` at `offset`, retrying short writes. On failure nothing is known about the range.
    virtual int write_at(std::span<const char> bytes, std::uint64_t offset) noexcept = 0;
    /// Reads up to `into.size()` bytes; `*got` is less only at the end of the file.
    virtual int read_at(std::span<char> into, std::uint64_t offset, std::size_t* got) const noexcept = 0;
    /// fdatasync: the bytes written and the length are on disk when it returns 0. After a failure the file
    /// must not be used again: the kernel may have dropped the pages, and a second sync may lie.
    virtual int sync() noexcept = 0;
    /// Reserves space so that writes below `length` cannot run out of it; the file becomes `length` long, of
    /// zeros.
    virtual int allocate(std::uint64_t length) noexcept = 0;
    virtual int truncate(std::uint64_t length) noexcept = 0;
    virtual int size(std::uint64_t* bytes) const noexcept = 0;

protected:
    file() = default;
};

/// Any thread.
class file_system {
public:
    enum class mode {
        read,   ///< must exist
        write,  ///< must exist; read and write
        create, ///< must not exist; read and write; 0600
    };

    virtual ~file_system() = default;

    virtual int open(const std::filesystem::path& path, mode how, std::unique_ptr<file>* opened) noexcept = 0;
    /// Makes one directory, 0700. Done when it exists already.
    virtual int make_directory(const std::filesystem::path& path) noexcept = 0;
    /// The names in a directory, sorted.
    virtual int list(const std::filesystem::path& directory, std::vector<std::string>* names) noexcept = 0;
    virtual int rename(const std::filesystem::path& from, const std::filesystem::path& to) noexcept = 0;
    virtual int remove(const std::filesystem::path& path) noexcept = 0;
    /// Makes creations, renames and removals in the directory durable.
    virtual int sync_directory(const std::filesystem::path& directory) noexcept = 0;
    /// Bytes that may still be written to the file system that holds `path`.
    virtual int free_bytes(const std::filesystem::path& path, std::uint64_t* bytes) noexcept = 0;
};

/// The operating system's files.
file_system& real_file_system() noexcept;

} // namespace chargifyd::journal
