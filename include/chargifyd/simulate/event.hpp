#pragma once

#include "chargifyd/simulate/body.hpp"
#include "chargifyd/simulate/details.hpp"
#include "chargifyd/simulate/model.hpp"

/// Any event that Chargify sends, told of any history. The one place where payloads are made: lives, loads
/// and the test panel's bodies come from here too. Pure and deterministic; any thread.
namespace chargifyd::simulate {

/// Chargify has changed several payloads in the course of time.
enum class body_style {
    current, ///< as sent today
    older,   ///< before 2020, by some sites still: the subscription hash of 2016, component events without
           ///< allocation and price point, `subscription_id` and one error text in refunds, the invoice flat,
           ///< an Eastern time in upcoming_renewal_notice
    panel, ///< the admin test panel's hashes, frozen in 2012; its site comes last
};

/// All that an event can speak of. A payload takes from it what it shows: the ids of subscription, customer
/// and product come from `subject` wherever they stand.
struct scene {
    std::string site = "acme"; ///< payload[site][subdomain]
    body_style style = body_style::current;
    std::int64_t webhook_id = 1;
    std::int64_t event_id = 1;     ///< 0: without payload[event_id], as before May 2016 and from the panel
    std::chrono::sys_seconds at{}; ///< when it happens: the time of events that have one of their own

    subscription subject;
    product other_plan;            ///< previous_product, or target_product of a failure
    payment_profile other_profile; ///< previous_payment_profile
    moment previous_date;          ///< previous_billing_date, previous_expires_at
    std::string previous_value;    ///< previous payment collection method
    customer other_owner;          ///< of subscription_customer_change: the one before
    transaction payment;
    statement bill;
    invoice issued;
    component_change usage;
    refund refunded;
    balance_change balance;
    custom_field field;
    dunning_step dunning;
};

struct scene_options {
    std::uint64_t seed = 1; ///< names, amounts, ids
    std::string site = "acme";
    body_style style = body_style::current;
    std::chrono::sys_seconds
        at{};                    ///< zero: 2027-03-01 15:00 UTC, after the lives of all seeds have been told
    std::int64_t webhook_id = 0; ///< 0: derived from seed and event, as those below
    std::int64_t event_id = 0;
    std::int64_t subscription_id = 0; ///< derived: the subscription that a life of the same seed speaks of
    std::int64_t customer_id = 0;
    std::string state; ///< empty: what fits the event
};

/// A scene in which the event makes sense: a payment failed before payment_failure, a trial runs at
/// trial_end_notice. The state change of subscription_state_change follows from the seed. All of it is
/// invented. Seeds below a million share no webhook ids, and the keys of one seed do not either.
scene invented_scene(std::string_view key, const scene_options& with);

/// What the admin test panel sends: every id 0, times of 2012, no event id, the real site.
scene panel_scene(std::string_view key, const std::string& site, std::int64_t webhook_id);

/// The webhook of that event. Every key of chargify::event_catalogue() has the payload that is documented for
/// it, or, where none is, the ids that tell whom it concerns and the fields that its name promises; so has a
/// key that is not in the catalogue.
webhook event_webhook(std::string_view key, const scene& of);

/// As event_webhook, and counts webhook and event id on for the next.
webhook tell(std::string_view key, scene& of);

} // namespace chargifyd::simulate
