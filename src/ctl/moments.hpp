#pragma once

#include "ctl/context.hpp"

#include "chargifyd/state/when.hpp"

#include <chrono>
#include <string>

namespace chargifyd::ctl {

/// How --since and its like are given; for their help.
inline constexpr const char* moment_help = "2026-03-01, 2026-03-01T10:00:00Z or how long ago: 2h, 7d";

std::chrono::sys_seconds now_seconds();

/// The time that an option gives, as the state writes times; empty stays empty. A text that is none is wrong
/// usage.
std::string moment_or_fail(const std::string& given);
/// The same, where a duration is not how long ago, but how long from now.
std::string coming_moment_or_fail(const std::string& given);

} // namespace chargifyd::ctl
