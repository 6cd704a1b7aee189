#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace chargifyd::chargify {

/// A time as Chargify writes it, as an instant. Webhooks carry US Eastern offsets and the REST API the site's
/// own, so times are compared as instants, never as text. Accepted, each seen in captured bodies or the
/// documentation:
///
///   2016-11-08 16:22:18 -0500                         nearly all fields (`-0000` and `+0000` too)
///   2012-11-19T16:59:13Z, 2016-11-08T16:22:26-05:00   `timestamp` of component events; the REST API
///   2013-11-27 00:59:35 UTC                           refund_success
///   Thu, 18 Jan 2024 21:09:55.000000000 EST -05:00    upcoming_renewal_notice (Ruby's inspect form)
///   2016-11-08                                        dates of invoices: midnight UTC
///
/// Fractions of a second are dropped. White space around is ignored. Nothing for any other text, for an
/// impossible date (a weekday that is not that date's included), for an offset of 15 hours or more, and for
/// an instant whose year in UTC is outside 1970 to 9999. `:60` is read as the next minute. Any thread.
std::optional<std::chrono::sys_seconds> parse_timestamp(std::string_view text) noexcept;

} // namespace chargifyd::chargify
