#pragma once

#include <chrono>
#include <functional>
#include <string>

namespace chargifyd {

/// A moment in UTC, to the microsecond: when something was received or written.
using timestamp = std::chrono::sys_time<std::chrono::microseconds>;

/// Now, as the daemon sees it. Tests pass a clock they can set. Safe to call from any thread.
using clock_fn = std::function<timestamp()>;

/// The system's clock.
timestamp system_now();

/// `YYYY-MM-DDTHH:MM:SSZ`, the only form of time in `state.db`. A year before 0 is written as 0, one after
/// 9999 as 9999.
std::string format_utc(std::chrono::sys_seconds when);
std::string format_utc(timestamp when);

} // namespace chargifyd
