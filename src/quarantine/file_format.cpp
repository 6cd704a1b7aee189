#include "quarantine/file_format.hpp"

#include <charconv>
#include <cstdio>
#include <optional>

namespace chargifyd::quarantine {

namespace {

constexpr std::string_view first_line = "chargifyd-quarantine 1\n";

std::optional<std::int64_t> number_in(std::string_view digits)
{
    std::int64_t number = 0;
    const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (failed != std::errc() || end != digits.data() + digits.size())
        return std::nullopt;
    return number;
}

/// Cuts off the line `NAME VALUE`; nothing when another one is next.
std::optional<std::string_view> take_line(std::string_view& text, std::string_view name)
{
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos || !text.starts_with(name) || text.substr(name.size(), 1) != " ")
        return std::nullopt;
    const std::string_view value = text.substr(name.size() + 1, end - name.size() - 1);
    text.remove_prefix(end + 1);
    return value;
}

} // namespace

std::string write_file(const entry& e)
{
    std::string text(first_line);
    text += "received " + std::to_string(e.received_at.time_since_epoch().count()) + "\n";
    text += "site " + e.site + "\n";
    text += "peer " + e.peer + "\n";
    text += "signature " + to_hex(e.signature) + "\n";
    text += "bytes " + std::to_string(e.body.size()) + "\n\n";
    return text + e.body;
}

result<entry> read_file(std::uint64_t number, std::string_view content)
{
    const auto damaged = [number] {
        return make_error(errc::corrupt, "quarantined webhook " + std::to_string(number) +
                                             " is damaged; remove it with 'chargifyctl quarantine clear " +
                                             std::to_string(number) + "'");
    };
    if (!content.starts_with(first_line))
        return damaged();
    content.remove_prefix(first_line.size());
    const auto received = take_line(content, "received");
    const auto site = take_line(content, "site");
    const auto peer = take_line(content, "peer");
    const auto signature = take_line(content, "signature");
    const auto bytes = take_line(content, "bytes");
    if (!received || !site || !peer || !signature || !bytes || !content.starts_with('\n'))
        return damaged();
    content.remove_prefix(1);
    const auto when = number_in(*received);
    const auto digest = parse_digest(*signature);
    const auto size = number_in(*bytes);
    if (!when || !digest || !size || *size < 0 || static_cast<std::size_t>(*size) != content.size())
        return damaged();
    entry e;
    e.number = number;
    e.received_at = timestamp(std::chrono::microseconds(*when));
    e.site = *site;
    e.peer = *peer;
    e.signature = *digest;
    e.body = content;
    return e;
}

std::string file_name(std::uint64_t number)
{
    char name[24];
    std::snprintf(name, sizeof name, "%020llu", static_cast<unsigned long long>(number));
    return name;
}

std::uint64_t number_of(std::string_view file_name) noexcept
{
    std::uint64_t number = 0;
    if (file_name.size() != 20)
        return 0;
    const auto [end, failed] = std::from_chars(file_name.data(), file_name.data() + file_name.size(), number);
    return failed == std::errc() && end == file_name.data() + file_name.size() ? number : 0;
}

} // namespace chargifyd::quarantine
