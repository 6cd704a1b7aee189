#pragma once

#include "ctl/context.hpp"

namespace chargifyd::ctl {

/// Reads the command line and runs its command. Returns the exit status.
int run(int argc, const char* const* argv, streams with);

/// Whether a terminal gets colours: not with NO_COLOR, and not when it says that it is dumb.
bool wants_colour(const char* no_color, const char* term) noexcept;

} // namespace chargifyd::ctl
