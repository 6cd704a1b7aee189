#include "chargifyd/chargify/timestamp.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace chargifyd::chargify {

namespace {

using namespace std::chrono;

constexpr std::array<std::string_view, 7> weekdays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::string_view white_space = " \t\r\n\v\f";
constexpr seconds last_second{253402300799}; // 9999-12-31T23:59:59Z

bool is_digit(char c) noexcept
{
    return c >= '0' && c <= '9';
}

/// Reads from the front of a text. After the first mismatch everything fails, so only the end needs a check.
class reader {
public:
    explicit reader(std::string_view text) noexcept
        : rest_(text)
    {}

    bool good() const noexcept { return good_; }
    bool at_end() const noexcept { return good_ && rest_.empty(); }
    bool next_is(char c) const noexcept { return good_ && rest_.starts_with(c); }

    /// Exactly `width` digits, at most `highest`.
    int number(std::size_t width, int highest) noexcept
    {
        int value = 0;
        for (std::size_t i = 0; i < width; ++i) {
            const char c = i < rest_.size() ? rest_[i] : ' ';
            good_ = good_ && is_digit(c);
            value = value * 10 + (good_ ? c - '0' : 0);
        }
        good_ = good_ && value <= highest;
        drop(width);
        return value;
    }

    void expect(std::string_view literal) noexcept
    {
        good_ = good_ && rest_.starts_with(literal);
        drop(literal.size());
    }

    /// The place in `names` of the name that comes next.
    template <std::size_t count>
    unsigned name(const std::array<std::string_view, count>& names) noexcept
    {
        const auto found = std::find_if(names.begin(), names.end(),
                                        [this](std::string_view n) { return rest_.starts_with(n); });
        good_ = good_ && found != names.end();
        drop(3);
        return static_cast<unsigned>(found - names.begin());
    }

    /// At least one character for which `is` holds, and all that follow.
    template <class F>
    void one_or_more(F is) noexcept
    {
        std::size_t length = 0;
        while (length < rest_.size() && is(rest_[length]))
            ++length;
        good_ = good_ && length > 0;
        drop(length);
    }

    void fraction() noexcept
    {
        if (!next_is('.'))
            return;
        drop(1);
        one_or_more(is_digit);
    }

    /// `-0500` or `-05:00`.
    seconds offset(std::string_view separator) noexcept
    {
        const bool negative = next_is('-');
        expect(negative ? "-" : "+");
        const hours h{number(2, 14)};
        expect(separator);
        const minutes m{number(2, 59)};
        return negative ? -(h + m) : h + m;
    }

    year_month_day date() noexcept
    {
        const int y = number(4, 9999);
        expect("-");
        const int m = number(2, 12);
        expect("-");
        const int d = number(2, 31);
        return check(year_month_day(year(y), month(static_cast<unsigned>(m)), day(static_cast<unsigned>(d))));
    }

    year_month_day check(year_month_day date) noexcept
    {
        good_ = good_ && date.ok();
        return date;
    }

    seconds clock() noexcept
    {
        const hours h{number(2, 23)};
        expect(":");
        const minutes m{number(2, 59)};
        expect(":");
        return h + m + seconds{number(2, 60)};
    }

private:
    void drop(std::size_t count) noexcept { rest_.remove_prefix(std::min(count, rest_.size())); }

    std::string_view rest_;
    bool good_ = true;
};

std::optional<sys_seconds> instant(const reader& from, year_month_day date, seconds clock,
                                   seconds offset) noexcept
{
    if (!from.at_end())
        return std::nullopt;
    const sys_seconds when = sys_days(date) + clock - offset;
    if (when.time_since_epoch() < 0s || when.time_since_epoch() > last_second)
        return std::nullopt;
    return when;
}

/// `2016-11-08` and what may follow it.
std::optional<sys_seconds> parse_dashed(reader from) noexcept
{
    const year_month_day date = from.date();
    seconds clock{};
    seconds offset{};
    if (from.next_is('T')) {
        from.expect("T");
        clock = from.clock();
        from.fraction();
        if (from.next_is('Z'))
            from.expect("Z");
        else
            offset = from.offset(":");
    } else if (!from.at_end()) {
        from.expect(" ");
        clock = from.clock();
        from.fraction();
        from.expect(" ");
        if (from.next_is('U'))
            from.expect("UTC");
        else
            offset = from.offset("");
    }
    return instant(from, date, clock, offset);
}

/// `Thu, 18 Jan 2024 21:09:55.000000000 EST -05:00`. The zone's name says nothing that the offset does not.
std::optional<sys_seconds> parse_inspected(reader from) noexcept
{
    const unsigned on = from.name(weekdays);
    from.expect(", ");
    const int d = from.number(2, 31);
    from.expect(" ");
    const unsigned m = from.name(months) + 1;
    from.expect(" ");
    const int y = from.number(4, 9999);
    from.expect(" ");
    const year_month_day date = from.check(year_month_day(year(y), month(m), day(static_cast<unsigned>(d))));
    const seconds clock = from.clock();
    from.fraction();
    from.expect(" ");
    from.one_or_more([](char c) { return (c >= 'A' && c <= 'Z') || is_digit(c) || c == '+' || c == '-'; });
    from.expect(" ");
    const seconds offset = from.offset(":");
    if (!from.good() || weekday(sys_days(date)).c_encoding() != on)
        return std::nullopt;
    return instant(from, date, clock, offset);
}

} // namespace

std::optional<sys_seconds> parse_timestamp(std::string_view text) noexcept
{
    const std::size_t first = text.find_first_not_of(white_space);
    if (first == std::string_view::npos)
        return std::nullopt;
    text = text.substr(first, text.find_last_not_of(white_space) - first + 1);
    return is_digit(text.front()) ? parse_dashed(reader(text)) : parse_inspected(reader(text));
}

} // namespace chargifyd::chargify
