#include "chargifyd/base/file.hpp"

#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

namespace chargifyd {

result<std::string> read_small_file(const std::filesystem::path& path, std::size_t limit)
{
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return system_error(errno, "cannot open " + path.string());
    std::string content;
    char block[16 * 1024];
    for (;;) {
        const ssize_t n = ::read(fd, block, sizeof block);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            const int why = errno;
            ::close(fd);
            return system_error(why, "cannot read " + path.string());
        }
        if (n == 0)
            break;
        content.append(block, static_cast<std::size_t>(n));
        if (content.size() > limit) {
            ::close(fd);
            return make_error(errc::invalid,
                              path.string() + " is larger than " + std::to_string(limit) + " bytes");
        }
    }
    ::close(fd);
    return content;
}

} // namespace chargifyd
