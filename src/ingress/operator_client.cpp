#include "chargifyd/ingress/operator_server.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <optional>
#include <poll.h>
#include <string_view>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>

namespace chargifyd::ingress {
namespace {

using monotonic = std::chrono::steady_clock;

constexpr std::chrono::seconds patience{60};
constexpr std::size_t largest_reply = 64 * 1024 * 1024;

class descriptor {
public:
    explicit descriptor(int fd) noexcept
        : fd_(fd)
    {}
    descriptor(const descriptor&) = delete;
    descriptor& operator=(const descriptor&) = delete;
    ~descriptor()
    {
        if (fd_ >= 0)
            ::close(fd_);
    }
    int get() const noexcept { return fd_; }

private:
    int fd_;
};

error unavailable(const std::filesystem::path& socket, const std::string& why)
{
    return make_error(errc::unavailable, socket.string() + ": " + why);
}

/// 0 once the socket is ready, else an errno value.
int wait_for(int fd, short events, monotonic::time_point until)
{
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - monotonic::now()).count();
        if (left <= 0)
            return ETIMEDOUT;
        pollfd waiting{fd, events, 0};
        const int ready = ::poll(&waiting, 1, static_cast<int>(left));
        if (ready > 0)
            return 0;
        if (ready < 0 && errno != EINTR)
            return errno;
    }
}

int send_all(int fd, std::string_view bytes, monotonic::time_point until)
{
    while (!bytes.empty()) {
        const auto n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n > 0) {
            bytes.remove_prefix(static_cast<std::size_t>(n));
        } else if (n < 0 && errno != EAGAIN && errno != EINTR) {
            return errno;
        } else if (const int fault = wait_for(fd, POLLOUT, until); fault != 0) {
            return fault;
        }
    }
    return 0;
}

/// Everything up to the end: the server closes after its answer.
int receive_all(int fd, std::string& bytes, monotonic::time_point until)
{
    char piece[16 * 1024];
    for (;;) {
        const auto n = ::recv(fd, piece, sizeof piece, MSG_DONTWAIT);
        if (n == 0)
            return 0;
        if (n > 0) {
            if (bytes.size() + static_cast<std::size_t>(n) > largest_reply)
                return EMSGSIZE;
            bytes.append(piece, static_cast<std::size_t>(n));
        } else if (errno != EAGAIN && errno != EINTR) {
            return errno;
        } else if (const int fault = wait_for(fd, POLLIN, until); fault != 0) {
            return fault;
        }
    }
}

/// The value of a header of an answer; the names are spelled as the server spells them.
std::string_view header(std::string_view head, std::string_view name)
{
    const auto at = head.find("\r\n" + std::string(name) + ": ");
    if (at == std::string_view::npos)
        return {};
    const auto value = head.substr(at + 2 + name.size() + 2);
    return value.substr(0, value.find("\r\n"));
}

template <class T>
std::optional<T> number(std::string_view text)
{
    T value{};
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
    return fault == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

std::optional<operator_reply> parse_reply(std::string_view bytes)
{
    const auto end = bytes.find("\r\n\r\n");
    if (end == std::string_view::npos || !bytes.starts_with("HTTP/1.1 ") || end < 12)
        return std::nullopt;
    const auto head = bytes.substr(0, end + 2);
    const auto body = bytes.substr(end + 4);
    const auto status = number<unsigned>(head.substr(9, 3));
    const auto length = header(head, "Content-Length");
    if (!status || (!length.empty() && number<std::size_t>(length) != body.size()))
        return std::nullopt;
    operator_reply reply;
    reply.status = *status;
    reply.content_type = header(head, "Content-Type");
    reply.body = body;
    return reply;
}

bool can_stand_in_request_line(std::string_view text)
{
    return !text.empty() &&
           std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7F'; });
}

} // namespace

result<operator_reply> call_operator(const std::filesystem::path& socket, const std::string& method,
                                     const std::string& target, const std::string& body)
{
    sockaddr_un where{};
    where.sun_family = AF_UNIX;
    if (socket.native().size() >= sizeof where.sun_path)
        return make_error(errc::invalid,
                          socket.string() + ": longer than the path of a unix socket may be (107)");
    std::memcpy(where.sun_path, socket.c_str(), socket.native().size() + 1);
    if (!can_stand_in_request_line(method) || !can_stand_in_request_line(target))
        return make_error(errc::invalid, "a request needs a method and a target without blanks");

    const descriptor fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (fd.get() < 0)
        return system_error(errno, "socket");
    const auto until = monotonic::now() + patience;
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&where), sizeof where) != 0)
        return unavailable(socket, system_error(errno, "nobody answers there").message);
    const auto request =
        method + " " + target + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" +
        (body.empty() && method != "POST" ? std::string()
                                          : "Content-Length: " + std::to_string(body.size()) + "\r\n") +
        "\r\n" + body;
    std::string bytes;
    // A server that refuses a body may close before it has read all of it; its answer is worth reading all
    // the same.
    const int unsent = send_all(fd.get(), request, until);
    const int unread = receive_all(fd.get(), bytes, until);
    if (auto reply = parse_reply(bytes))
        return std::move(*reply);
    const int fault = unread != 0 ? unread : unsent;
    return unavailable(socket, fault != 0 ? system_error(fault, "no answer").message : "no whole answer");
}

} // namespace chargifyd::ingress
