#include "chargifyd/journal/file_system.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <dirent.h>
#include <fcntl.h>
#include <new>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace chargifyd::journal {

namespace {

/// Repeats a call that a signal interrupted; 0 or errno.
template <class F>
int uninterrupted(F call) noexcept
{
    for (;;) {
        if (call() == 0)
            return 0;
        if (errno != EINTR)
            return errno;
    }
}

class real_file final : public file {
public:
    explicit real_file(int fd) noexcept
        : fd_(fd)
    {}
    ~real_file() override { ::close(fd_); }

    int write_at(std::span<const char> bytes, std::uint64_t offset) noexcept override
    {
        while (!bytes.empty()) {
            const ssize_t n = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
            if (n < 0 && errno == EINTR)
                continue;
            if (n <= 0)
                return n < 0 ? errno : EIO;
            bytes = bytes.subspan(static_cast<std::size_t>(n));
            offset += static_cast<std::uint64_t>(n);
        }
        return 0;
    }

    int read_at(std::span<char> into, std::uint64_t offset, std::size_t* got) const noexcept override
    {
        *got = 0;
        while (*got < into.size()) {
            const ssize_t n =
                ::pread(fd_, into.data() + *got, into.size() - *got, static_cast<off_t>(offset + *got));
            if (n < 0 && errno == EINTR)
                continue;
            if (n < 0)
                return errno;
            if (n == 0)
                return 0;
            *got += static_cast<std::size_t>(n);
        }
        return 0;
    }

    int sync() noexcept override
    {
        return uninterrupted([this] { return ::fdatasync(fd_); });
    }

    int allocate(std::uint64_t length) noexcept override
    {
        const int failed =
            uninterrupted([this, length] { return ::fallocate(fd_, 0, 0, static_cast<off_t>(length)); });
        return failed == EOPNOTSUPP ? write_zeros_to(length) : failed;
    }

    int truncate(std::uint64_t length) noexcept override
    {
        return uninterrupted([this, length] { return ::ftruncate(fd_, static_cast<off_t>(length)); });
    }

    int size(std::uint64_t* bytes) const noexcept override
    {
        struct stat about {};
        if (::fstat(fd_, &about) != 0)
            return errno;
        *bytes = static_cast<std::uint64_t>(about.st_size);
        return 0;
    }

private:
    /// For file systems that cannot reserve: written blocks are reserved blocks.
    int write_zeros_to(std::uint64_t length) noexcept
    {
        static constexpr std::array<char, 64 * 1024> zeros{};
        std::uint64_t at = 0;
        if (const int failed = size(&at))
            return failed;
        while (at < length) {
            const std::size_t n = std::min<std::uint64_t>(zeros.size(), length - at);
            if (const int failed = write_at({zeros.data(), n}, at))
                return failed;
            at += n;
        }
        return 0;
    }

    int fd_;
};

class real_files final : public file_system {
public:
    int open(const std::filesystem::path& path, mode how, std::unique_ptr<file>* opened) noexcept override
    {
        int flags = O_CLOEXEC;
        switch (how) {
        case mode::read:
            flags |= O_RDONLY;
            break;
        case mode::write:
            flags |= O_RDWR;
            break;
        case mode::create:
            flags |= O_RDWR | O_CREAT | O_EXCL;
            break;
        }
        const int fd = ::open(path.c_str(), flags, 0600);
        if (fd < 0)
            return errno;
        opened->reset(new (std::nothrow) real_file(fd));
        if (*opened)
            return 0;
        ::close(fd);
        return ENOMEM;
    }

    int make_directory(const std::filesystem::path& path) noexcept override
    {
        if (::mkdir(path.c_str(), 0700) == 0)
            return 0;
        if (errno != EEXIST)
            return errno;
        struct stat about {};
        if (::stat(path.c_str(), &about) != 0)
            return errno;
        return S_ISDIR(about.st_mode) ? 0 : ENOTDIR;
    }

    int list(const std::filesystem::path& directory, std::vector<std::string>* names) noexcept override
    {
        names->clear();
        DIR* const stream = ::opendir(directory.c_str());
        if (stream == nullptr)
            return errno;
        int failed = 0;
        try {
            for (;;) {
                errno = 0;
                // The stream is this function's own, so no other thread can be in it.
                const dirent* const entry = ::readdir(stream); // NOLINT(concurrency-mt-unsafe)
                if (entry == nullptr) {
                    failed = errno;
                    break;
                }
                names->emplace_back(entry->d_name);
            }
        } catch (const std::bad_alloc&) {
            failed = ENOMEM;
        }
        ::closedir(stream);
        std::erase_if(*names, [](const std::string& name) { return name == "." || name == ".."; });
        std::sort(names->begin(), names->end());
        return failed;
    }

    int rename(const std::filesystem::path& from, const std::filesystem::path& to) noexcept override
    {
        return std::rename(from.c_str(), to.c_str()) == 0 ? 0 : errno;
    }

    int remove(const std::filesystem::path& path) noexcept override
    {
        return ::unlink(path.c_str()) == 0 ? 0 : errno;
    }

    int sync_directory(const std::filesystem::path& directory) noexcept override
    {
        const int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
            return errno;
        const int failed = uninterrupted([fd] { return ::fsync(fd); });
        ::close(fd);
        return failed;
    }

    int free_bytes(const std::filesystem::path& path, std::uint64_t* bytes) noexcept override
    {
        struct statvfs about {};
        if (const int failed = uninterrupted([&path, &about] { return ::statvfs(path.c_str(), &about); }))
            return failed;
        *bytes = static_cast<std::uint64_t>(about.f_bavail) * about.f_frsize;
        return 0;
    }
};

} // namespace

file_system& real_file_system() noexcept
{
    static real_files files;
    return files;
}

} // namespace chargifyd::journal
