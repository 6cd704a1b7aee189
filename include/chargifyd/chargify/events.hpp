#pragma once

#include <span>
#include <string_view>

/// The event keys of Chargify's documentation, SDKs and captured bodies. An event that is not here is
/// accepted, stored and mined for ids like any other; the catalogue only says what is known.
namespace chargifyd::chargify {

enum class payload_shape {
    test,         ///< `payload[chargify]=testing`
    subscription, ///< the full subscription hash with customer, product and payment profile
    partial,      ///< a few fields of the subscription, perhaps customer and product; no clock
    customer,     ///< `payload[customer]` alone
    component,    ///< component, allocation or usage; partial subscription
    statement,    ///< a statement or an invoice
    flat,         ///< ids straight under `payload` (refunds, price points)
    metafield,    ///< a custom field
    undocumented, ///< the key is known, its payload is not
};

struct event_info {
    std::string_view key;
    payload_shape shape;
    std::string_view summary; ///< one line for a person
};

/// All known events, sorted by key.
std::span<const event_info> event_catalogue() noexcept;

/// The entry of a key, or null.
const event_info* find_event(std::string_view key) noexcept;

} // namespace chargifyd::chargify
