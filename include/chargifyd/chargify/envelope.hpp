#pragma once

#include "chargifyd/base/error.hpp"
#include "chargifyd/chargify/form.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace chargifyd::chargify {

/// A webhook body, read: what it is about, before anything is decided. Views point into the text of `tree`,
/// which stays where it is when the envelope moves. An id is there only when it is a positive 64-bit integer.
struct envelope {
    form tree;
    form::index payload = form::none;
    form::index subscription = form::none; ///< `payload[subscription]`
    form::index customer = form::none;     ///< `payload[subscription][customer]`, else `payload[customer]`
    form::index product = form::none;      ///< `payload[subscription][product]`, else `payload[product]`

    std::string_view event;                    ///< never empty
    std::optional<std::int64_t> webhook_id;    ///< root `id` when it is a positive 64-bit integer
    std::optional<std::int64_t> event_id;      ///< `payload[event_id]`, since May 2016
    std::optional<std::string_view> subdomain; ///< `payload[site][subdomain]`

    /// The first there is of `payload[subscription][id]`, `payload[subscription_id]`, the owner of
    /// `payload[metafield]`, `payload[transaction][subscription_id]`, and likewise of `statement`, `invoice`
    /// and `dunner`.
    std::optional<std::int64_t> subscription_id;
    /// … of `payload[subscription][customer][id]`, `payload[customer][id]`, `payload[customer_id]`, the
    /// `customer_id` of `payload[transaction]` and `payload[invoice]`, the owner of `payload[metafield]`.
    std::optional<std::int64_t> customer_id;
    /// … of `payload[subscription][product][id]`, `payload[product][id]`.
    std::optional<std::int64_t> product_id;
    /// … of `payload[timestamp]`, the transaction's `created_at`, the statement's `settled_at`, `closed_at`,
    /// `created_at`, the subscription's `updated_at`, the customer's `updated_at` that can be read as a time.
    std::optional<std::chrono::sys_seconds> occurred_at;

    /// Sent by the test button or the test panel: event `test`, or ids of subscription, customer and product
    /// of which one is literally `0` and none is positive.
    bool test = false;
};

/// Reads the decoded form of a signed body. Roots may come in any order. Errors (errc::invalid): no event.
result<envelope> read_envelope(form tree);

} // namespace chargifyd::chargify
