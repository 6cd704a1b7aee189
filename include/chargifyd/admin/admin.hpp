#pragma once

#include "chargifyd/base/metrics.hpp"
#include "chargifyd/base/secret.hpp"
#include "chargifyd/ingress/operator_server.hpp"
#include "chargifyd/pipeline/pipeline.hpp"
#include "chargifyd/quarantine/quarantine.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string_view>

/// The operator's HTTP: health, metrics, the read API, and the commands of `chargifyctl` (over the unix
/// socket only).
namespace chargifyd::admin {

/// The unix socket in the state directory over which `chargifyctl` speaks to a running daemon.
inline constexpr const char* control_socket_name = "control.sock";

/// What the handler shows and steers. All of it outlives the handler.
struct sources {
    std::function<std::string_view()> health; ///< one word, as GET /healthz of the traffic port
    pipeline::pipeline* background = nullptr;
    quarantine::store* quarantined = nullptr;
    /// Moves what verifies now into the journal.
    std::function<result<quarantine::released>()> release_quarantined;
    const metrics::registry* instruments = nullptr;
    std::filesystem::path state_file;
    std::filesystem::path journal_directory;
    std::uint64_t disk_floor_bytes = 0; ///< below so much free space webhooks are not taken
    secret token;                       ///< demanded of every request over TCP when it is set
};

/// Answers (docs/operations.md):
///   GET /healthz, /readyz, /metrics
///   GET /v1/… (src/admin/read_api.hpp)
///   POST /v1/control/retry-dead?sequence=, /v1/control/adopt-rebuilt, /v1/control/maintain,
///   /v1/control/quarantine-verify, /v1/control/quarantine-clear?number=   (unix socket only)
ingress::operator_handler make_handler(sources from);

} // namespace chargifyd::admin
