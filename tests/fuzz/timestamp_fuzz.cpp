#include "fuzz.hpp"

#include "chargifyd/base/time.hpp"
#include "chargifyd/chargify/timestamp.hpp"

#include <array>
#include <chrono>
#include <string>

/// The input is a text, and the first 16 bytes of it are also numbers. Promises: a text that is read means
/// its own digits, a date that exists and a time within a day; an instant written in any of Chargify's forms
/// is read back; a date that does not exist is read in none.
namespace chargifyd::chargify {
namespace {

using fuzz::require;
using namespace std::chrono;

constexpr std::array<const char*, 7> weekdays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<const char*, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                             "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::int64_t last_second = 253402300799; // 9999-12-31T23:59:59Z

std::string formatted(const char* how, auto... values)
{
    std::array<char, 96> text{};
    std::snprintf(text.data(), text.size(), how, values...);
    return text.data();
}

/// A date and a time of day as digits, whether they exist or not, and an offset in minutes.
struct written {
    int year = 1970, month = 1, day = 1, hour = 0, minute = 0, second = 0, offset = 0;

    std::string date() const { return formatted("%04d-%02d-%02d", year, month, day); }
    std::string clock() const { return formatted("%02d:%02d:%02d", hour, minute, second); }
    std::string zone(const char* separator) const
    {
        const int size = offset < 0 ? -offset : offset;
        return formatted("%c%02d%s%02d", offset < 0 ? '-' : '+', size / 60, separator, size % 60);
    }
    std::string usual() const { return date() + " " + clock() + " " + zone(""); }
    std::string rfc() const { return date() + "T" + clock() + zone(":"); }
    std::string inspected() const
    {
        const year_month_day when{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                  std::chrono::day(static_cast<unsigned>(day))};
        const char* const on = when.ok() ? weekdays[weekday(sys_days(when)).c_encoding()] : "Mon";
        const char* const name =
            month >= 1 && month <= 12 ? months[static_cast<std::size_t>(month - 1)] : "Foo";
        return formatted("%s, %02d %s %04d %s.%09d EST %s", on, day, name, year, clock().c_str(), 0,
                         zone(":").c_str());
    }
    bool exists() const
    {
        const year_month_day when{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                  std::chrono::day(static_cast<unsigned>(day))};
        return when.ok() && hour <= 23 && minute <= 59 && second <= 60;
    }
};

written digits_of(sys_seconds local)
{
    const sys_days day = floor<days>(local);
    const year_month_day date(day);
    const hh_mm_ss clock(local - day);
    return {static_cast<int>(date.year()),
            static_cast<int>(static_cast<unsigned>(date.month())),
            static_cast<int>(static_cast<unsigned>(date.day())),
            static_cast<int>(clock.hours().count()),
            static_cast<int>(clock.minutes().count()),
            static_cast<int>(clock.seconds().count()),
            0};
}

void check_round_trip(std::int64_t second, int offset)
{
    const sys_seconds when{seconds(second)};
    const sys_seconds local = when + minutes(offset);
    if (local < sys_seconds{} || local > sys_seconds{seconds(last_second)})
        return;
    written w = digits_of(local);
    w.offset = offset;
    for (const std::string& text : {w.usual(), w.rfc(), w.inspected(), format_utc(when), " " + w.usual()})
        require(parse_timestamp(text) == when, "what is written is read back");
    const written utc = digits_of(when);
    require(parse_timestamp(utc.date() + " " + utc.clock() + " UTC") == when, "UTC is read back");
    require(parse_timestamp(utc.date()) == floor<days>(when), "a date is its midnight");
}

void check_existence(written w)
{
    for (const std::string& text : {w.usual(), w.rfc(), w.inspected()})
        require(w.exists() == parse_timestamp(text).has_value(), "what exists is read, and nothing else");
    w.hour = w.minute = w.second = 0;
    require(w.exists() == parse_timestamp(w.date()).has_value(), "dates that exist are read, and no others");
}

/// The digits at a place of a text.
int number(std::string_view text, std::size_t at, std::size_t width)
{
    int value = 0;
    for (const char c : text.substr(std::min(at, text.size()), width)) {
        require(c >= '0' && c <= '9', "digits stand where they must");
        value = value * 10 + (c - '0');
    }
    require(text.size() >= at + width, "no digit is missing");
    return value;
}

/// A dashed text that was read: its digits say what came out.
void check_dashed(std::string_view text, sys_seconds read)
{
    written w;
    w.year = number(text, 0, 4);
    w.month = number(text, 5, 2);
    w.day = number(text, 8, 2);
    if (text.size() > 10) {
        w.hour = number(text, 11, 2);
        w.minute = number(text, 14, 2);
        w.second = number(text, 17, 2);
    }
    require(w.exists(), "only what exists is read");
    const year_month_day date(std::chrono::year(w.year), std::chrono::month(static_cast<unsigned>(w.month)),
                              std::chrono::day(static_cast<unsigned>(w.day)));
    const sys_seconds local = sys_days(date) + hours(w.hour) + minutes(w.minute) + seconds(w.second);
    const auto offset = read < local ? local - read : read - local;
    require(offset < hours(15) && offset % minutes(1) == seconds(0), "an offset is less than 15 hours");
}

void fuzz_one(std::string_view input)
{
    const std::string text(input);
    if (const auto read = parse_timestamp(text)) {
        require(read->time_since_epoch() >= seconds(0) && read->time_since_epoch().count() <= last_second,
                "an instant is from 1970 to 9999");
        require(parse_timestamp(format_utc(*read)) == *read, "an instant survives being stored");
        const std::size_t first = text.find_first_not_of(" \t\r\n\v\f");
        const std::string_view trimmed =
            std::string_view(text).substr(first, text.find_last_not_of(" \t\r\n\v\f") - first + 1);
        if (trimmed.front() >= '0' && trimmed.front() <= '9')
            check_dashed(trimmed, *read);
    }
    fuzz::decisions from(input);
    std::uint64_t second = 0;
    const std::string_view eight = from.bytes(8);
    for (const char c : eight)
        second = second << 8 | static_cast<unsigned char>(c);
    check_round_trip(static_cast<std::int64_t>(second % static_cast<std::uint64_t>(last_second + 1)),
                     static_cast<int>(from.below(2 * 899 + 1)) - 899);
    written w;
    w.year = 1971 + static_cast<int>(from.byte());
    w.month = from.byte() % 16;
    w.day = from.byte() % 34;
    w.hour = from.byte() % 26;
    w.minute = from.byte() % 64;
    w.second = from.byte() % 64;
    check_existence(w);
}

} // namespace
} // namespace chargifyd::chargify

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    chargifyd::chargify::fuzz_one(chargifyd::fuzz::text_of(data, size));
    return 0;
}
