#include "base/stderr_sink.hpp"

#include <climits>

#include <algorithm>
#include <cerrno>
#include <poll.h>
#include <unistd.h>
#include <utility>

namespace chargifyd::log {

stderr_sink::stderr_sink(int descriptor, std::function<std::string(std::uint64_t lines)> lost)
    : descriptor_(descriptor)
    , lost_text_(std::move(lost))
{}

void stderr_sink::sink_it_(const spdlog::details::log_msg& message)
{
    if (lost_ > 0) {
        const std::string text = lost_text_(lost_);
        spdlog::details::log_msg about(message.time, {}, message.logger_name, spdlog::level::warn, text);
        if (write(about))
            lost_ = 0;
    }
    if (lost_ > 0 || !write(message))
        ++lost_;
}

bool stderr_sink::write(const spdlog::details::log_msg& message)
{
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    if (broken_off_ && !put("\n"))
        return false;
    broken_off_ = false;
    return put({line.data(), line.size()});
}

bool stderr_sink::put(std::string_view bytes)
{
    bool begun = false;
    while (!bytes.empty()) {
        // A pipe that is ready takes so much at once.
        const std::string_view part = bytes.substr(0, PIPE_BUF);
        pollfd ready{descriptor_, POLLOUT, 0};
        if (::poll(&ready, 1, 0) != 1 || (ready.revents & POLLOUT) == 0) {
            broken_off_ = begun;
            return false;
        }
        const ssize_t written = ::write(descriptor_, part.data(), part.size());
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0) {
            broken_off_ = begun;
            return false;
        }
        begun = true;
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

} // namespace chargifyd::log
