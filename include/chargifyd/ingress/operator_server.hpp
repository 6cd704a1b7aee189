#pragma once

#include "chargifyd/base/error.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

namespace chargifyd::ingress {

/// A small request of the operator's: no TLS, no bodies beyond 64 KiB.
struct operator_request {
    std::string method;        ///< GET for HEAD too: the server leaves the body out
    std::string path;          ///< percent-decoded
    std::string query;         ///< as sent, without `?`
    std::string authorization; ///< the header, empty when missing
    std::string body;
    bool local = false; ///< came over the unix socket: the caller may write in the state directory
    std::string host;   ///< the header: a page from elsewhere that a browser was lured to names its own
};

struct operator_reply {
    unsigned status = 200;
    std::string content_type = "application/json";
    std::string body;
    std::string link; ///< the header, when not empty: how to go on
};

/// Runs on a thread of the server's; may block (there are two). An exception becomes 500.
using operator_handler = std::function<operator_reply(const operator_request&)>;

/// The operator's HTTP server: the same gate and deadlines as the webhook server, on threads of its own, so
/// that a slow query never stands in front of an answer to Chargify. Open, start, stop, from one thread at a
/// time.
class operator_server {
public:
    /// `tcp`: "address:port", or empty for none; in its place `tcp_socket`, one that listens already, if it
    /// is not -1. `socket`: path of a unix socket, made with mode 0600 (a stale one is replaced), or empty.
    static result<std::unique_ptr<operator_server>> open(const std::string& tcp,
                                                         const std::filesystem::path& socket,
                                                         operator_handler handler, int tcp_socket = -1);
    ~operator_server();
    void start();
    /// Ends connections and threads. Handlers at work are waited for.
    void stop();
    /// "address:port" with the real port, empty without TCP.
    std::string address() const;

private:
    struct implementation;
    explicit operator_server(std::unique_ptr<implementation> impl) noexcept;
    std::unique_ptr<implementation> impl_;
};

/// Sends one request over a unix socket and waits for the answer, for at most a minute. errc::unavailable:
/// nobody listens there, or there was no whole answer. errc::invalid: the arguments do not make a request.
result<operator_reply> call_operator(const std::filesystem::path& socket, const std::string& method,
                                     const std::string& target, const std::string& body = {});

} // namespace chargifyd::ingress
