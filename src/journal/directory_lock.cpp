#include "chargifyd/journal/directory_lock.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace chargifyd::journal {

namespace {

// Locks of the open file description: unlike POSIX record locks they survive another close of the same file
// in this process, and unlike flock they can be asked about without being taken, even for a moment.
struct flock whole_file(short type) noexcept
{
    struct flock region {};
    region.l_type = type;
    region.l_whence = SEEK_SET;
    return region;
}

pid_t read_pid(int fd) noexcept
{
    std::array<char, 16> text{};
    const ssize_t n = ::pread(fd, text.data(), text.size(), 0);
    pid_t pid = 0;
    if (n <= 0 || std::from_chars(text.data(), text.data() + n, pid).ec != std::errc{})
        return 0;
    return pid;
}

int write_pid(int fd) noexcept
{
    std::array<char, 16> text{};
    char* const end = std::to_chars(text.data(), text.data() + text.size() - 1, ::getpid()).ptr;
    *end = '\n';
    const ssize_t length = end + 1 - text.data();
    if (::ftruncate(fd, 0) != 0)
        return errno;
    const ssize_t written = ::pwrite(fd, text.data(), static_cast<std::size_t>(length), 0);
    if (written < 0)
        return errno;
    return written == length ? 0 : EIO;
}

} // namespace

result<directory_lock> directory_lock::acquire(const std::filesystem::path& state_directory)
{
    if (::mkdir(state_directory.c_str(), 0750) != 0 && errno != EEXIST)
        return system_error(errno, "cannot make " + state_directory.string());
    const std::filesystem::path path = state_directory / "lock";
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return system_error(errno, "cannot open " + path.string());
    directory_lock held(fd);
    struct flock region = whole_file(F_WRLCK);
    if (::fcntl(fd, F_OFD_SETLK, &region) != 0) {
        if (errno != EAGAIN && errno != EACCES)
            return system_error(errno, "cannot lock " + path.string());
        return make_error(errc::busy,
                          state_directory.string() + " is in use by process " + std::to_string(read_pid(fd)));
    }
    if (const int failed = write_pid(fd))
        return system_error(failed, "cannot write " + path.string());
    return held;
}

pid_t directory_lock::holder(const std::filesystem::path& state_directory) noexcept
{
    try {
        const std::filesystem::path path = state_directory / "lock";
        const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
        if (fd < 0)
            return 0;
        struct flock region = whole_file(F_WRLCK);
        const bool held = ::fcntl(fd, F_OFD_GETLK, &region) == 0 && region.l_type != F_UNLCK;
        const pid_t pid = held ? read_pid(fd) : 0;
        ::close(fd);
        return pid;
    } catch (const std::exception&) {
        return 0; // no memory for the path
    }
}

directory_lock::directory_lock(directory_lock&& other) noexcept
    : fd_(std::exchange(other.fd_, -1))
{}

directory_lock& directory_lock::operator=(directory_lock&& other) noexcept
{
    std::swap(fd_, other.fd_);
    return *this;
}

directory_lock::~directory_lock()
{
    // The file stays: removing it would let two processes hold "the" lock on two different files.
    if (fd_ >= 0)
        ::close(fd_);
}

} // namespace chargifyd::journal
