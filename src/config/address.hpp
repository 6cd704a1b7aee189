#pragma once

#include "chargifyd/base/error.hpp"

#include <array>
#include <compare>
#include <cstdint>
#include <string_view>

namespace chargifyd::config {

/// A numeric address and port.
struct endpoint {
    bool v6 = false;
    std::array<unsigned char, 16> address{}; ///< network order; an IPv4 address stands in the first four
    std::uint16_t port = 0;                  ///< 0: any free port

    bool loopback() const noexcept;
    auto operator<=>(const endpoint&) const = default;
};

/// "127.0.0.1:8080", "[::1]:8080", "localhost:8080" (127.0.0.1). No name is looked up. The error says how to
/// write it.
result<endpoint> parse_endpoint(std::string_view text);

/// Whether `text` is a network or a single address: "10.0.0.0/8", "fd00::/8", "10.1.2.3".
bool is_network(std::string_view text);

} // namespace chargifyd::config
