#include "config/address.hpp"

#include <arpa/inet.h>
#include <charconv>
#include <optional>
#include <string>

namespace chargifyd::config {

namespace {

/// The whole of `digits` as a number, at most `most`; no sign, no blanks.
std::optional<unsigned> parse_number(std::string_view digits, unsigned most)
{
    unsigned value = 0;
    const char* const end = digits.data() + digits.size();
    const auto [stop, failed] = std::from_chars(digits.data(), end, value);
    if (failed != std::errc{} || stop != end || value > most)
        return std::nullopt;
    return value;
}

bool parse_address(std::string_view text, bool v6, std::array<unsigned char, 16>& into)
{
    return text.find('\0') == std::string_view::npos &&
           ::inet_pton(v6 ? AF_INET6 : AF_INET, std::string(text).c_str(), into.data()) == 1;
}

} // namespace

bool endpoint::loopback() const noexcept
{
    if (!v6)
        return address[0] == 127;
    std::array<unsigned char, 16> one{};
    one.back() = 1;
    return address == one;
}

result<endpoint> parse_endpoint(std::string_view text)
{
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos || text.ends_with(']'))
        return make_error(errc::invalid, "has no port; write \"127.0.0.1:8080\" or \"[::1]:8080\"");
    std::string_view host = text.substr(0, colon);
    if (host == "localhost")
        host = "127.0.0.1";
    endpoint out;
    out.v6 = host.starts_with('[') && host.ends_with(']');
    if (out.v6)
        host = host.substr(1, host.size() - 2);
    if (!parse_address(host, out.v6, out.address)) {
        return make_error(errc::invalid, out.v6 || host.find(':') == std::string_view::npos
                                             ? "is not a numeric address; names are not looked up: write "
                                               "\"127.0.0.1:8080\", \"0.0.0.0:8080\" or \"[::]:8080\""
                                             : "is an IPv6 address without brackets; write \"[::1]:8080\"");
    }
    const std::optional<unsigned> port = parse_number(text.substr(colon + 1), 65535);
    if (!port)
        return make_error(errc::invalid,
                          "has no valid port; write a number from 1 to 65535, or 0 for any free port");
    out.port = static_cast<std::uint16_t>(*port);
    return out;
}

bool is_network(std::string_view text)
{
    const std::size_t slash = text.find('/');
    const std::string_view address = text.substr(0, slash);
    const bool v6 = address.find(':') != std::string_view::npos;
    std::array<unsigned char, 16> unused{};
    if (!parse_address(address, v6, unused))
        return false;
    return slash == std::string_view::npos || parse_number(text.substr(slash + 1), v6 ? 128 : 32);
}

} // namespace chargifyd::config
