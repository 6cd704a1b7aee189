#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace chargifyd::ctl {

/// `text` as it may stand on a terminal: control characters, bytes that are not UTF-8, and characters that
/// reorder or hide text are written as escapes, so that stored data cannot drive the terminal or forge what
/// is seen.
std::string printable(std::string_view text);

/// Columns that printable text takes on a terminal, a code point each.
std::size_t display_width(std::string_view text) noexcept;

/// A CSV field (RFC 4180): in quotes when it has to be, and when it is empty, so that it differs from NULL.
std::string csv_field(std::string_view text);

} // namespace chargifyd::ctl
