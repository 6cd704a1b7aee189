#include "ctl/sink.hpp"

#include "ctl/failure.hpp"

#include <cerrno>
#include <unistd.h>

namespace chargifyd::ctl {

namespace {

constexpr std::size_t block = 64 * 1024;

} // namespace

void descriptor_sink::write(std::string_view bytes)
{
    held_ += bytes;
    if (held_.size() >= block)
        flush();
}

void descriptor_sink::flush()
{
    // Taken out first: after a failure nothing is written a second time.
    const std::string bytes = std::exchange(held_, {});
    std::string_view left = bytes;
    while (!left.empty()) {
        const ssize_t n = ::write(fd_, left.data(), left.size());
        if (n >= 0) {
            left.remove_prefix(static_cast<std::size_t>(n));
            continue;
        }
        if (errno == EPIPE)
            throw reader_gone();
        if (errno != EINTR)
            throw failure(system_error(errno, "cannot write the output"));
    }
}

} // namespace chargifyd::ctl
