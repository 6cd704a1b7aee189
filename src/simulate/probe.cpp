#include "chargifyd/simulate/probe.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>
#include <netdb.h>
#include <optional>
#include <span>
#include <sys/socket.h>
#include <unistd.h>

namespace chargifyd::simulate {

namespace {

constexpr std::string_view request =
    "GET /healthz HTTP/1.1\r\nHost: localhost\r\nUser-Agent: chargifyctl\r\nConnection: close\r\n\r\n";
constexpr std::string_view proxy_line = "PROXY UNKNOWN\r\n";
constexpr std::size_t most_body_bytes = 64;

struct free_ssl {
    void operator()(SSL* s) const noexcept { SSL_free(s); }
    void operator()(SSL_CTX* c) const noexcept { SSL_CTX_free(c); }
};

/// A descriptor that is closed.
class socket_handle {
public:
    explicit socket_handle(int fd) noexcept
        : fd_(fd)
    {}
    ~socket_handle()
    {
        if (fd_ >= 0)
            ::close(fd_);
    }
    socket_handle(const socket_handle&) = delete;
    socket_handle& operator=(const socket_handle&) = delete;
    int get() const noexcept { return fd_; }

private:
    int fd_;
};

struct place {
    sockaddr_storage address{};
    socklen_t length = 0;
    int family = AF_UNSPEC;
};

result<place> find_place(const std::string& address, bool all_becomes_loopback)
{
    const auto colon = address.rfind(':');
    if (colon == std::string::npos)
        return make_error(errc::invalid, "'" + address + "' is not ADDRESS:PORT");
    std::string host = address.substr(0, colon);
    if (host.size() >= 2 && host.front() == '[' && host.back() == ']')
        host = host.substr(1, host.size() - 2);
    if (all_becomes_loopback && host == "0.0.0.0")
        host = "127.0.0.1";
    if (all_becomes_loopback && host == "::")
        host = "::1";
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
    addrinfo* found = nullptr;
    if (::getaddrinfo(host.c_str(), address.c_str() + colon + 1, &hints, &found) != 0)
        return make_error(errc::invalid, "'" + address + "' is not an address and a port");
    place out;
    std::memcpy(&out.address, found->ai_addr, found->ai_addrlen);
    out.length = found->ai_addrlen;
    out.family = found->ai_family;
    ::freeaddrinfo(found);
    return out;
}

const sockaddr* generic(const place& where) noexcept
{
    return reinterpret_cast<const sockaddr*>(&where.address);
}

error unreachable(int errno_value, const std::string& what)
{
    error e = system_error(errno_value, what);
    e.code = errc::unavailable;
    return e;
}

/// Connects; from then on every read and write ends after `timeout`.
result<void> connect(int fd, const place& to, const std::string& address, std::chrono::milliseconds timeout)
{
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(timeout);
    const timeval limit{static_cast<time_t>(seconds.count()),
                        static_cast<suseconds_t>((timeout - seconds).count() * 1000)};
    // The first covers connect() too.
    ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    if (::connect(fd, generic(to), to.length) != 0)
        return unreachable(errno == EINPROGRESS ? ETIMEDOUT : errno, "cannot connect to " + address);
    return {};
}

/// "HTTP/1.1 200 OK" and what follows the head.
std::optional<probed> read_answer(const std::string& text)
{
    constexpr std::string_view start = "HTTP/1.1 ";
    const auto head = text.find("\r\n\r\n");
    if (!text.starts_with(start) || head == std::string::npos)
        return std::nullopt;
    probed out;
    std::from_chars(text.data() + start.size(), text.data() + text.size(), out.status);
    out.body = text.substr(head + 4, most_body_bytes);
    while (!out.body.empty() && (out.body.back() == '\n' || out.body.back() == '\r'))
        out.body.pop_back();
    return out;
}

/// `send` and `receive` return the bytes they moved, 0 or less when there are no more.
template <class Send, class Receive>
result<probed> ask(const std::string& address, Send send, Receive receive)
{
    if (send(request) != static_cast<long>(request.size()))
        return make_error(errc::unavailable, address + " closed the connection");
    std::string text;
    std::array<char, 1024> block{};
    while (text.size() < 16 * block.size()) {
        const long got = receive(block);
        if (got <= 0)
            break;
        text.append(block.data(), static_cast<std::size_t>(got));
    }
    if (const auto answer = read_answer(text))
        return *answer;
    return make_error(errc::unavailable, text.empty() ? address + " gave no answer"
                                                      : address + " answered something else than HTTP");
}

result<probed> ask_over_tls(int fd, const std::string& address)
{
    const std::unique_ptr<SSL_CTX, free_ssl> context(SSL_CTX_new(TLS_client_method()));
    const std::unique_ptr<SSL, free_ssl> tls(context ? SSL_new(context.get()) : nullptr);
    if (!tls || SSL_set_fd(tls.get(), fd) != 1)
        return make_error(errc::io, "cannot set up TLS");
    if (SSL_connect(tls.get()) != 1) {
        std::array<char, 256> why{};
        ERR_error_string_n(ERR_get_error(), why.data(), why.size());
        ERR_clear_error();
        return make_error(errc::unavailable, "no TLS handshake with " + address + ": " + why.data());
    }
    return ask(
        address,
        [&tls](std::string_view bytes) -> long {
            return SSL_write(tls.get(), bytes.data(), static_cast<int>(bytes.size()));
        },
        [&tls](std::span<char> into) -> long {
            return SSL_read(tls.get(), into.data(), static_cast<int>(into.size()));
        });
}

} // namespace

result<probed> probe(const std::string& address, const probe_options& with)
{
    const auto to = find_place(address, true);
    if (!to)
        return to.error();
    const socket_handle s(::socket(to->family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (s.get() < 0)
        return unreachable(errno, "cannot make a socket");
    if (auto connected = connect(s.get(), *to, address, with.timeout); !connected)
        return connected.error();
    const auto send = [&s](std::string_view bytes) -> long {
        return ::send(s.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    };
    if (with.proxy_header && send(proxy_line) != static_cast<long>(proxy_line.size()))
        return make_error(errc::unavailable, address + " closed the connection");
    if (with.tls)
        return ask_over_tls(s.get(), address);
    return ask(address, send,
               [&s](std::span<char> into) -> long { return ::recv(s.get(), into.data(), into.size(), 0); });
}

result<void> try_to_bind(const std::string& address)
{
    const auto at = find_place(address, false);
    if (!at)
        return at.error();
    const socket_handle s(::socket(at->family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (s.get() < 0)
        return unreachable(errno, "cannot make a socket");
    const int on = 1;
    ::setsockopt(s.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (::bind(s.get(), generic(*at), at->length) == 0 && ::listen(s.get(), 1) == 0)
        return {};
    const int why = errno;
    error failed = system_error(why, "cannot bind " + address);
    failed.code = why == EADDRINUSE ? errc::busy : why == EACCES ? errc::unavailable : errc::invalid;
    return failed;
}

} // namespace chargifyd::simulate
