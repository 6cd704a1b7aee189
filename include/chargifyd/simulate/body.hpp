#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Makes webhooks as Chargify sends them, byte for byte in their conventions. Pure: no clock, no I/O; the same seed
/// gives the same bytes.
namespace chargifyd::simulate {

/// A webhook ready to be signed and sent.
struct webhook {
    std::int64_t id = 0;
    std::string event;
    std::string body;
};

/// Ordered pairs, written as Chargify does: bare brackets in keys, values percent-encoded with upper-case hex, space
/// as %20, `-._!'()` and letters and digits bare, no trailing `&`.
class body_writer {
public:
    body_writer& add(std::string_view key, std::string_view value);
    body_writer& add(std::string_view key, std::int64_t value);
    const std::string& str() const noexcept { return out_; }

private:
    std::string out_;
};

/// `2016-11-08 16:22:18 -0500`: US Eastern with daylight saving by the rules in force since 2007.
std::string eastern_time(std::chrono::sys_seconds when);

/// Who lives, and when.
struct life_options {
    std::uint64_t seed = 1;             ///< names, amounts and moments within the day
    std::string site = "acme";          ///< payload[site][subdomain]
    std::int64_t subscription_id = 0;   ///< 0: derived from the seed; the same for customer and first webhook id
    std::int64_t customer_id = 0;
    std::int64_t first_webhook_id = 0;
    std::chrono::sys_seconds starts_at{};  ///< the signup; zero: 2026-01-15 15:00 UTC
};

/// One subscription's whole life, in the order Chargify would send it: signup with a trial's end or at once active,
/// two renewals, a failed payment and dunning, recovery by a new card, a plan change, a scheduled cancellation that
/// takes effect, and a reactivation, with the payments, statements and state changes that go with each. Bodies are
/// full-size (4 to 8 KiB for full payloads), with event ids, previous states and the mid-transaction snapshot that
/// Chargify is known to send (a state change that still carries the old next_assessment_at).
std::vector<webhook> subscription_life(const life_options& with);

/// One payment_success of about `bytes` bytes (at least 2,000) whose ids are all derived from `n`: for load. Distinct
/// `n` give distinct bodies; `subscriptions` bounds how many different subscriptions they speak of.
webhook load_webhook(const std::string& site, std::uint64_t n, std::uint64_t subscriptions, std::size_t bytes = 4096);

/// What the test button sends.
webhook test_webhook(std::int64_t id);

}  // namespace chargifyd::simulate
