#pragma once

#include "ctl/context.hpp"

#include <string>

namespace chargifyd::ctl {

/// Asks the running daemon; its refusal ends the command. errc::unavailable when no daemon runs.
result<std::string> call_daemon(context& ctx, const std::string& method, const std::string& target);

} // namespace chargifyd::ctl
