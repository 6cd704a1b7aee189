#pragma once

#include "chargifyd/base/error.hpp"
#include "chargifyd/base/secret.hpp"
#include "chargifyd/simulate/body.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

/// Posts signed webhooks the way Chargify does, for trials, tests and benchmarks.
namespace chargifyd::simulate {

/// Where to, and how.
struct target {
    /// http:// or https://, with host, optional port, path and query. `{signature_hmac_sha_256}` and
    /// `{signature}` (the legacy MD5) in path or query are replaced, as Chargify does.
    std::string url;
    secret shared_key;             ///< signs every body; empty: unsigned
    std::filesystem::path ca_file; ///< trusted instead of the system's; empty: the system's
    bool insecure = false;         ///< accept any certificate (the trial's is self-signed)
    std::chrono::milliseconds timeout{
        15000}; ///< per webhook, Chargify's own patience; a name's resolver has its own
};

/// What came of one attempt.
struct attempt {
    unsigned status = 0; ///< HTTP status; 0 when there was no answer
    std::chrono::microseconds took{};
    std::string failure; ///< why there was no answer; never holds path, query or content
};

/// One connection, kept open between webhooks and opened anew when it was closed. One thread.
class sender {
public:
    /// errc::invalid when the URL or the file of certificate authorities cannot be used. Does not connect.
    static result<sender> make(target to);
    ~sender();
    sender(sender&&) noexcept;
    sender& operator=(sender&&) noexcept;

    /// Posts one webhook with the headers Chargify sends. Never fails: the outcome is in the attempt.
    attempt post(const webhook& what);

private:
    struct implementation;
    explicit sender(std::unique_ptr<implementation> impl) noexcept;
    std::unique_ptr<implementation> impl_;
};

/// A bounded load.
struct load_options {
    std::size_t connections = 64;
    std::chrono::milliseconds duration{10000}; ///< stops here …
    std::uint64_t webhooks = 0;                ///< … or after this many; 0: no such bound
    double rate = 0; ///< webhooks per second offered, open loop; 0: as fast as answered
    load_mix mix = load_mix::payments;
    std::size_t body_bytes = 4096; ///< of payments; the bodies of other mixes have their natural size
    std::uint64_t subscriptions = 10000;
    std::uint64_t first = 1; ///< numbers the bodies, so that runs can go on where another ended
    std::string site = "acme";
    bool keep_alive = true;
    bool resume = false; ///< without keep_alive: each TLS connection resumes the session of the one before
    unsigned threads = 1;
};

/// Latencies are from the moment a webhook was due (open loop) or sent (closed loop) to the end of its
/// answer.
struct load_report {
    std::uint64_t sent = 0;
    std::uint64_t acknowledged = 0; ///< answered 200
    std::uint64_t refused = 0;      ///< any other status
    std::uint64_t failed = 0;       ///< no answer; sent = acknowledged + refused + failed
    std::uint64_t missed = 0;       ///< open loop: was due, but no connection was free before the end
    std::uint64_t resumed = 0;      ///< TLS connections, after the clock started, that resumed a session
    double seconds = 0;
    double cpu_seconds = 0;                                ///< of this process: a starved generator is seen
    std::chrono::microseconds p50{}, p99{}, p999{}, max{}; ///< of those answered; less than 1 % too high
    /// Open loop: how long after its moment a webhook was begun although its connection was free: the
    /// generator's own share of the latencies.
    std::chrono::microseconds late_p99{}, late_max{};
    std::string failure; ///< why one of the failed had no answer
};

/// Runs a load; `acked` is called with each acknowledged webhook's id, from the sending threads. Connections
/// that are kept are opened before the clock starts; an exception thrown by `acked` ends the run and comes
/// out here. errc::invalid: the options or the URL; errc::unavailable: not one connection could be opened.
result<load_report> run_load(const target& to, const load_options& with,
                             const std::function<void(std::int64_t id)>& acked = {});

} // namespace chargifyd::simulate
