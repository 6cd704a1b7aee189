#include "chargifyd/state/queries.hpp"

#include "conditions.hpp"

#include "chargifyd/state/webhook.hpp"

#include <algorithm>

namespace chargifyd::state {

namespace {

constexpr const char* event_columns =
    "SELECT seq, site, webhook_id, event, event_id, subscription_id, customer_id, occurred_at, received_at, "
    "outcome, error, deliveries FROM events";

/// Few webhooks have one of these; each has an index of its own, which a literal is needed to choose.
constexpr outcome rare_outcomes[] = {outcome::stale, outcome::test, outcome::unknown, outcome::dead};

/// The index that leads to the fewest rows is named: there are no statistics to choose by.
std::string event_source(const event_filter& with)
{
    for (const outcome o : rare_outcomes) {
        if (with.outcome == to_string(o))
            return std::string(" INDEXED BY events_") + std::string(to_string(o));
    }
    if (with.subscription_id)
        return " INDEXED BY events_by_subscription";
    if (!with.event.empty())
        return " INDEXED BY events_by_event";
    return with.site.empty() ? " NOT INDEXED" : " INDEXED BY events_by_site";
}

conditions event_conditions(const event_filter& with)
{
    conditions where;
    if (std::ranges::any_of(rare_outcomes, [&](outcome o) { return with.outcome == to_string(o); }))
        where.add("outcome = '" + with.outcome + "'");
    else
        where.add_text("outcome = ?", with.outcome);
    where.add_integer("subscription_id = ?", with.subscription_id);
    where.add_text("event = ?", with.event);
    where.add_text("site = ?", with.site);
    if (with.to != 0)
        where.add("seq < ?", with.to);
    return where;
}

} // namespace

list list_events(const event_filter& with)
{
    walk all;
    all.key = {"seq"};
    all.page = [with](std::span<const value> after, std::uint64_t limit) {
        conditions where = event_conditions(with);
        if (!after.empty())
            where.add("seq > ?", after.front());
        else if (with.from != 0)
            where.add("seq >= ?", with.from);
        return where.finish(event_columns + event_source(with), " ORDER BY seq", limit);
    };
    return {{std::move(all)}};
}

query newest_events(const event_filter& with, std::uint64_t limit)
{
    conditions where = event_conditions(with);
    if (with.from != 0)
        where.add("seq >= ?", with.from);
    query q = where.finish(event_columns + event_source(with), " ORDER BY seq DESC", limit);
    q.sql = "SELECT * FROM (" + q.sql + ") ORDER BY seq";
    return q;
}

query summary_by_site()
{
    return {"SELECT site, webhooks, last_received_at, "
            "(SELECT count(*) FROM events INDEXED BY events_dead WHERE outcome = 'dead' AND events.site = "
            "sites.site) AS dead, "
            "(SELECT count(*) FROM events INDEXED BY events_unknown WHERE outcome = 'unknown' AND "
            "events.site = sites.site) AS unknown, "
            "(SELECT count(*) FROM subscriptions WHERE subscriptions.site = sites.site) AS subscriptions "
            "FROM sites ORDER BY site",
            {}};
}

} // namespace chargifyd::state
