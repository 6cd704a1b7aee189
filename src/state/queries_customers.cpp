#include "path.hpp"

#include "chargifyd/state/queries.hpp"

namespace chargifyd::state {

namespace {

constexpr const char* list_columns =
    "SELECT site, id, reference, first_name, last_name, email, organization, updated_at FROM customers";

} // namespace

list list_customers(const customer_filter& with)
{
    path p;
    p.select = list_columns;
    p.order = {"site", "id"};
    p.key = {"site", "id"};
    const bool by_update = with.email.empty() && !with.updated_since.empty();
    p.fixed = with.site.empty() || by_update ? 0 : 1;
    // The plus keeps SQLite from seeing that all rows have this site, and no longer that they are in order.
    p.where.add_text(by_update ? "+site = ?" : "site = ?", with.site);
    p.where.add_text("email = ?", with.email);
    if (!with.email.empty()) {
        p.select += " INDEXED BY customers_by_email";
        p.where.add_text("updated_at >= ?", with.updated_since);
    } else if (by_update) {
        p.select += " INDEXED BY customers_by_update";
        p.order.insert(p.order.begin(), "updated_at");
        p.key.insert(p.key.begin(), "updated_at");
        p.start = "updated_at >= ?";
        p.start_value = with.updated_since;
    }
    return {{along(std::move(p))}};
}

} // namespace chargifyd::state
