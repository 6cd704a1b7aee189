#pragma once

#include "chargifyd/state/list.hpp"
#include "chargifyd/state/reader.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// The questions people ask of `state.db`, for `chargifyctl` and the operator's HTTP. Each is a walk along an
/// index that is bounded by what is asked for, not by what is stored. Times are `YYYY-MM-DDTHH:MM:SSZ`.
namespace chargifyd::state {

/// One object. Ids and references are not unique across sites.
struct object_name {
    std::string site; ///< empty: the only site that has it
    std::optional<std::int64_t> id;
    std::string reference; ///< of a customer, when there is no id
};

/// An object that was found.
struct object_place {
    std::string site;
    std::int64_t id = 0;
};

/// errc::not_found: no site has it; errc::invalid: several have, and the message says which.
result<object_place> find_subscription(state_reader& from, const object_name& which);
result<object_place> find_customer(state_reader& from, const object_name& which);

/// Every public column of one.
query show_subscription(const object_place& which);
query show_customer(const object_place& which);

/// What belongs to an object and is shown with it.
struct section {
    std::string name;
    query rows;
    bool single = false; ///< there is one row or none
};
std::vector<section> sections_of_subscription(const object_place& which);
std::vector<section> sections_of_customer(const object_place& which);

/// Empty members do not filter.
struct subscription_filter {
    std::string site;
    std::string state;
    std::string product; ///< its handle
    std::string reference;
    std::string customer_reference;
    std::string updated_since;
    std::optional<bool> has_access;
};
/// The columns that people read. In the order of site and id; with `updated_since` the longest ago first;
/// with `has_access` state after state.
result<list> list_subscriptions(state_reader& from, const subscription_filter& with);

struct customer_filter {
    std::string site;
    std::string email;
    std::string updated_since;
};
list list_customers(const customer_filter& with);

struct access_filter {
    std::string site;
    std::string customer_reference;
    std::optional<bool> has_access;
    /// Of those with access only whose access ends by then: a scheduled cancellation, an expiry, or a grace
    /// period that is over. The period's end, after which a subscription renews, is not meant.
    std::string until;
};
result<list> list_access(state_reader& from, const access_filter& with);

struct renewal_filter {
    std::string site;
    std::string from;
    std::string to; ///< exclusive
};
/// Subscriptions to be billed then, soonest first: not those that will have ended by then.
list list_renewals(const renewal_filter& with);

/// Subscriptions in `past_due`: since when, the step of dunning, the end of grace.
list list_past_due(const std::string& site);

struct event_filter {
    std::string site;
    std::string event;
    std::string outcome; ///< one of the words of `events.outcome`
    std::optional<std::int64_t> subscription_id;
    std::int64_t from = 0; ///< sequences from this on; 0: all
    std::int64_t to = 0;   ///< sequences below this; 0: all
};
/// Oldest first.
list list_events(const event_filter& with);
/// The newest `limit`, oldest of them first.
query newest_events(const event_filter& with, std::uint64_t limit);

/// Per site: webhooks, last received, dead, unknown, subscriptions.
query summary_by_site();

} // namespace chargifyd::state
