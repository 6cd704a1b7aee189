#pragma once

#include "ingress/gate.hpp"

#include "chargifyd/base/digest.hpp"

#include <optional>
#include <string_view>

/// What a request to the webhook server asks for. Pure functions.
namespace chargifyd::ingress {

enum class route {
    site,      ///< /webhooks/{site}
    only_site, ///< /webhooks
    health,    ///< /healthz
    none,
};

struct target {
    route to = route::none;
    std::string_view site; ///< as sent, not empty, for route::site
};

/// Paths are compared byte by byte: what is percent-encoded, has an empty or a dot segment or ends in `/` is
/// none.
target find_route(std::string_view path) noexcept;

/// What a request brought along as signature.
struct given_signature {
    bool present = false;           ///< something stands where a signature should, usable or not
    std::optional<digest256> value; ///< 64 hex digits that stand once
};

/// The header, or when there is none the query parameter `signature_hmac_sha_256`, or when there is none
/// `signature`.
given_signature find_signature(const request_head& head) noexcept;

} // namespace chargifyd::ingress
