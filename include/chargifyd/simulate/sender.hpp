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
    std::string url;                    ///< http:// or https://, with host, optional port, path
    secret shared_key;                  ///< signs every body; empty: unsigned
    std::filesystem::path ca_file;      ///< trusted instead of the system's; empty: the system's
    bool insecure = false;              ///< accept any certificate (the trial's is self-signed)
    std::chrono::milliseconds timeout{15000};  ///< per webhook, Chargify's own patience
};

/// What came of one attempt.
struct attempt {
    unsigned status = 0;                ///< HTTP status; 0 when there was no answer
    std::chrono::microseconds took{};
    std::string failure;                ///< why there was no answer
};

/// One connection, kept open between webhooks and opened anew when it was closed. One thread.
class sender {
public:
    /// errc::invalid when the URL cannot be used.
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
    std::chrono::milliseconds duration{10000};  ///< stops here …
    std::uint64_t webhooks = 0;                 ///< … or after this many; 0: no such bound
    double rate = 0;                            ///< webhooks per second offered, open loop; 0: as fast as answered
    std::size_t body_bytes = 4096;
    std::uint64_t subscriptions = 10000;
    std::uint64_t first = 1;                    ///< numbers the bodies, so that runs can go on where another ended
    std::string site = "acme";
    bool keep_alive = true;
    unsigned threads = 1;
};

/// Latencies are from the moment a webhook was due (open loop) or sent (closed loop) to the end of its answer.
struct load_report {
    std::uint64_t sent = 0;
    std::uint64_t acknowledged = 0;      ///< answered 200
    std::uint64_t refused = 0;           ///< any other status
    std::uint64_t failed = 0;            ///< no answer
    double seconds = 0;
    double cpu_seconds = 0;              ///< of this process: a starved generator is seen
    std::chrono::microseconds p50{}, p99{}, p999{}, max{};
};

/// Runs a load; `acked` is called with each acknowledged webhook's id, from the sending threads.
result<load_report> run_load(const target& to, const load_options& with,
                             const std::function<void(std::int64_t id)>& acked = {});

}  // namespace chargifyd::simulate
