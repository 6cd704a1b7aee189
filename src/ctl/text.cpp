#include "ctl/text.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace chargifyd::ctl {

namespace {

struct code_point {
    char32_t value = 0;
    std::size_t bytes = 0; ///< 0: not UTF-8
};

unsigned byte_at(std::string_view text, std::size_t i) noexcept
{
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
}

/// The first code point; shortest form only, no surrogates.
code_point decode(std::string_view text) noexcept
{
    const unsigned lead = byte_at(text, 0);
    if (lead < 0x80)
        return {lead, 1};
    const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4)
        return {};
    char32_t value = lead & (0xffU >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) {
        const unsigned next = byte_at(text, i);
        if ((next & 0xc0U) != 0x80)
            return {};
        value = (value << 6) | (next & 0x3fU);
    }
    constexpr char32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    if (value < smallest[length] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
        return {};
    return {value, length};
}

/// Direction marks and overrides, separators and the zero-width no-break space.
bool misleads(char32_t c) noexcept
{
    return c == 0x61c || (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
           (c >= 0x2060 && c <= 0x2069) || c == 0xfeff || (c >= 0xe0000 && c <= 0xe007f);
}

std::string escaped(char32_t c)
{
    switch (c) {
    case U'\n':
        return "\\n";
    case U'\r':
        return "\\r";
    case U'\t':
        return "\\t";
    default:
        break;
    }
    const auto number = static_cast<std::uint32_t>(c);
    return number < 0x80 ? fmt::format("\\x{:02x}", number) : fmt::format("\\u{:04x}", number);
}

} // namespace

std::string printable(std::string_view text)
{
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const code_point c = decode(text);
        if (c.bytes == 0)
            out += fmt::format("\\x{:02x}", byte_at(text, 0));
        else if (c.value < 0x20 || (c.value >= 0x7f && c.value < 0xa0) || misleads(c.value))
            out += escaped(c.value);
        else
            out += text.substr(0, c.bytes);
        text.remove_prefix(std::max<std::size_t>(c.bytes, 1));
    }
    return out;
}

std::size_t display_width(std::string_view text) noexcept
{
    return static_cast<std::size_t>(std::count_if(
        text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80; }));
}

std::string csv_field(std::string_view text)
{
    if (!text.empty() && text.find_first_of(",\"\r\n") == std::string_view::npos)
        return std::string(text);
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"')
            out += '"';
        out += c;
    }
    out += '"';
    return out;
}

} // namespace chargifyd::ctl
