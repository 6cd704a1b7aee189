#pragma once

#include <cstddef>
#include <string_view>

namespace chargifyd::chargify {

/// U+FFFD, which stands for whatever cannot be stored as text.
inline constexpr std::string_view replacement_character = "\xef\xbf\xbd";

/// What stands at one place of a text.
struct utf8_step {
    std::size_t length = 0; ///< bytes to go on by, at least 1
    bool valid = false; ///< one well-formed character; otherwise the longest start of one, or a stray byte
};

/// Reads the character at `at`, which must lie inside `text`. Overlong forms, surrogates and code points
/// above U+10FFFF are not characters. NUL is one.
utf8_step read_utf8(std::string_view text, std::size_t at) noexcept;

} // namespace chargifyd::chargify
