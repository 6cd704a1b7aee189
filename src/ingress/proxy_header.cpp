#include "ingress/proxy_header.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <netinet/in.h>

namespace chargifyd::ingress {
namespace {

namespace ip = boost::asio::ip;
using outcome = proxy_header::outcome;

constexpr std::string_view line_start = "PROXY ";
constexpr std::string_view signature{"\r\n\r\n\0\r\nQUIT\n", 12};
constexpr std::size_t v4_bytes = 4 + 4 + 2 + 2;
constexpr std::size_t v6_bytes = 16 + 16 + 2 + 2;

proxy_header refused() noexcept
{
    return {outcome::refused, 0, std::nullopt};
}

bool begins_like(std::string_view bytes, std::string_view start) noexcept
{
    const auto common = std::min(bytes.size(), start.size());
    return bytes.substr(0, common) == start.substr(0, common);
}

std::optional<ip::address> address_from(int family, std::string_view text) noexcept
{
    std::array<char, INET6_ADDRSTRLEN> terminated{};
    if (text.size() >= terminated.size() || text.find('\0') != std::string_view::npos)
        return std::nullopt;
    std::copy(text.begin(), text.end(), terminated.begin());
    if (family == AF_INET) {
        ip::address_v4::bytes_type bytes{};
        if (::inet_pton(AF_INET, terminated.data(), bytes.data()) == 1)
            return ip::address_v4(bytes);
        return std::nullopt;
    }
    ip::address_v6::bytes_type bytes{};
    if (::inet_pton(AF_INET6, terminated.data(), bytes.data()) == 1)
        return ip::address_v6(bytes);
    return std::nullopt;
}

/// Decimal as a computer writes it: no sign, no leading zeros.
bool is_port(std::string_view text) noexcept
{
    std::uint16_t value = 0;
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
    return !text.empty() && fault == std::errc() && end == text.data() + text.size() &&
           (text[0] != '0' || text.size() == 1);
}

/// Up to the next space, which is taken away too; the whole rest when there is none.
std::string_view next_word(std::string_view& rest) noexcept
{
    const auto space = rest.find(' ');
    const auto word = rest.substr(0, space);
    rest = space == std::string_view::npos ? std::string_view() : rest.substr(space + 1);
    return word;
}

/// What stands between `PROXY ` and the end of the line.
bool read_fields(std::string_view fields, std::optional<ip::address>& source) noexcept
{
    // Whatever follows UNKNOWN has no meaning.
    if (fields == "UNKNOWN" || fields.starts_with("UNKNOWN "))
        return std::all_of(fields.begin(), fields.end(), [](char c) { return c >= ' ' && c <= '~'; });
    if (std::count(fields.begin(), fields.end(), ' ') != 4)
        return false;
    const auto named = next_word(fields);
    if (named != "TCP4" && named != "TCP6")
        return false;
    const int family = named == "TCP4" ? AF_INET : AF_INET6;
    source = address_from(family, next_word(fields));
    const bool destination = address_from(family, next_word(fields)).has_value();
    const bool source_port = is_port(next_word(fields));
    return source && destination && source_port && is_port(fields);
}

proxy_header read_line(std::string_view bytes) noexcept
{
    const auto end = bytes.substr(0, max_proxy_line_bytes).find('\n');
    if (end == std::string_view::npos)
        return bytes.size() < max_proxy_line_bytes ? proxy_header() : refused();
    proxy_header read{outcome::complete, end + 1, std::nullopt};
    const auto line = bytes.substr(0, end);
    if (line.size() <= line_start.size() || !line.ends_with('\r') ||
        !read_fields(line.substr(line_start.size(), line.size() - line_start.size() - 1), read.source))
        return refused();
    return read;
}

unsigned byte_at(std::string_view bytes, std::size_t at) noexcept
{
    return static_cast<unsigned char>(bytes[at]);
}

std::size_t number_at(std::string_view bytes, std::size_t at) noexcept
{
    return byte_at(bytes, at) * std::size_t{256} + byte_at(bytes, at + 1);
}

/// A type, a length in two bytes, so many bytes; as often as there is space.
bool are_extensions(std::string_view bytes) noexcept
{
    while (!bytes.empty()) {
        if (bytes.size() < 3 || bytes.size() - 3 < number_at(bytes, 1))
            return false;
        bytes.remove_prefix(3 + number_at(bytes, 1));
    }
    return true;
}

template <class Address>
ip::address first_address(std::string_view block) noexcept
{
    typename Address::bytes_type bytes{};
    std::memcpy(bytes.data(), block.data(), bytes.size());
    return Address(bytes);
}

/// Bytes of the addresses that a family and transport need; nothing when they are not taken.
std::optional<std::size_t> address_bytes(unsigned family) noexcept
{
    switch (family) {
    case 0x00: // unspecified
        return 0;
    case 0x11: // IPv4, stream
        return v4_bytes;
    case 0x21: // IPv6, stream
        return v6_bytes;
    default:
        return std::nullopt;
    }
}

/// Each byte is judged as soon as it is there, so that nothing waits for what cannot become right.
proxy_header read_binary(std::string_view bytes) noexcept
{
    constexpr unsigned version_2_local = 0x20;
    constexpr unsigned version_2_proxy = 0x21;
    if (bytes.size() > 12 && byte_at(bytes, 12) != version_2_local && byte_at(bytes, 12) != version_2_proxy)
        return refused();
    const bool local = bytes.size() > 12 && byte_at(bytes, 12) == version_2_local;
    // A sender that speaks for itself may name any family.
    const auto addresses = bytes.size() > 13 && !local ? address_bytes(byte_at(bytes, 13)) : std::size_t{0};
    if (!addresses)
        return refused();
    if (bytes.size() < proxy_fixed_bytes)
        return {};
    const auto announced = number_at(bytes, 14);
    if (announced > max_proxy_block_bytes || announced < *addresses)
        return refused();
    if (bytes.size() < proxy_fixed_bytes + announced)
        return {};
    proxy_header read{outcome::complete, proxy_fixed_bytes + announced, std::nullopt};
    if (*addresses == 0)
        return read; // the block has no meaning
    const auto block = bytes.substr(proxy_fixed_bytes, announced);
    if (!are_extensions(block.substr(*addresses)))
        return refused();
    read.source =
        *addresses == v4_bytes ? first_address<ip::address_v4>(block) : first_address<ip::address_v6>(block);
    return read;
}

} // namespace

proxy_header read_proxy_header(std::string_view bytes) noexcept
{
    if (begins_like(bytes, line_start))
        return read_line(bytes);
    if (begins_like(bytes, signature))
        return read_binary(bytes);
    return refused();
}

} // namespace chargifyd::ingress
