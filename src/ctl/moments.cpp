#include "ctl/moments.hpp"

#include "chargifyd/base/time.hpp"

namespace chargifyd::ctl {

std::chrono::sys_seconds now_seconds()
{
    return std::chrono::floor<std::chrono::seconds>(system_now());
}

std::string moment_or_fail(const std::string& given)
{
    if (given.empty())
        return {};
    return format_utc(value_or_fail(state::parse_moment(given, now_seconds())));
}

std::string coming_moment_or_fail(const std::string& given)
{
    if (const auto ahead = state::parse_duration(given))
        return format_utc(now_seconds() + *ahead);
    return moment_or_fail(given);
}

} // namespace chargifyd::ctl
