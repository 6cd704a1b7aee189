#include "access_end.hpp"
#include "access_paths.hpp"

#include "chargifyd/base/time.hpp"
#include "chargifyd/state/queries.hpp"

namespace chargifyd::state {

namespace {

const subscription_columns& list_columns()
{
    static const subscription_columns shown = {
        "s.site, s.id, s.state, s.product_handle, s.customer_id, a.customer_reference, a.has_access, "
        "a.access_until, s.balance_in_cents, s.updated_at",
        "id"};
    return shown;
}

const subscription_columns& access_columns()
{
    static const subscription_columns shown = {
        "s.site, s.id AS subscription_id, s.customer_id, a.customer_reference, s.product_handle, s.state, "
        "a.has_access, a.access_until",
        "subscription_id"};
    return shown;
}

/// In the order of the key.
path in_order(const subscription_columns& shown, const std::string& site, const std::string& source)
{
    path p;
    p.select = select_of(shown, source);
    p.where = joined_access();
    p.where.add_text("s.site = ?", site);
    p.order = {"s.site", "s.id"};
    p.key = {"site", shown.id};
    p.fixed = site.empty() ? 0 : 1;
    return p;
}

/// Those of the customers with a reference: few.
path of_customer(const subscription_columns& shown, const std::string& site, const std::string& reference)
{
    path p =
        in_order(shown, site,
                 "customers AS k INDEXED BY customers_by_reference CROSS JOIN subscriptions AS s INDEXED BY "
                 "subscriptions_by_customer");
    p.where.add("k.reference = ?", reference);
    p.where.add("s.site = k.site");
    p.where.add("s.customer_id = k.id");
    return p;
}

void add_filters(path& p, const subscription_filter& with)
{
    p.where.add_text("s.state = ?", with.state);
    p.where.add_text("s.product_handle = ?", with.product);
    p.where.add_text("s.reference = ?", with.reference);
    if (!with.updated_since.empty() && p.start.empty())
        p.where.add("s.updated_at >= ?", with.updated_since);
    if (with.has_access)
        p.where.add("a.has_access = ?", std::int64_t{*with.has_access});
}

path updated_since(const subscription_filter& with)
{
    path p = in_order(list_columns(), "", "subscriptions AS s INDEXED BY subscriptions_by_update");
    p.where.add_text(filter_site, with.site);
    p.order.insert(p.order.begin(), "s.updated_at");
    p.key.insert(p.key.begin(), "updated_at");
    p.start = "s.updated_at >= ?";
    p.start_value = with.updated_since;
    return p;
}

list single(path p, const subscription_filter& with)
{
    add_filters(p, with);
    return {{along(std::move(p))}};
}

} // namespace

result<list> list_subscriptions(state_reader& from, const subscription_filter& with)
{
    const auto& shown = list_columns();
    if (!with.customer_reference.empty())
        return single(of_customer(shown, with.site, with.customer_reference), with);
    if (!with.reference.empty())
        return single(in_order(shown, with.site, "subscriptions AS s INDEXED BY subscriptions_by_reference"),
                      with);
    if (!with.updated_since.empty())
        return single(updated_since(with), with);
    if (with.has_access || !with.product.empty())
        return from_state_to_state(from, shown, {with.site, with.state, with.product, with.has_access, {}});
    if (!with.state.empty())
        return single(in_order(shown, with.site, "subscriptions AS s INDEXED BY subscriptions_by_state"),
                      with);
    return single(in_order(shown, with.site, "subscriptions AS s"), with);
}

result<list> list_access(state_reader& from, const access_filter& with)
{
    const auto& shown = access_columns();
    if (!with.customer_reference.empty()) {
        path p = of_customer(shown, with.site, with.customer_reference);
        if (with.has_access)
            p.where.add("a.has_access = ?", std::int64_t{*with.has_access});
        if (!with.until.empty()) {
            p.where.add("a.has_access = 1");
            p.where.add("a.access_until <= ?", with.until);
            p.where.add("(" + has_end_sql("s.") +
                        " OR EXISTS (SELECT 1 FROM access_states AS g WHERE g.state = s.state "
                        "AND g.grace_days IS NOT NULL))");
        }
        return list{{along(std::move(p))}};
    }
    if (with.has_access || !with.until.empty())
        return from_state_to_state(from, shown, {with.site, {}, {}, with.has_access, with.until});
    return list{{along(in_order(shown, with.site, "subscriptions AS s"))}};
}

list list_renewals(const renewal_filter& with)
{
    path p;
    p.select =
        "SELECT s.next_assessment_at, s.site, s.id, s.state, s.product_handle, s.next_product_handle, "
        "s.product_price_in_cents, s.currency, s.balance_in_cents, s.customer_id, "
        "c.reference AS customer_reference FROM subscriptions AS s INDEXED BY subscriptions_by_renewal "
        "LEFT JOIN customers AS c ON c.site = s.site AND c.id = s.customer_id";
    p.where.add("s.next_assessment_at < ?", with.to);
    p.where.add_text(filter_site, with.site);
    // Nothing is billed in these.
    p.where.add("s.state NOT IN ('canceled', 'expired', 'failed_to_create', 'on_hold', 'suspended', "
                "'trial_ended', 'unpaid')");
    p.where.add("COALESCE(s.deleted, 0) = 0");
    p.where.add("COALESCE(s.cancel_at_end_of_period, 0) = 0");
    p.where.add("COALESCE(s.scheduled_cancellation_at > s.next_assessment_at, 1)");
    p.where.add("COALESCE(s.expires_at > s.next_assessment_at, 1)");
    p.order = {"s.next_assessment_at", "s.site", "s.id"};
    p.key = {"next_assessment_at", "site", "id"};
    p.start = "s.next_assessment_at >= ?";
    p.start_value = with.from;
    return {{along(std::move(p))}};
}

list list_past_due(const std::string& site)
{
    const std::string since = state_since_sql("s.");
    const subscription_columns shown = {"s.site, s.id, " + since +
                                            " AS past_due_since, CASE WHEN g.grace_days IS NOT NULL THEN "
                                            "strftime('%Y-%m-%dT%H:%M:%SZ', " +
                                            since +
                                            ", '+' || g.grace_days || ' days') END AS grace_ends_at, "
                                            "a.has_access, s.product_handle, s.balance_in_cents, s.currency, "
                                            "d.attempts, d.step_day, d.step_action, "
                                            "d.next_step_day, d.next_step_action, "
                                            "d.revenue_at_risk_in_cents, s.customer_id, a.customer_reference",
                                        "id"};
    path p = in_order(shown, site, "subscriptions AS s INDEXED BY subscriptions_by_state");
    p.select += " LEFT JOIN dunning AS d ON d.site = s.site AND d.subscription_id = s.id "
                "LEFT JOIN access_states AS g ON g.state = s.state";
    p.where.add("s.state = 'past_due'");
    return {{along(std::move(p))}};
}

} // namespace chargifyd::state
