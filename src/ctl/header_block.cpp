#include "ctl/header_block.hpp"

#include "chargifyd/chargify/signature.hpp"

#include <optional>
#include <strings.h>

namespace chargifyd::ctl {

namespace {

std::string_view trimmed(std::string_view text) noexcept
{
    const auto first = text.find_first_not_of(" \t\r");
    if (first == std::string_view::npos)
        return {};
    return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

bool same_name(std::string_view a, std::string_view b) noexcept
{
    return a.size() == b.size() && ::strncasecmp(a.data(), b.data(), a.size()) == 0;
}

std::string_view take_line(std::string_view& text) noexcept
{
    const auto end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    return line;
}

} // namespace

result<std::string> signature_in(std::string_view headers)
{
    std::optional<std::string_view> found;
    bool legacy = false;
    bool begun = false;
    while (!headers.empty()) {
        std::string_view line = trimmed(take_line(headers));
        if (line.substr(0, 1) == ">")
            line = trimmed(line.substr(1));
        if (line.empty() && begun)
            break;
        begun = begun || !line.empty();
        const auto colon = line.find(':');
        if (colon == std::string_view::npos)
            continue;
        const std::string_view name = trimmed(line.substr(0, colon));
        const std::string_view value = trimmed(line.substr(colon + 1));
        legacy = legacy || same_name(name, chargify::legacy_signature_header);
        if (!same_name(name, chargify::signature_header))
            continue;
        if (found && *found != value)
            return make_error(errc::invalid, "the headers hold several different signatures");
        found = value;
    }
    if (found)
        return std::string(*found);
    const std::string missing = "the headers hold no " + std::string(chargify::signature_header);
    return make_error(errc::not_found,
                      legacy ? missing + ", only the deprecated MD5 signature, which is not accepted"
                             : missing);
}

} // namespace chargifyd::ctl
