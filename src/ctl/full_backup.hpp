#pragma once

#include "ctl/context.hpp"

#include <filesystem>

namespace chargifyd::ctl {

/// Copies everything that is needed to start on another machine into a new directory.
exit_code back_up_all(context& ctx, const std::filesystem::path& to);

} // namespace chargifyd::ctl
