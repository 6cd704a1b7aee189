#pragma once

#include "chargifyd/base/digest.hpp"

#include <functional>
#include <string_view>

namespace chargifyd::chargify {

/// Any thread. These throw std::runtime_error when OpenSSL cannot work.
digest256 sha256(std::string_view message);
/// Of what `next` gives, piece after piece, until a piece is empty: for what does not fit into memory. Throws
/// whatever `next` throws, too.
digest256 sha256_of_pieces(const std::function<std::string_view()>& next);

} // namespace chargifyd::chargify
