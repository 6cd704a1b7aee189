#pragma once

#include "simulate/answer.hpp"
#include "simulate/endpoint.hpp"

#include "chargifyd/base/error.hpp"
#include "chargifyd/simulate/sender.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chargifyd::simulate {

namespace net = boost::asio;

// The concrete executor: every operation is spared the indirections of any_io_executor.
using executor = net::io_context::executor_type;
using tcp_socket = net::basic_stream_socket<net::ip::tcp, executor>;
using tls_stream = net::ssl::stream<tcp_socket>;
template <class T>
using task = net::awaitable<T, executor>;

/// What all connections to one target share. Any thread, once it is complete.
struct destination {
    endpoint where;
    std::shared_ptr<net::ssl::context> tls; ///< null for http
    std::vector<net::ip::tcp::endpoint> addresses;
    bool resume = false; ///< a connection opened anew offers the TLS session of the one before
};

/// The TLS settings of a target; null for http. errc::invalid: the file of authorities cannot be used.
result<std::shared_ptr<net::ssl::context>> make_tls_context(const target& to, const endpoint& where);

/// The addresses of a host. Blocks for as long as the system's resolver takes. errc::unavailable.
result<std::vector<net::ip::tcp::endpoint>> resolve(const endpoint& where);

/// The part of an exchange that failed.
enum class phase { none, connect, handshake, send, receive };

/// The answer to one request, or why there is none.
struct reply {
    reply() {} // not an aggregate: it travels through coroutines

    unsigned status = 0; ///< 0: no answer
    phase failed = phase::none;
    boost::system::error_code why;
    long verification = 0; ///< OpenSSL's X509_V_ERR_ of a certificate that was not accepted
    bool any_byte = false; ///< some of the answer had come
};

/// One sentence about a failed reply, for a person. It names the host, never the path, the query or content.
std::string describe(const reply& r, const endpoint& where);

/// One HTTP connection, kept while both sides want that. All of it runs on the executor's one thread.
class connection {
public:
    /// `to` outlives the connection.
    connection(executor on, const destination& to)
        : executor_(on)
        , to_(to)
    {}

    /// Connects and shakes hands, after closing what is open. `status` stays 0; `failed` tells.
    task<reply> open();
    /// Sends a request and reads the whole answer; `request` stays alive until then. Opens the connection
    /// when there is none, and opens it anew, once, when a kept one turns out to be closed before any byte of
    /// the answer.
    task<reply> post(std::string_view request);
    /// Makes what is under way fail with operation_aborted.
    void abort() noexcept;
    /// Only while nothing is under way.
    void close() noexcept;
    bool is_open() const noexcept { return plain_ || secure_; }
    /// How many handshakes resumed a session.
    std::uint64_t resumed() const noexcept { return resumed_; }

private:
    task<void> shake_hands(reply& out);
    task<reply> exchange(std::string_view request);
    template <class Stream>
    task<void> exchange_over(Stream& stream, std::string_view request, reply& out);
    template <class Stream>
    task<void> receive(Stream& stream, reply& out);
    boost::system::error_code feed(std::optional<answer_parser>& parser, std::size_t& filled);
    void fail(reply& out, phase at, const boost::system::error_code& why) noexcept;
    void keep_session() noexcept;

    executor executor_;
    const destination& to_;
    std::optional<tcp_socket> plain_;
    std::optional<tls_stream> secure_;
    std::unique_ptr<SSL_SESSION, decltype(&SSL_SESSION_free)> session_{nullptr, SSL_SESSION_free};
    std::uint64_t resumed_ = 0;
    bool reusable_ = false;
    std::array<char, 8192> buffer_;
};

} // namespace chargifyd::simulate
