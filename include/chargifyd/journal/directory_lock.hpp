#pragma once

#include "chargifyd/base/error.hpp"

#include <filesystem>
#include <sys/types.h>

namespace chargifyd::journal {

/// The exclusive right to write in a state directory, held while the object lives and given up by the kernel
/// when the process ends, however it ends. The file `lock` holds the process id of the holder.
class directory_lock {
public:
    /// errc::busy names the holder.
    static result<directory_lock> acquire(const std::filesystem::path& state_directory);
    /// The process that holds it, or 0. Does not disturb the holder.
    static pid_t holder(const std::filesystem::path& state_directory) noexcept;

    directory_lock(directory_lock&& other) noexcept;
    directory_lock& operator=(directory_lock&& other) noexcept;
    ~directory_lock();

private:
    explicit directory_lock(int fd) noexcept
        : fd_(fd)
    {}
    int fd_ = -1;
};

} // namespace chargifyd::journal
