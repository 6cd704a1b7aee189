#pragma once

#include "chargifyd/base/digest.hpp"
#include "chargifyd/base/time.hpp"
#include "chargifyd/state/tables.hpp"

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace chargifyd::state {

/// What happened to a webhook; the words of `events.outcome`.
enum class outcome {
    applied,   ///< a row changed
    unchanged, ///< it said nothing new
    stale,     ///< what it said is older than what is stored
    test,      ///< from the test button or panel
    unknown,   ///< an event nobody has documented, with nothing in it that could be used
    dead,      ///< cannot be read, or names another site
};

std::string_view to_string(outcome o) noexcept;

/// The order of two statements about one object (promise P3): by the object's own clock, then by Chargify's
/// event id, then by webhook id. 0: not given.
struct version {
    std::int64_t updated_at = 0; ///< seconds since 1970
    std::int64_t event_id = 0;
    std::int64_t webhook_id = 0;

    auto operator<=>(const version&) const = default;
};

/// The order of what has no clock of its own, or only the clock of its event.
struct moment {
    std::int64_t event_id = 0;
    std::int64_t webhook_id = 0;
    std::int64_t clock = 0; ///< of an object whose patches have one, else 0; seconds since 1970
};

/// What one webhook says about one object.
struct observation {
    object_kind kind = object_kind::subscription;
    object_key key;
    /// The whole object: it replaces what is older. Otherwise a patch: it names some fields and never blanks
    /// one.
    bool full = false;
    /// Seconds since 1970: the object's own clock, of a component the moment of its event; 0: it has none,
    /// and the event id alone decides.
    std::int64_t updated_at = 0;
    /// One per column of the table. In a patch the empty alternative means "not named".
    std::vector<value> columns;
    /// Of a full one: all that has no column, a JSON object nested as received, without vault tokens.
    std::string attributes;
    /// Of a patch: the same, key by key, each with its JSON value; only what is not empty.
    std::vector<std::pair<std::string, std::string>> extras;
};

/// What a full statement says about the facts of a subscription that `changes` reports. Texts are empty where
/// nothing was said.
struct subscription_facts {
    std::string state;
    std::optional<std::int64_t> customer_id;
    std::optional<std::int64_t> product_id;
    std::string product_handle;
    std::optional<std::int64_t> product_price; ///< cents a year, to tell an upgrade from a downgrade
    std::string next_product;                  ///< of a scheduled change: handle, else id
    std::string created_at;
    std::string period_started_at;
    std::string period_ends_at;
    std::string next_assessment_at;
    std::string previous_billing_date; ///< only billing_date_change says it
    std::string cancel_at; ///< when a cancellation is scheduled; "scheduled" when the moment is not known
    std::string cancellation_method;
    std::string trial_started_at;
    std::string trial_ended_at;
    std::string expires_at;
    std::string resume_at;
    std::string canceled_at;
    std::string on_hold_at;
    std::string updated_at;

    bool operator==(const subscription_facts&) const = default;
};

/// What a subscription's timeline told up to an entry: a payload can be a snapshot of the middle of a
/// transaction, so that its neighbour alone does not tell whether a fact is news.
struct seen_before {
    std::string period_started_at; ///< the latest one
    std::string recovered_at;      ///< when it last came back to `active` from a state that is not paid up
    std::string trial_started_at;  ///< of the trial that was told last
    bool in_trial = false;         ///< a trial began and has not ended, though it may rest

    bool operator==(const seen_before&) const = default;
};

/// One row of `changes`: a fact.
struct change {
    std::string kind;
    std::optional<std::int64_t> subscription_id;
    std::optional<std::int64_t> customer_id;
    std::optional<std::string> object_id; ///< of the transaction, component, invoice, … it is about
    std::optional<std::string> old_value;
    std::optional<std::string> new_value;
    std::optional<std::int64_t> amount_in_cents;
    std::optional<std::string> detail;
    std::optional<std::string> occurred_at;
    /// What makes it the same fact when another webhook tells it. Empty: it is derived from the timeline of
    /// its subscription.
    std::string identity;

    std::int64_t id = 0; ///< of the row, when it was read from the store

    /// Equal but for the row.
    bool same_fact(const change& other) const;
};

/// A webhook, read and normalised: all that applying it needs. A value, made by `prepare` on any thread.
struct webhook {
    std::uint64_t sequence = 0; ///< of the journal
    std::string site;
    timestamp received_at{};

    std::optional<std::int64_t> webhook_id;
    std::optional<digest256> body_sha256; ///< identifies a webhook that has no id
    std::string event;                    ///< empty when it could not be read
    std::optional<std::int64_t> event_id;
    std::optional<std::int64_t> subscription_id;
    std::optional<std::int64_t> customer_id;
    std::optional<std::string> occurred_at;

    bool test = false;
    bool known_event = false;
    std::string error; ///< why it is a dead letter; empty: it is none
    std::vector<observation> observations;
    std::optional<subscription_facts> timeline; ///< of the full statement about `subscription_id`
    std::vector<change> facts;                  ///< that stand in this webhook alone
};

/// Reads a journalled body. Pure, and total: a body that cannot be read becomes a webhook with an `error`.
webhook prepare(std::uint64_t sequence, std::string_view site, timestamp received_at, std::string_view body);

} // namespace chargifyd::state
