#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace chargifyd {

/// 32 bytes: a SHA-256 or an HMAC-SHA-256.
using digest256 = std::array<unsigned char, 32>;

/// Lower-case hex, two digits a byte.
std::string to_hex(std::string_view bytes);
std::string to_hex(const digest256& digest);

/// The digest written as exactly 64 hex digits of either case; nothing for any other text.
std::optional<digest256> parse_digest(std::string_view hex) noexcept;

} // namespace chargifyd
