#pragma once

#include <boost/asio/ip/address.hpp>

#include <cstddef>
#include <optional>
#include <string_view>

/// The header of the PROXY protocol, versions 1 and 2, with which a load balancer says on whose behalf it
/// connects: pure functions over bytes.
namespace chargifyd::ingress {

/// `PROXY TCP6` with the longest addresses and ports.
inline constexpr std::size_t max_proxy_line_bytes = 107;
/// Version 2: the fixed part, and what it may announce. Addresses take 36 bytes, the rest is for extensions.
inline constexpr std::size_t proxy_fixed_bytes = 16;
inline constexpr std::size_t max_proxy_block_bytes = 1024;
inline constexpr std::size_t max_proxy_header_bytes = proxy_fixed_bytes + max_proxy_block_bytes;

struct proxy_header {
    enum class outcome {
        more,     ///< all bytes belong to a header, which is not whole yet
        complete, ///< the first `length` bytes are one
        refused,  ///< no header begins like this
    };

    outcome result = outcome::more;
    std::size_t length = 0;
    /// Nothing: the sender of the header speaks for itself, or does not know for whom.
    std::optional<boost::asio::ip::address> source;
};

/// `bytes`: everything received so far, from the first byte of the connection. The verdict on a beginning is
/// final unless it is `more`. No form is taken but those of the specification; of version 2 only streams over
/// IPv4 and IPv6. Extensions are skipped, but have to fill their space exactly.
proxy_header read_proxy_header(std::string_view bytes) noexcept;

} // namespace chargifyd::ingress
