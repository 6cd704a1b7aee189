#pragma once

#include "chargifyd/base/error.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Addresses as people write them. Nothing here asks a name server.
namespace chargifyd::ingress {

/// "192.0.2.1:443", "[2001:db8::1]:443" or "localhost:443". errc::invalid names the text and the mistake.
result<boost::asio::ip::tcp::endpoint> parse_endpoint(std::string_view text);

/// The other way round; IPv6 in brackets.
std::string to_text(const boost::asio::ip::tcp::endpoint& endpoint);

/// The address as the journal records it: IPv4 that arrived on an IPv6 socket is written as IPv4.
std::string to_text(const boost::asio::ip::address& address);

/// A network such as 10.0.0.0/8, or a single address.
class network {
public:
    static result<network> parse(std::string_view text);
    bool contains(const boost::asio::ip::address& address) const noexcept;

private:
    network(const boost::asio::ip::address& base, unsigned bits)
        : base_(base)
        , bits_(bits)
    {}

    boost::asio::ip::address base_;
    unsigned bits_;
};

/// The proxies whose PROXY header and X-Forwarded-For are believed.
class proxy_list {
public:
    proxy_list() = default;
    static result<proxy_list> parse(const std::vector<std::string>& networks);

    bool trusts(const boost::asio::ip::address& address) const noexcept;

    /// Who really sent a request that came from `peer`: the right-most address of X-Forwarded-For (the fields
    /// in the order in which they were sent) that is not itself a trusted proxy. `peer` when `peer` is not
    /// trusted, when every address is trusted, or when something that is no address stands to the right of
    /// the one looked for.
    boost::asio::ip::address sender(const boost::asio::ip::address& peer,
                                    std::span<const std::string_view> forwarded_for) const;

private:
    std::vector<network> networks_;
};

} // namespace chargifyd::ingress
