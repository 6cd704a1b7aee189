#pragma once

#include <string>
#include <string_view>

namespace chargifyd::config {

/// The parser's account of a line that is not TOML, as a mistake's text. The parser quotes what it has read;
/// such a quotation may be part of a key that lacks its quotes, so longer ones are left out.
std::string syntax_mistake(std::string_view description);

/// Whether `name` can be a subscription state: a lower-case word with digits and underscores.
bool is_state_name(std::string_view name) noexcept;

} // namespace chargifyd::config
