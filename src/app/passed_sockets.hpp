#pragma once

#include "chargifyd/base/error.hpp"
#include "chargifyd/config/settings.hpp"

#include <vector>

namespace chargifyd::app {

/// The listening sockets that the service manager passed (sd_listen_fds), by the FileDescriptorName= of their
/// units.
struct passed_sockets {
    std::vector<int> https;
    std::vector<int> http;
    std::vector<int> admin; ///< one at most
};

/// Takes them; a second call finds none. The configuration says what is served, the sockets where: one of a
/// kind that is not configured is given back. errc::invalid: one has another name, there are two for admin,
/// or that one can be reached from outside without a token.
result<passed_sockets> take_passed_sockets(const config::settings& configured);

} // namespace chargifyd::app
