#pragma once

#include "chargifyd/base/digest.hpp"

#include <functional>
#include <string_view>

namespace chargifyd::chargify {

/// SHA-256 of what `next` gives, piece after piece, until a piece is empty: for what does not fit into
/// memory. Any thread. Throws std::runtime_error when OpenSSL cannot work, and whatever `next` throws.
digest256 sha256_of_pieces(const std::function<std::string_view()>& next);

} // namespace chargifyd::chargify
