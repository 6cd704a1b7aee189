#include "client.hpp"

#include <openssl/err.h>
#include <openssl/x509.h>

#include <algorithm>
#include <arpa/inet.h>
#include <cctype>
#include <csignal>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>

namespace chargifyd::test {
namespace {

/// A failed test, not a slow one: nothing that is waited for takes long.
constexpr timeval patience{60, 0};

int open_socket(const sockaddr* where, socklen_t length)
{
    std::signal(SIGPIPE, SIG_IGN);
    const int fd = ::socket(where->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (where->sa_family != AF_UNIX) {
        const int on = 1;
        ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    if (::connect(fd, where, length) == 0)
        return fd;
    ::close(fd);
    return -1;
}

} // namespace

std::string response::header(const std::string& name) const
{
    const auto at = head.find("\r\n" + name + ": ");
    if (at == std::string::npos)
        return "(none)";
    const auto from = at + 2 + name.size() + 2;
    return head.substr(from, head.find("\r\n", from) - from);
}

client::client(const std::string& address)
{
    const auto colon = address.rfind(':');
    const auto port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(colon + 1))));
    if (address.starts_with('[')) {
        sockaddr_in6 where{};
        where.sin6_family = AF_INET6;
        where.sin6_port = port;
        ::inet_pton(AF_INET6, address.substr(1, colon - 2).c_str(), &where.sin6_addr);
        fd_ = open_socket(reinterpret_cast<const sockaddr*>(&where), sizeof where);
    } else {
        sockaddr_in where{};
        where.sin_family = AF_INET;
        where.sin_port = port;
        ::inet_pton(AF_INET, address.substr(0, colon).c_str(), &where.sin_addr);
        fd_ = open_socket(reinterpret_cast<const sockaddr*>(&where), sizeof where);
    }
}

client::client(const std::filesystem::path& unix_socket)
{
    sockaddr_un where{};
    where.sun_family = AF_UNIX;
    std::strncpy(where.sun_path, unix_socket.c_str(), sizeof where.sun_path - 1);
    fd_ = open_socket(reinterpret_cast<const sockaddr*>(&where), sizeof where);
}

client::client(client&& other) noexcept
    : fd_(std::exchange(other.fd_, -1))
    , context_(std::move(other.context_))
    , session_(std::move(other.session_))
    , in_(std::move(other.in_))
    , ended_(other.ended_)
{}

client& client::operator=(client&& other) noexcept
{
    std::swap(fd_, other.fd_);
    std::swap(session_, other.session_);
    std::swap(context_, other.context_);
    std::swap(in_, other.in_);
    std::swap(ended_, other.ended_);
    return *this;
}

client::~client()
{
    if (fd_ >= 0)
        ::close(fd_);
}

bool client::start_tls(const std::function<void(SSL_CTX*)>& prepare, std::string_view before)
{
    ERR_clear_error();
    context_.reset(SSL_CTX_new(TLS_client_method()));
    // What the server refuses must be its doing, not this library's.
    SSL_CTX_set_security_level(context_.get(), 0);
    if (prepare)
        prepare(context_.get());
    session_.reset(SSL_new(context_.get()));
    if (!before.empty()) {
        BIO* const hello = BIO_new(BIO_s_mem());
        SSL_set_bio(session_.get(), BIO_new(BIO_s_mem()), hello);
        SSL_connect(session_.get());
        char* bytes = nullptr;
        const long length = BIO_get_mem_data(hello, &bytes);
        const auto all = std::string(before) + std::string(bytes, static_cast<std::size_t>(length));
        if (::send(fd_, all.data(), all.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(all.size()))
            return false;
    }
    SSL_set_fd(session_.get(), fd_);
    return SSL_connect(session_.get()) == 1;
}

std::string client::server_name() const
{
    const std::unique_ptr<X509, decltype(&X509_free)> its(SSL_get1_peer_certificate(session_.get()),
                                                          X509_free);
    char name[256] = {};
    X509_NAME_get_text_by_NID(X509_get_subject_name(its.get()), NID_commonName, name, sizeof name);
    return name;
}

bool client::send(std::string_view bytes)
{
    while (!bytes.empty()) {
        const auto n = session_ ? SSL_write(session_.get(), bytes.data(), static_cast<int>(bytes.size()))
                                : ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
}

std::optional<std::size_t> client::try_send(std::string_view bytes)
{
    const auto n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n >= 0)
        return static_cast<std::size_t>(n);
    return errno == EAGAIN ? std::optional<std::size_t>(0) : std::nullopt;
}

bool client::fill()
{
    char piece[16384];
    const auto n =
        session_ ? SSL_read(session_.get(), piece, sizeof piece) : ::recv(fd_, piece, sizeof piece, 0);
    if (n > 0)
        in_.append(piece, static_cast<std::size_t>(n));
    // A reset is an end too; only the time-out is none.
    ended_ = n == 0 || (n < 0 && errno != EAGAIN);
    return n > 0;
}

response client::receive(bool to_head)
{
    response got;
    for (;;) {
        const auto end = in_.find("\r\n\r\n");
        if (end != std::string::npos) {
            got.head = in_.substr(0, end + 2);
            const auto length = got.header("Content-Length");
            const std::size_t body = length == "(none)" || to_head ? 0 : std::stoul(length);
            if (in_.size() >= end + 4 + body) {
                got.body = in_.substr(end + 4, body);
                got.status = static_cast<unsigned>(std::stoul(got.head.substr(9, 3)));
                in_.erase(0, end + 4 + body);
                return got;
            }
        }
        if (!fill())
            return {};
    }
}

response client::ask(std::string_view bytes)
{
    send(bytes);
    return receive();
}

std::optional<std::string> client::rest()
{
    while (fill()) {
    }
    return ended_ ? std::optional(std::exchange(in_, {})) : std::nullopt;
}

void client::finish_sending()
{
    ::shutdown(fd_, SHUT_WR);
}

} // namespace chargifyd::test
