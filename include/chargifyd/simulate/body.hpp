#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Makes webhooks as Chargify sends them, byte for byte in their conventions. Pure: no clock, no I/O; the
/// same seed gives the same bytes.
namespace chargifyd::simulate {

/// A webhook ready to be signed and sent.
struct webhook {
    std::int64_t id = 0;
    std::string event;
    std::string body;
    std::chrono::sys_seconds at{}; ///< when it happened
};

/// Ordered pairs, written as Chargify does: bare brackets in keys, values percent-encoded with upper-case
/// hex, space as %20, `-._!'()` and letters and digits bare, no trailing `&`.
class body_writer {
public:
    body_writer& add(std::string_view key, std::string_view value);
    body_writer& add(std::string_view key, std::int64_t value);
    const std::string& str() const noexcept { return out_; }

private:
    std::string out_;
};

/// `2016-11-08 16:22:18 -0500`: US Eastern with daylight saving by the rules in force since 2007. Years 0 to
/// 9999.
std::string eastern_time(std::chrono::sys_seconds when);

/// Who lives, and when.
struct life_options {
    std::uint64_t seed = 1;    ///< names, amounts, moments within the day, and which chapters there are
    std::string site = "acme"; ///< payload[site][subdomain]
    std::int64_t subscription_id = 0; ///< 0: derived from the seed, as the two below
    std::int64_t customer_id = 0;
    std::int64_t first_webhook_id = 0;
    std::chrono::sys_seconds starts_at{}; ///< the signup; zero: 2026-01-15 15:00 UTC
};

/// One subscription's whole life, in the order Chargify would send it:
///
///   signup        customer_create, signup_success, (payment_success,) subscription_state_change
///   end of trial  trial_end_notice, subscription_state_change, renewal_success, payment_success,
///                 statement_settled
///   seats, move   component_allocation_change; customer_update
///   two renewals  each upcoming_renewal_notice, renewal_success, payment_success, statement_settled
///   missed one    payment_failure, renewal_failure, subscription_state_change to past_due,
///                 statement_closed
///   dunning       payment_failure, dunning_step_reached
///   new card      subscription_card_update, subscription_state_change to active, payment_success,
///                 statement_settled
///   plan change   upgrade_downgrade_success, subscription_product_change, payment_success
///   cancellation  pending_cancellation_change, subscription_state_change to canceled
///   reactivation  subscription_state_change to active, payment_success, statement_settled
///
/// An even seed starts with a trial of 14 days, an odd one at once active and paid (the payment_success in
/// brackets, and no end of trial). Between these come chapters that two of eight seeds in a row have: a
/// refused signup, a delayed one, a trial that lapses, usage, custom fields, refunds, a chargeback, a hold, a
/// booked plan change, moved dates, prepayment, a group, direct debit, open invoices, another owner and more.
/// Of eight seeds in a row one ends canceled by dunning (modulo 8: 3), one expired (6), one purged (7), the
/// others active; together they tell every event but `test`, the keys of the enhanced catalog, those of the
/// clean-up of 2012, and end_of_trial_notice. Seeds that are 2 modulo 4 get invoices, those that are 3 have
/// bodies in the older style.
///
/// Full payloads have the size and the keys of real ones, with vault tokens, masked cards, event ids and
/// previous states. The webhooks of one moment share a second and an `updated_at`, and their event ids rise.
/// The state change of the new card is the mid-transaction snapshot that Chargify is known to send: it still
/// carries the retry's next_assessment_at, and only the payment_success in the same second has the right one.
///
/// Derived ids of seeds below a million are all different, and others than those of load_webhook; webhook ids
/// follow one another without a gap. Bodies of the same site name the same products.
std::vector<webhook> subscription_life(const life_options& with);

/// Several lives side by side.
struct population_options {
    std::uint64_t seed = 1;        ///< of the first life; the others have the seeds that follow
    std::size_t subscriptions = 8; ///< eight tell everything that lives can tell
    std::string site = "acme";
    std::chrono::sys_seconds starts_at{}; ///< the first signup; zero: as of one life
    std::chrono::seconds between{21'600}; ///< from one signup to the next
    std::int64_t first_webhook_id = 0;    ///< 0: derived from the seed
};

/// The lives' webhooks in the order of their time. Webhook ids and event ids rise with it, as in Chargify,
/// where they are counted for all sites together.
std::vector<webhook> population(const population_options& with);

/// What a load is made of.
enum class load_mix {
    payments, ///< payment_success of a given size
    renewals, ///< three to six webhooks of one subscription after the other: paid, with usage, with invoice,
              ///< failed
    signups,  ///< customer_create, signup_success, payment_success, subscription_state_change; some refused
    usage,    ///< usage, allocations and balances
    all,      ///< every event there is, in turn
};

/// One payment_success of `bytes` bytes, give or take what its numbers need (at least about 2,000), whose ids
/// are all derived from `n`: for load. Distinct `n` below 2^62 give distinct bodies; `subscriptions` bounds
/// how many different subscriptions they speak of, `n` modulo it tells which. `updated_at` rises by a second
/// with each `n` below 8e9. Cheap while the calling thread asks for the same site and size as before. Any
/// thread.
webhook load_webhook(const std::string& site, std::uint64_t n, std::uint64_t subscriptions,
                     std::size_t bytes = 4096);

/// As load_webhook, of any mix; `bytes` is only for payments. The webhooks of one action (a renewal, a
/// signup) have numbers in a row, one subscription and one second; the next action is the next
/// subscription's.
webhook mixed_webhook(load_mix mix, const std::string& site, std::uint64_t n, std::uint64_t subscriptions,
                      std::size_t bytes = 4096);

/// What the test button sends.
webhook test_webhook(std::int64_t id);

} // namespace chargifyd::simulate
