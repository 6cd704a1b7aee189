#pragma once

#include "chargifyd/base/error.hpp"
#include "chargifyd/base/metrics.hpp"
#include "chargifyd/base/time.hpp"
#include "chargifyd/chargify/signature.hpp"
#include "chargifyd/journal/journal.hpp"
#include "chargifyd/quarantine/quarantine.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

/// The port Chargify posts to: listeners, TLS, HTTP/1.1, the signature, and nothing else.
namespace chargifyd::ingress {

/// The certificate chain and its key, both PEM files.
struct tls_files {
    std::filesystem::path certificate;
    std::filesystem::path private_key;
};

/// One Chargify site that may post here. `name` is its subdomain and the last part of `/webhooks/{name}`.
struct site {
    std::string name;
    chargify::verifier keys;
    bool quarantines = false; ///< what does not verify is answered 200 and kept apart
};

/// Each limit has a status code. Deadlines are absolute for their phase: a byte now and then does not extend
/// them.
struct options {
    std::vector<std::string> https; ///< "address:port", IPv6 in brackets; port 0: any free port
    std::vector<std::string> http;  ///< the same, without TLS
    /// Sockets that listen already, from the service manager, which the server takes over: in place of the
    /// addresses of their kind.
    std::vector<int> https_sockets;
    std::vector<int> http_sockets;
    tls_files tls;                            ///< needed when there is any https
    std::size_t max_body_bytes = 1024 * 1024; ///< 413
    std::size_t max_header_bytes = 16 * 1024; ///< request line and headers: 431
    std::size_t max_header_fields = 100;      ///< 431
    std::size_t max_connections = 10000;      ///< above: accepting pauses, the rest waits in the backlog
    std::chrono::milliseconds handshake_timeout{5000}; ///< closed
    std::chrono::milliseconds header_timeout{10000};   ///< from the first byte of a request: 408
    std::chrono::milliseconds body_timeout{30000};     ///< 408
    std::chrono::milliseconds idle_timeout{15000};     ///< between requests: closed
    std::chrono::milliseconds write_timeout{10000};    ///< closed
    std::chrono::seconds retry_after{5};               ///< sent with 503
    unsigned threads = 0;                              ///< 0: one per core
    std::vector<std::string>
        trusted_proxies;         ///< networks ("10.0.0.0/8") whose X-Forwarded-For names the peer
    bool proxy_protocol = false; ///< connections from trusted_proxies begin with a PROXY header, v1 or v2
};

/// The receiving server. Open, start, (reload), drain; every function may be called from any one thread at a
/// time.
///
/// A request passes: head read, framing and headers judged (docs: the status table of the README), body read
/// to its declared length, signature verified over the exact bytes, journal::log::submit, and 200 once that
/// is durable. While a webhook waits for the journal its bytes stay in the connection's buffer: they are
/// copied once, into the batch.
class webhook_server {
public:
    /// Checks the certificate and its key and binds every address, so that a mistake is known before anything
    /// starts. `inbox`, `apart` and `instruments` outlive the server. Takes over the hooks `on_batch` of
    /// `inbox` and `apart`.
    static result<std::unique_ptr<webhook_server>> open(const options& with, std::vector<site> sites,
                                                        journal::log& inbox, quarantine::store& apart,
                                                        metrics::registry& instruments, clock_fn clock);
    ~webhook_server();

    /// Starts the threads and accepts.
    void start();

    /// New certificate and keys for new connections and requests; those under way keep what they had. All or
    /// nothing.
    result<void> reload(const tls_files& tls, std::vector<site> sites);

    /// Logs a warning when the certificate expires within two weeks.
    void warn_of_expiry() const;

    /// Health turns to 503 `draining`, listeners close, requests under way get their answer and their
    /// connection closes, idle connections close when no request comes within a second. Returns when the last
    /// has gone or `grace` is over, then ends the threads.
    void drain(std::chrono::milliseconds grace);

    /// One word for GET /healthz: `ok`, `draining`, `full`, `disk` or `stopped`.
    std::string_view health() const noexcept;

    /// Whether the keys of that site, as they are now, verify the body. False for a site that is not known.
    bool verifies(std::string_view site, std::string_view body, const digest256& given) const;

    /// The addresses bound, "address:port" with real ports, https first. For tests and the log.
    std::vector<std::string> https_addresses() const;
    std::vector<std::string> http_addresses() const;

    /// For how long the slowest of its threads has not got on; each call asks anew.
    std::chrono::steady_clock::duration stalled();

    /// Open connections now.
    std::size_t connections() const noexcept;

private:
    struct implementation;
    explicit webhook_server(std::unique_ptr<implementation> impl) noexcept;
    std::unique_ptr<implementation> impl_;
};

} // namespace chargifyd::ingress
