#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace chargifyd::fuzz {

/// A chunked body, read plainly.
struct plain_chunks {
    std::string body;
    std::size_t bytes = 0; ///< with its framing
};

/// Nothing: it is not whole, not of the plainest form, or larger than it may be.
inline std::optional<plain_chunks> read_chunks(std::string_view input, std::size_t max_body_bytes)
{
    plain_chunks all;
    for (;;) {
        const std::string_view left = input.substr(all.bytes);
        const std::size_t digits = left.find("\r\n");
        if (digits == std::string_view::npos || digits == 0 || digits > 8 ||
            left.substr(0, digits).find_first_not_of("0123456789abcdefABCDEF") != std::string_view::npos)
            return std::nullopt;
        const std::size_t size = std::stoul(std::string(left.substr(0, digits)), nullptr, 16);
        const std::string_view data = left.substr(digits + 2, size);
        if (data.size() < size || left.substr(digits + 2 + size, 2) != "\r\n" ||
            all.body.size() + size > max_body_bytes)
            return std::nullopt;
        all.body += data;
        all.bytes += digits + 2 + size + 2;
        if (size == 0)
            return all;
    }
}

} // namespace chargifyd::fuzz
