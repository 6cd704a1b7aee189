#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

/// Structured logging to stderr: a fixed message, and fields that hold what varies.
///
/// Every value is escaped (control characters, quotes, bytes that are not UTF-8) and cut at 1024 bytes, so
/// nothing a sender chooses can forge a line. Callers never pass a body, a key, a signature or personal data.
/// All functions may be called from any thread.
namespace chargifyd::log {

/// error: someone must act; warning: look at it soon; info: what an operator wants to have read; debug: for
/// us.
enum class level { debug, info, warning, error };
enum class format { text, json };

std::optional<level> parse_level(std::string_view name) noexcept;
std::optional<format> parse_format(std::string_view name) noexcept;

struct field {
    using value_type = std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool>;

    field(std::string_view k, std::string_view v)
        : key(k)
        , value(v)
    {}
    field(std::string_view k, const std::string& v)
        : key(k)
        , value(std::string_view(v))
    {}
    field(std::string_view k, const char* v)
        : key(k)
        , value(std::string_view(v))
    {}
    field(std::string_view k, bool v)
        : key(k)
        , value(v)
    {}
    field(std::string_view k, double v)
        : key(k)
        , value(v)
    {}
    template <class T>
    requires(std::is_integral_v<T>&& std::is_signed_v<T>) field(std::string_view k, T v)
        : key(k)
        , value(static_cast<std::int64_t>(v))
    {}
    template <class T>
    requires(std::is_integral_v<T>&& std::is_unsigned_v<T> && !std::is_same_v<T, bool>)
        field(std::string_view k, T v)
        : key(k)
        , value(static_cast<std::uint64_t>(v))
    {}

    std::string_view key;
    value_type value;
};
using fields = std::initializer_list<field>;

/// Sets level and form. Before the first call: info, text.
void configure(level threshold, format form);
void set_level(level threshold);

void write(level at, std::string_view message, fields with = {});

inline void debug(std::string_view message, fields with = {})
{
    write(level::debug, message, with);
}
inline void info(std::string_view message, fields with = {})
{
    write(level::info, message, with);
}
inline void warning(std::string_view message, fields with = {})
{
    write(level::warning, message, with);
}
inline void error(std::string_view message, fields with = {})
{
    write(level::error, message, with);
}

/// The line `write` would print, without time and level. For tests.
std::string render(format form, std::string_view message, fields with);

} // namespace chargifyd::log
