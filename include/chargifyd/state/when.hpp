#pragma once

#include "chargifyd/base/error.hpp"

#include <chrono>
#include <string>
#include <string_view>

/// How people give times and durations, on the command line and over HTTP alike.
namespace chargifyd::state {

/// `45s`, `30m`, `2h`, `7d`, `2w`: a whole number and a unit, of at most 1000 years. errc::invalid: anything
/// else.
result<std::chrono::seconds> parse_duration(std::string_view text);

/// A moment: RFC 3339 (`2026-03-01T10:00:00Z`, `2026-03-01T10:00:00.25-05:00`), a date (its midnight in UTC),
/// or a duration, so long before `now`. errc::invalid: anything else.
result<std::chrono::sys_seconds> parse_moment(std::string_view text, std::chrono::sys_seconds now);

/// A date, as its midnight in UTC. errc::invalid: anything else.
result<std::chrono::sys_seconds> parse_day(std::string_view text);

} // namespace chargifyd::state
