#pragma once

#include "ingress/answer.hpp"
#include "ingress/connection.hpp"
#include "ingress/gate.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>

namespace chargifyd::ingress {

/// The bounds of every connection of a server.
struct session_limits {
    gate_limits gate;
    std::size_t max_header_bytes = 16 * 1024;
    std::chrono::milliseconds handshake_timeout{5000};
    std::chrono::milliseconds header_timeout{10000};
    std::chrono::milliseconds body_timeout{30000};
    std::chrono::milliseconds idle_timeout{15000};
    std::chrono::milliseconds write_timeout{10000};
};

/// How long a server that drains waits for the request of a connection that is open: it may be on its way.
inline constexpr std::chrono::milliseconds drain_patience{1000};

/// What a server does with the requests of one connection, one after the other. Lives as long as the
/// connection and is called on its thread.
class request_handler {
public:
    virtual ~request_handler() = default;

    /// A request begins: what is known of the one before is forgotten.
    virtual void begin() {}
    /// Decides by the head alone; its views end with this call. An answer given here is sent without the body
    /// being read. Without one, `handle` follows.
    virtual std::optional<answer> judge(const request_head& head) = 0;
    /// `body`: exactly the bytes received, unchanged until the answer is written.
    virtual task<answer> handle(std::string_view body) = 0;
    /// The answer to a request that was handled has been given to the socket.
    virtual void answered() {}

    /// What is said to a request that is refused before it is whole.
    virtual answer refuse(refusal reason) = 0;
    virtual void handshake_failed() = 0;
};

/// The thread's part in its sessions.
struct session_home {
    answer_writer writer;
    bool draining = false; ///< answers close their connections from now on
};

/// Serves one connection from handshake to close. All arguments outlive the task.
task<void> serve(connection& c, const session_limits& limits, request_handler& handler, session_home& home);

} // namespace chargifyd::ingress
