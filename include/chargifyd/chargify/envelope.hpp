#pragma once

#include "chargifyd/base/error.hpp"
#include "chargifyd/chargify/form.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace chargifyd::chargify {

/// A webhook body, read: what it is about, before anything is decided. Views point into `tree`.
struct envelope {
    form tree;
    form::index payload = form::none;
    form::index subscription = form::none;  ///< `payload[subscription]`
    form::index customer = form::none;      ///< `payload[subscription][customer]`, else `payload[customer]`
    form::index product = form::none;       ///< `payload[subscription][product]`, else `payload[product]`

    std::string_view event;                      ///< never empty
    std::optional<std::int64_t> webhook_id;      ///< root `id` when it is a positive 64-bit integer
    std::optional<std::int64_t> event_id;        ///< `payload[event_id]`, since May 2016
    std::optional<std::string_view> subdomain;   ///< `payload[site][subdomain]`
    std::optional<std::int64_t> subscription_id; ///< by the order of look-up in Chargify's payloads; 0 is none
    std::optional<std::int64_t> customer_id;
    std::optional<std::int64_t> product_id;
    std::optional<std::chrono::sys_seconds> occurred_at;

    /// Sent by the test button or the test panel: event `test`, or object ids that are present and all `0`.
    bool test = false;
};

/// Reads the decoded form of a signed body. Roots may come in any order. Errors (errc::invalid): no event.
result<envelope> read_envelope(form tree);

}  // namespace chargifyd::chargify
