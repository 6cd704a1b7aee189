#include "chargifyd/state/queries.hpp"

#include <array>

namespace chargifyd::state {

namespace {

/// Of what grows with time only the newest are shown with an object.
constexpr const char* newest_few = "10";
/// Of what belongs to an object at one time.
constexpr const char* all_within_reason = "1000";

/// `t."a", t."b", …, t.attributes`
std::string public_columns(object_kind kind)
{
    std::string list = "t.site";
    for (const column& c : table_of(kind).keys)
        list += ", t.\"" + std::string(c.name) + "\"";
    for (const column& c : table_of(kind).columns)
        list += ", t.\"" + std::string(c.name) + "\"";
    return list + ", t.attributes";
}

/// The public columns but for those of `without` and the site, which the object around it has.
std::string inner_columns(object_kind kind, std::span<const std::string_view> without)
{
    std::string list;
    const auto add = [&](const column& c) {
        for (const std::string_view name : without) {
            if (c.name == name)
                return;
        }
        list += "t.\"" + std::string(c.name) + "\", ";
    };
    for (const column& c : table_of(kind).keys)
        add(c);
    for (const column& c : table_of(kind).columns)
        add(c);
    return list + "t.attributes";
}

constexpr std::array<std::string_view, 1> of_subscription{"subscription_id"};
constexpr std::array<std::string_view, 2> of_both{"subscription_id", "customer_id"};
constexpr std::array<std::string_view, 1> of_customer{"customer_id"};
constexpr std::array<std::string_view, 2> of_resource{"resource_type", "resource_id"};

query inside(const object_place& which, object_kind kind, std::span<const std::string_view> without,
             const std::string& condition_and_order)
{
    return {"SELECT " + inner_columns(kind, without) + " FROM " + std::string(table_of(kind).name) +
                " AS t " + condition_and_order,
            {which.site, which.id}};
}

section newest_of(const object_place& which, const std::string& name, object_kind kind,
                  const std::string& order)
{
    return {name, inside(which, kind, of_both,
                         "WHERE t.site = ? AND t.subscription_id = ? ORDER BY " + order + " DESC LIMIT " +
                             newest_few)};
}

/// A row of another table that the subscription's own row points to.
section pointed_to(const object_place& which, const std::string& name, object_kind kind,
                   std::span<const std::string_view> without, const std::string& join)
{
    query q{"SELECT " + inner_columns(kind, without) + " FROM subscriptions AS s CROSS JOIN " +
                std::string(table_of(kind).name) + " AS t ON t.site = s.site AND " + join +
                " WHERE s.site = ? AND s.id = ?",
            {which.site, which.id}};
    return {name, std::move(q), true};
}

section custom_fields_of(const object_place& which, const std::string& resource_type)
{
    return {"custom_fields",
            inside(which, object_kind::custom_field, of_resource,
                   "WHERE t.site = ? AND t.resource_id = ? AND t.resource_type = '" + resource_type +
                       "' AND COALESCE(t.deleted, 0) = 0 ORDER BY t.name LIMIT " + all_within_reason)};
}

/// The sites for which a condition holds. `?` in it is the number or text looked for.
result<object_place> only_one(state_reader& from, const query& q, const std::string& what)
{
    std::vector<object_place> found;
    const auto done = from.run(q, {}, [&found](std::span<const value> row) {
        found.push_back({std::get<std::string>(row[0]), std::get<std::int64_t>(row[1])});
        return true;
    });
    if (!done)
        return done.error();
    if (found.empty())
        return make_error(errc::not_found, "no " + what);
    if (found.size() == 1)
        return found.front();
    std::string sites;
    bool several_sites = false;
    for (const object_place& one : found) {
        several_sites |= one.site != found.front().site;
        sites += (sites.empty() ? "" : ", ") + (one.site + " (" + std::to_string(one.id) + ")");
    }
    return make_error(errc::invalid, "there are several: " + what + " of " + sites + "; say which, by " +
                                         (several_sites ? "its site" : "its id"));
}

query by_id(const char* table, const object_name& which)
{
    const std::string sql = std::string("SELECT t.site, t.id FROM sites AS x CROSS JOIN ") + table +
                            " AS t ON t.site = x.site WHERE t.id = ?";
    if (which.site.empty())
        return {sql + " LIMIT 10", {*which.id}};
    return {sql + " AND x.site = ? LIMIT 10", {*which.id, which.site}};
}

} // namespace

result<object_place> find_subscription(state_reader& from, const object_name& which)
{
    return only_one(from, by_id("subscriptions", which),
                    "subscription " + std::to_string(which.id.value_or(0)));
}

result<object_place> find_customer(state_reader& from, const object_name& which)
{
    if (which.id)
        return only_one(from, by_id("customers", which), "customer " + std::to_string(*which.id));
    query q{"SELECT site, id FROM customers INDEXED BY customers_by_reference WHERE reference = ?",
            {which.reference}};
    if (!which.site.empty()) {
        q.sql += " AND site = ?";
        q.parameters.emplace_back(which.site);
    }
    q.sql += " ORDER BY site, id LIMIT 10";
    return only_one(from, q, "customer with the reference '" + which.reference + "'");
}

query show_subscription(const object_place& which)
{
    return {"SELECT " + public_columns(object_kind::subscription) +
                " FROM subscriptions AS t WHERE site = ? AND id = ?",
            {which.site, which.id}};
}

query show_customer(const object_place& which)
{
    return {"SELECT " + public_columns(object_kind::customer) +
                " FROM customers AS t WHERE site = ? AND id = ?",
            {which.site, which.id}};
}

std::vector<section> sections_of_subscription(const object_place& which)
{
    std::vector<section> all;
    all.push_back(
        {"access",
         {"SELECT has_access, access_until FROM subscription_access WHERE site = ? AND subscription_id = ?",
          {which.site, which.id}},
         true});
    all.push_back(pointed_to(which, "customer", object_kind::customer, {}, "t.id = s.customer_id"));
    all.push_back(pointed_to(which, "product", object_kind::product, {}, "t.id = s.product_id"));
    all.push_back(pointed_to(which, "group", object_kind::subscription_group, {}, "t.uid = s.group_uid"));
    all.push_back(pointed_to(which, "payment_profile", object_kind::payment_profile, of_customer,
                             "t.id = s.payment_profile_id"));
    all.push_back(
        {"dunning",
         inside(which, object_kind::dunning, of_subscription, "WHERE t.site = ? AND t.subscription_id = ?"),
         true});
    all.push_back(
        {"components", inside(which, object_kind::component, of_subscription,
                              "WHERE t.site = ? AND t.subscription_id = ? ORDER BY t.component_id LIMIT " +
                                  std::string(all_within_reason))});
    all.push_back(custom_fields_of(which, "Subscription"));
    all.push_back(newest_of(which, "transactions", object_kind::transaction, "t.id"));
    all.push_back(newest_of(which, "refunds", object_kind::refund, "t.id"));
    all.push_back(newest_of(which, "statements", object_kind::statement, "t.id"));
    all.push_back(newest_of(which, "invoices", object_kind::invoice, "t.issue_date"));
    return all;
}

std::vector<section> sections_of_customer(const object_place& which)
{
    std::vector<section> all;
    all.push_back(
        {"subscriptions",
         {"SELECT s.id, s.state, s.product_handle, a.has_access, a.access_until, s.balance_in_cents, "
          "s.currency, s.updated_at FROM subscriptions AS s INDEXED BY subscriptions_by_customer CROSS JOIN "
          "subscription_access AS a WHERE a.site = s.site AND a.subscription_id = s.id AND s.site = ? AND "
          "s.customer_id = ? ORDER BY s.id LIMIT " +
              std::string(all_within_reason),
          {which.site, which.id}}});
    all.push_back({"payment_profiles", inside(which, object_kind::payment_profile, of_customer,
                                              "WHERE t.site = ? AND t.customer_id = ? ORDER BY t.id LIMIT " +
                                                  std::string(all_within_reason))});
    all.push_back(custom_fields_of(which, "Customer"));
    return all;
}

} // namespace chargifyd::state
