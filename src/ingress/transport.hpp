#pragma once

#include "ingress/tls.hpp"

#include <cstddef>
#include <span>
#include <string_view>

namespace chargifyd::ingress {

/// Bytes over a non-blocking socket, with or without TLS; waits for nothing.
///
/// It takes the place of asio::ssl::stream, which holds four buffers of 17 KiB for every connection, idle or
/// not: with OpenSSL directly on the socket an idle TLS connection holds none. Used by one thread at a time,
/// one on which SIGPIPE is blocked (OpenSSL writes with write()).
class transport {
public:
    enum class outcome {
        done,
        want_read,  ///< try again once the socket is readable
        want_write, ///< try again once the socket is writable
        closed,     ///< the peer has closed, or nothing can be sent or received any more
    };
    struct attempt {
        outcome result = outcome::done;
        std::size_t bytes = 0;
    };

    /// `socket` stays the caller's and outlives this. `session` is empty for plain connections.
    /// Nothing can be used when `ok` says no.
    transport(int socket, tls_session session) noexcept;
    bool ok() const noexcept { return !broken_; }
    bool encrypted() const noexcept { return session_ != nullptr; }

    outcome handshake() noexcept;
    /// At least one byte when done.
    attempt read(std::span<char> into) noexcept;
    attempt write(std::string_view bytes) noexcept;
    /// Bytes that were received and decrypted, or wait to be, so that the socket may never become readable
    /// for them.
    bool has_pending() const noexcept;
    /// Says farewell (close_notify) as far as that is possible without waiting.
    void say_farewell() noexcept;
    /// Takes what has come in and forgets it, without decrypting.
    attempt discard() noexcept;
    /// What has come in, not decrypted; it stays there.
    attempt peek(std::span<char> into) noexcept;
    /// As `peek`, and takes it away.
    attempt take(std::span<char> into) noexcept;

private:
    outcome outcome_of(int returned) noexcept;

    int socket_;
    tls_session session_;
    bool broken_ = false; ///< after a fatal TLS error nothing more may be sent
};

} // namespace chargifyd::ingress
