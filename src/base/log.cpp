#include "chargifyd/base/log.hpp"

#include "base/stderr_sink.hpp"

#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include <atomic>
#include <memory>
#include <unistd.h>

namespace chargifyd::log {

namespace {

constexpr std::size_t longest_value = 1024;

std::atomic<format> current_format{format::text};

spdlog::level::level_enum to_spdlog(level l) noexcept
{
    switch (l) {
    case level::debug:
        return spdlog::level::debug;
    case level::info:
        return spdlog::level::info;
    case level::warning:
        return spdlog::level::warn;
    case level::error:
        return spdlog::level::err;
    }
    return spdlog::level::err;
}

spdlog::logger& logger()
{
    static const std::shared_ptr<spdlog::logger> instance = [] {
        const auto lost = [](std::uint64_t lines) {
            return render(current_format, "log lines were lost, for nobody took them", {{"lines", lines}});
        };
        auto made =
            std::make_shared<spdlog::logger>("chargifyd", std::make_shared<stderr_sink>(STDERR_FILENO, lost));
        made->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
        made->flush_on(spdlog::level::debug);
        return made;
    }();
    return *instance;
}

std::string_view cut(std::string_view text) noexcept
{
    return text.substr(0, longest_value);
}

/// A JSON string literal: every control character and every byte that is not UTF-8 is escaped or replaced.
std::string quoted(std::string_view text)
{
    return nlohmann::json(cut(text)).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

bool needs_quotes(std::string_view text) noexcept
{
    if (text.empty() || text.size() > longest_value)
        return true;
    for (const char c : text) {
        if (c <= ' ' || c == '"' || c == '\\' || c == '=' || static_cast<unsigned char>(c) >= 0x7f)
            return true;
    }
    return false;
}

void append_value(std::string& out, format form, const field::value_type& value)
{
    std::visit(
        [&](const auto& v) {
            using type = std::decay_t<decltype(v)>;
            if constexpr (std::is_same_v<type, std::string_view>)
                out += form == format::json || needs_quotes(v) ? quoted(v) : std::string(v);
            else if constexpr (std::is_same_v<type, bool>)
                out += v ? "true" : "false";
            else
                out += fmt::format("{}", v);
        },
        value);
}

} // namespace

std::optional<level> parse_level(std::string_view name) noexcept
{
    if (name == "debug")
        return level::debug;
    if (name == "info")
        return level::info;
    if (name == "warning")
        return level::warning;
    if (name == "error")
        return level::error;
    return std::nullopt;
}

std::optional<format> parse_format(std::string_view name) noexcept
{
    if (name == "text")
        return format::text;
    if (name == "json")
        return format::json;
    return std::nullopt;
}

void configure(level threshold, format form)
{
    current_format = form;
    // In JSON the time and level are members of the object, so the whole line is one value.
    logger().set_pattern(form == format::json ? R"({"time":"%Y-%m-%dT%H:%M:%S.%fZ","level":"%l",%v})"
                                              : "%Y-%m-%dT%H:%M:%S.%eZ %l %v",
                         spdlog::pattern_time_type::utc);
    set_level(threshold);
}

void set_level(level threshold)
{
    logger().set_level(to_spdlog(threshold));
}

std::string render(format form, std::string_view message, fields with)
{
    std::string line;
    if (form == format::json) {
        line = "\"message\":" + quoted(message);
        for (const field& f : with) {
            line += ',';
            line += quoted(f.key);
            line += ':';
            append_value(line, form, f.value);
        }
        return line;
    }
    line = message;
    for (const field& f : with) {
        line += ' ';
        line += f.key;
        line += '=';
        append_value(line, form, f.value);
    }
    return line;
}

void write(level at, std::string_view message, fields with)
{
    spdlog::logger& to = logger();
    if (!to.should_log(to_spdlog(at)))
        return;
    try {
        to.log(to_spdlog(at), spdlog::string_view_t(render(current_format, message, with)));
    } catch (const std::exception&) {
        // No memory for the line. Those who log a failure must not fail by it.
        constexpr const char* lost[] = {"a log line was lost", R"("message":"a log line was lost")"};
        to.log(to_spdlog(level::error), spdlog::string_view_t(lost[current_format == format::json ? 1 : 0]));
    }
}

} // namespace chargifyd::log
