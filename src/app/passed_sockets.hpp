#pragma once

#include "chargifyd/base/error.hpp"

#include <vector>

namespace chargifyd::app {

/// The listening sockets that the service manager passed (sd_listen_fds), by the FileDescriptorName= of their
/// units.
struct passed_sockets {
    std::vector<int> https;
    std::vector<int> http;
    int admin = -1;

    bool any() const noexcept { return !https.empty() || !http.empty() || admin >= 0; }
};

/// Takes them; a second call finds none. errc::invalid: one has another name, or `admin` stands twice.
result<passed_sockets> take_passed_sockets();

/// The socket is bound to an address that only this machine can reach.
bool is_loopback(int socket) noexcept;

} // namespace chargifyd::app
