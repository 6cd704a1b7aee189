#pragma once

#include <openssl/ssl.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace chargifyd::test {

/// An answer taken apart.
struct response {
    unsigned status = 0; ///< 0: none came
    std::string head;
    std::string body;

    /// The value of a header, or "(none)".
    std::string header(const std::string& name) const;
};

/// A raw, blocking connection, over which a test says exactly the bytes it wants to. Everything that is
/// waited for fails after a minute instead of hanging.
class client {
public:
    /// "127.0.0.1:80", "[::1]:80". Not connected when it is refused.
    explicit client(const std::string& address);
    explicit client(const std::filesystem::path& unix_socket);
    ~client();
    client(client&& other) noexcept;
    client& operator=(client&& other) noexcept;

    bool connected() const noexcept { return fd_ >= 0; }
    std::string local_address() const;

    /// Begins TLS; false when the server refuses. `prepare` may restrict what is offered. `before` is sent
    /// before it, in one piece with its first message.
    bool start_tls(const std::function<void(SSL_CTX*)>& prepare = {}, std::string_view before = {});
    SSL* tls() const noexcept { return session_.get(); }
    /// The common name in the server's certificate.
    std::string server_name() const;

    /// False when the connection broke before everything was sent.
    bool send(std::string_view bytes);
    /// Sends what can be sent without waiting; the number of bytes, 0 when there is no room, nothing when
    /// broken.
    std::optional<std::size_t> try_send(std::string_view bytes);
    /// The next answer. `to_head`: it answers a HEAD.
    response receive(bool to_head = false);
    /// Sends and receives.
    response ask(std::string_view bytes);
    /// Waits for the end of the connection: what still came before it, or nothing if there was no end.
    std::optional<std::string> rest();
    /// No more requests; answers can still come.
    void finish_sending();

private:
    bool fill();

    int fd_ = -1;
    std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_{nullptr, SSL_CTX_free};
    std::unique_ptr<SSL, decltype(&SSL_free)> session_{nullptr, SSL_free};
    std::string in_;
    bool ended_ = false;
};

} // namespace chargifyd::test
