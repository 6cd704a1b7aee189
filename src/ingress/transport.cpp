#include "ingress/transport.hpp"

#include <openssl/err.h>

#include <array>
#include <cerrno>
#include <sys/socket.h>
#include <sys/types.h>
#include <utility>

namespace chargifyd::ingress {
namespace {

transport::attempt received(ssize_t n) noexcept
{
    if (n > 0)
        return {transport::outcome::done, static_cast<std::size_t>(n)};
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return {transport::outcome::want_read, 0};
    return {transport::outcome::closed, 0};
}

} // namespace

transport::transport(int socket, tls_session session) noexcept
    : socket_(socket)
    , session_(std::move(session))
{
    if (session_) {
        SSL_set_accept_state(session_.get());
        broken_ = SSL_set_fd(session_.get(), socket) != 1;
    }
}

transport::outcome transport::outcome_of(int returned) noexcept
{
    switch (SSL_get_error(session_.get(), returned)) {
    case SSL_ERROR_NONE:
        return outcome::done;
    case SSL_ERROR_WANT_READ:
        return outcome::want_read;
    case SSL_ERROR_WANT_WRITE:
        return outcome::want_write;
    case SSL_ERROR_ZERO_RETURN:
        return outcome::closed;
    default:
        broken_ = true;
        return outcome::closed;
    }
}

transport::outcome transport::handshake() noexcept
{
    ERR_clear_error();
    const auto result = outcome_of(SSL_do_handshake(session_.get()));
    // What SSL_MODE_RELEASE_BUFFERS would give back only after the first read, which may never come.
    if (result == outcome::done)
        SSL_free_buffers(session_.get());
    return result;
}

transport::attempt transport::read(std::span<char> into) noexcept
{
    if (!session_)
        return take(into);
    ERR_clear_error();
    std::size_t bytes = 0;
    const int returned = SSL_read_ex(session_.get(), into.data(), into.size(), &bytes);
    return {outcome_of(returned), bytes};
}

transport::attempt transport::write(std::string_view bytes) noexcept
{
    if (session_) {
        ERR_clear_error();
        std::size_t written = 0;
        const int returned = SSL_write_ex(session_.get(), bytes.data(), bytes.size(), &written);
        return {outcome_of(returned), written};
    }
    const auto n = ::send(socket_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n >= 0)
        return {outcome::done, static_cast<std::size_t>(n)};
    return {errno == EAGAIN || errno == EINTR ? outcome::want_write : outcome::closed, 0};
}

bool transport::has_pending() const noexcept
{
    return session_ && SSL_has_pending(session_.get()) == 1;
}

void transport::say_farewell() noexcept
{
    if (!session_ || broken_ || SSL_in_init(session_.get()) == 1)
        return;
    ERR_clear_error();
    SSL_shutdown(session_.get());
}

transport::attempt transport::discard() noexcept
{
    std::array<char, 4096> nowhere;
    return take(nowhere);
}

transport::attempt transport::peek(std::span<char> into) noexcept
{
    return received(::recv(socket_, into.data(), into.size(), MSG_DONTWAIT | MSG_PEEK));
}

transport::attempt transport::take(std::span<char> into) noexcept
{
    return received(::recv(socket_, into.data(), into.size(), MSG_DONTWAIT));
}

} // namespace chargifyd::ingress
