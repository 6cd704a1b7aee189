#include "ingress/address.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

namespace chargifyd::ingress {
namespace {

namespace ip = boost::asio::ip;

std::optional<unsigned> parse_number(std::string_view text, unsigned most)
{
    unsigned value = 0;
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || fault != std::errc() || end != text.data() + text.size() || value > most)
        return std::nullopt;
    return value;
}

std::optional<ip::address> parse_address(std::string_view text)
{
    boost::system::error_code ec;
    auto address = ip::make_address(std::string(text), ec);
    if (ec)
        return std::nullopt;
    return address;
}

ip::address unmapped(const ip::address& address)
{
    if (address.is_v6() && address.to_v6().is_v4_mapped())
        return ip::make_address_v4(ip::v4_mapped, address.to_v6());
    return address;
}

/// "address", "[address]", each also with ":port".
std::optional<ip::address> parse_forwarded(std::string_view text)
{
    if (text.starts_with('[')) {
        const auto close = text.find(']');
        if (close == std::string_view::npos)
            return std::nullopt;
        const auto port = text.substr(close + 1);
        if (!port.empty() && (port[0] != ':' || !parse_number(port.substr(1), 65535)))
            return std::nullopt;
        return parse_address(text.substr(1, close - 1));
    }
    const auto colon = text.find(':');
    if (colon != std::string_view::npos && text.find(':', colon + 1) == std::string_view::npos) {
        if (!parse_number(text.substr(colon + 1), 65535))
            return std::nullopt;
        text = text.substr(0, colon);
    }
    return parse_address(text);
}

std::string_view trim(std::string_view text)
{
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos)
        return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

template <std::size_t N>
bool same_start(const std::array<unsigned char, N>& a, const std::array<unsigned char, N>& b, unsigned bits)
{
    const std::size_t whole = bits / 8;
    if (!std::equal(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(whole), b.begin()))
        return false;
    const unsigned rest = bits % 8;
    if (rest == 0)
        return true;
    const auto mask = static_cast<unsigned char>(0xFFU << (8 - rest));
    return (a[whole] & mask) == (b[whole] & mask);
}

error bad_endpoint(std::string_view text, const char* why)
{
    return make_error(errc::invalid, "address \"" + std::string(text) + "\": " + why);
}

} // namespace

result<ip::tcp::endpoint> parse_endpoint(std::string_view text)
{
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos)
        return bad_endpoint(text, "the port is missing; write address:port");
    const auto port = parse_number(text.substr(colon + 1), 65535);
    if (!port)
        return bad_endpoint(text, "the port must be a number from 0 to 65535");
    auto host = text.substr(0, colon);
    if (host == "localhost")
        return ip::tcp::endpoint(ip::address_v4::loopback(), static_cast<unsigned short>(*port));
    const bool bracketed = host.size() >= 2 && host.starts_with('[') && host.ends_with(']');
    if (bracketed)
        host = host.substr(1, host.size() - 2);
    const auto address = parse_address(host);
    if (!address)
        return bad_endpoint(text, "not an IP address (names other than localhost are not looked up)");
    if (address->is_v6() != bracketed)
        return bad_endpoint(text, "an IPv6 address stands in brackets, and nothing else does");
    return ip::tcp::endpoint(*address, static_cast<unsigned short>(*port));
}

std::string to_text(const ip::tcp::endpoint& endpoint)
{
    const auto address = endpoint.address();
    const auto host = address.is_v6() ? "[" + address.to_string() + "]" : address.to_string();
    return host + ":" + std::to_string(endpoint.port());
}

std::string to_text(const ip::address& address)
{
    return unmapped(address).to_string();
}

result<network> network::parse(std::string_view text)
{
    const auto slash = text.find('/');
    const auto address = parse_address(text.substr(0, slash));
    if (!address)
        return make_error(errc::invalid,
                          "network \"" + std::string(text) + "\": not an IP address or network");
    const unsigned most = address->is_v6() ? 128 : 32;
    if (slash == std::string_view::npos)
        return network(*address, most);
    const auto bits = parse_number(text.substr(slash + 1), most);
    if (!bits)
        return make_error(errc::invalid, "network \"" + std::string(text) +
                                             "\": the prefix length must be 0 to " + std::to_string(most));
    return network(*address, *bits);
}

bool network::contains(const ip::address& address) const noexcept
{
    const auto other = unmapped(address);
    if (other.is_v4() != base_.is_v4())
        return false;
    if (other.is_v4())
        return same_start(other.to_v4().to_bytes(), base_.to_v4().to_bytes(), bits_);
    return same_start(other.to_v6().to_bytes(), base_.to_v6().to_bytes(), bits_);
}

result<proxy_list> proxy_list::parse(const std::vector<std::string>& networks)
{
    proxy_list list;
    for (const auto& text : networks) {
        auto one = network::parse(text);
        if (!one)
            return one.error();
        list.networks_.push_back(*one);
    }
    return list;
}

bool proxy_list::trusts(const ip::address& address) const noexcept
{
    return std::any_of(networks_.begin(), networks_.end(),
                       [&address](const network& n) { return n.contains(address); });
}

ip::address proxy_list::sender(const ip::address& peer, std::span<const std::string_view> forwarded_for) const
{
    if (networks_.empty() || !trusts(peer))
        return peer;
    for (auto field = forwarded_for.rbegin(); field != forwarded_for.rend(); ++field) {
        std::string_view rest = *field;
        for (bool more = true; more;) {
            const auto comma = rest.rfind(',');
            more = comma != std::string_view::npos;
            const auto one = parse_forwarded(trim(more ? rest.substr(comma + 1) : rest));
            if (!one)
                return peer;
            if (!trusts(*one))
                return *one;
            if (more)
                rest = rest.substr(0, comma);
        }
    }
    return peer;
}

} // namespace chargifyd::ingress
