#include "chargifyd/state/when.hpp"

#include "chargifyd/chargify/timestamp.hpp"

#include <charconv>
#include <optional>

namespace chargifyd::state {

namespace {

using std::chrono::seconds;
using std::chrono::sys_seconds;

constexpr std::int64_t longest_duration = std::int64_t{1000} * 366 * 86400;
constexpr std::size_t length_of_date = 10;

std::optional<std::int64_t> seconds_of(char unit) noexcept
{
    switch (unit) {
    case 's':
        return 1;
    case 'm':
        return 60;
    case 'h':
        return 3600;
    case 'd':
        return 86400;
    case 'w':
        return 7 * 86400;
    default:
        return std::nullopt;
    }
}

std::optional<seconds> read_duration(std::string_view text)
{
    std::int64_t count = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, failed] = std::from_chars(text.data(), end, count);
    if (failed != std::errc() || stop + 1 != end || count < 0 || text.front() == '-')
        return std::nullopt;
    const auto unit = seconds_of(*stop);
    if (!unit || count > longest_duration / *unit)
        return std::nullopt;
    return seconds(count * *unit);
}

bool looks_like_date(std::string_view text) noexcept
{
    for (std::size_t i = 0; i < length_of_date; ++i) {
        const bool dash = i == 4 || i == 7;
        if (i >= text.size() || (dash ? text[i] != '-' : text[i] < '0' || text[i] > '9'))
            return false;
    }
    return true;
}

std::string quoted(std::string_view text)
{
    return "'" + std::string(text.substr(0, 64)) + "'";
}

} // namespace

result<seconds> parse_duration(std::string_view text)
{
    if (const auto read = read_duration(text))
        return *read;
    return make_error(errc::invalid,
                      quoted(text) +
                          " is no duration; write a whole number and a unit: 90s, 30m, 2h, 7d or 2w");
}

result<sys_seconds> parse_moment(std::string_view text, sys_seconds now)
{
    if (const auto ago = read_duration(text))
        return now - *ago;
    const bool is_date = text.size() == length_of_date;
    // Chargify's own forms are for webhooks; people are held to the one that the state uses.
    if (looks_like_date(text) && (is_date || text[length_of_date] == 'T')) {
        if (const auto read = chargify::parse_timestamp(text))
            return *read;
    }
    return make_error(errc::invalid, quoted(text) +
                                         " is no time; write 2026-03-01, 2026-03-01T10:00:00Z, or how "
                                         "long ago: 2h, 7d");
}

result<sys_seconds> parse_day(std::string_view text)
{
    if (looks_like_date(text) && text.size() == length_of_date) {
        if (const auto read = chargify::parse_timestamp(text))
            return *read;
    }
    return make_error(errc::invalid, quoted(text) + " is no day; write 2026-03-01");
}

} // namespace chargifyd::state
