#include "chargifyd/base/time.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace chargifyd {

timestamp system_now()
{
    return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
}

std::string format_utc(std::chrono::sys_seconds when)
{
    const auto day = std::chrono::floor<std::chrono::days>(when);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss clock(when - day);
    // A webhook has about fifteen moments, and a general formatter takes thousands of instructions for each.
    std::string text("0000-00-00T00:00:00Z");
    const auto put = [&text](std::size_t end, std::int64_t number) {
        for (; number > 0; number /= 10)
            text[--end] = static_cast<char>('0' + number % 10);
    };
    put(4, std::clamp(static_cast<int>(date.year()), 0, 9999));
    put(7, static_cast<unsigned>(date.month()));
    put(10, static_cast<unsigned>(date.day()));
    put(13, clock.hours().count());
    put(16, clock.minutes().count());
    put(19, clock.seconds().count());
    return text;
}

std::string format_utc(timestamp when)
{
    return format_utc(std::chrono::floor<std::chrono::seconds>(when));
}

} // namespace chargifyd
