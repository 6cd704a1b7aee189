#include "chargifyd/state/queries_changes.hpp"

#include "conditions.hpp"
#include "money_queries.hpp"

#include <limits>

namespace chargifyd::state {

namespace {

/// A page of a list by number looks at so many changes at most.
constexpr std::int64_t window = 20000;

/// When it happened; where Chargify does not say, when it was told.
constexpr const char* moment_of_change =
    "COALESCE(c.occurred_at, (SELECT e.received_at FROM events AS e WHERE e.seq = c.seq))";

constexpr const char* currency_of_change =
    "CASE WHEN c.kind IN ('refund', 'refund_failed') THEN COALESCE((SELECT r.currency FROM refunds AS r "
    "WHERE "
    "r.site = c.site AND r.id = CAST(c.object_id AS INTEGER)), (SELECT s.currency FROM subscriptions AS s "
    "WHERE "
    "s.site = c.site AND s.id = c.subscription_id)) "
    "WHEN c.kind = 'invoice' THEN COALESCE((SELECT i.currency FROM invoices AS i WHERE i.site = c.site AND "
    "i.uid = c.object_id), (SELECT s.currency FROM subscriptions AS s WHERE s.site = c.site AND "
    "s.id = c.subscription_id)) "
    "ELSE (SELECT s.currency FROM subscriptions AS s WHERE s.site = c.site AND s.id = c.subscription_id) END";

std::string columns_of_change(const std::string& at)
{
    return std::string(
               "c.id, c.seq, c.site, c.subscription_id, c.kind, c.old_value, c.new_value, c.occurred_at, "
               "c.customer_id, c.object_id, c.amount_in_cents, ") +
           currency_of_change +
           " AS currency, c.detail, CASE WHEN c.kind IN ('allocation', 'usage', 'price_point') THEN "
           "(SELECT m.name FROM components AS m WHERE m.site = c.site AND m.subscription_id = "
           "c.subscription_id "
           "AND m.component_id = CAST(c.object_id AS INTEGER)) END AS object_name, " +
           at + " AS at";
}

void add_kinds(conditions& where, const std::vector<std::string>& kinds)
{
    if (kinds.empty())
        return;
    std::string marks;
    std::vector<value> values;
    for (const std::string& kind : kinds) {
        marks += marks.empty() ? "?" : ", ?";
        values.emplace_back(kind);
    }
    where.add("+c.kind IN (" + marks + ")", values);
}

query with_words(query q)
{
    q.with_words = true;
    return q;
}

/// The changes of a time, with the few that Chargify gives no time found by the webhook that told them. Kind
/// by kind two walks, each in order and no longer than the page: what is left to sort is a few pages' worth.
class time_order {
public:
    enum class direction { oldest_first, newest_first };

    static result<time_order> of(state_reader& from, const change_filter& with)
    {
        time_order made(from, with);
        for (const auto& [time, sequence] :
             {std::pair(&with.since, &made.first_), std::pair(&with.until, &made.beyond_)}) {
            if (time->empty())
                continue;
            const auto found = from.first_sequence_since(*time);
            if (!found)
                return found.error();
            *sequence = *found;
        }
        return made;
    }

    query page(std::span<const value> after, std::uint64_t limit, direction order) const
    {
        const bool newest = order == direction::newest_first;
        std::string arms;
        std::vector<value> parameters;
        const auto add = [&](const query& q) {
            arms += (arms.empty() ? "SELECT * FROM (" : " UNION ALL SELECT * FROM (") + q.sql + ")";
            parameters.insert(parameters.end(), q.parameters.begin(), q.parameters.end());
        };
        const std::int64_t first = first_after(after);
        for (const std::string& kind : with_.kinds.empty() ? std::vector<std::string>(1) : with_.kinds) {
            add(with_time(kind, after, limit, newest));
            add(without_time(kind, after, first, limit, newest));
        }
        const std::string way = newest ? " DESC" : "";
        const std::string order_by = " ORDER BY at" + way + ", seq" + way + ", id" + way;
        return with_words({"SELECT " + columns_of_change("u.at") + " FROM (SELECT * FROM (" + arms + ")" +
                               order_by + " LIMIT " + std::to_string(limit) +
                               ") AS u CROSS JOIN changes AS c ON c.id = u.id ORDER BY u.at, u.seq, u.id",
                           std::move(parameters)});
    }

    /// All of them, in no order: for sums.
    std::vector<query> unordered(const std::string& columns) const
    {
        std::vector<query> all;
        for (const std::string& kind : with_.kinds) {
            all.push_back(
                walk_with_time(kind, {}).finish("SELECT " + columns + " FROM " + index_for(kind), "", 0));
            all.push_back(
                walk_without_time(kind, {}, first_)
                    .finish("SELECT " + columns + " FROM " + index_for(kind) + " CROSS JOIN events AS e", "",
                            0));
        }
        return all;
    }

private:
    time_order(state_reader& from, const change_filter& with)
        : from_(&from)
        , with_(with)
    {}

    /// Where the changes without a time go on after a key.
    std::int64_t first_after(std::span<const value> after) const
    {
        if (after.empty())
            return first_;
        const auto found = from_->first_sequence_since(std::get<std::string>(after.front()));
        return found ? *found : first_;
    }

    void narrow(conditions& where, const std::string& kind) const
    {
        where.add_text("c.kind = ?", kind);
        where.add_text("c.site = ?", with_.site);
    }

    static std::string index_for(const std::string& kind)
    {
        return kind.empty() ? "changes AS c INDEXED BY changes_by_time"
                            : "changes AS c INDEXED BY changes_by_kind";
    }

    conditions walk_with_time(const std::string& kind, std::span<const value> after) const
    {
        conditions where;
        narrow(where, kind);
        if (!after.empty())
            where.add("(c.occurred_at, c.seq, c.id) > (?, ?, ?)", after);
        else if (with_.since.empty())
            where.add("c.occurred_at IS NOT NULL");
        else
            where.add("c.occurred_at >= ?", with_.since);
        where.add_text("c.occurred_at < ?", with_.until);
        return where;
    }

    conditions walk_without_time(const std::string& kind, std::span<const value> after,
                                 std::int64_t first) const
    {
        conditions where;
        narrow(where, kind);
        where.add("c.occurred_at IS NULL");
        where.add("e.seq = c.seq");
        if (first > 0)
            where.add("c.seq >= ?", first);
        if (beyond_ > 0)
            where.add("c.seq < ?", beyond_);
        if (!after.empty())
            where.add("(e.received_at, c.seq, c.id) > (?, ?, ?)", after);
        return where;
    }

    query with_time(const std::string& kind, std::span<const value> after, std::uint64_t limit,
                    bool newest) const
    {
        return walk_with_time(kind, after)
            .finish("SELECT c.id, c.seq, c.occurred_at AS at FROM " + index_for(kind),
                    newest ? " ORDER BY c.occurred_at DESC, c.seq DESC, c.id DESC"
                           : " ORDER BY c.occurred_at, c.seq, c.id",
                    limit);
    }

    query without_time(const std::string& kind, std::span<const value> after, std::int64_t first,
                       std::uint64_t limit, bool newest) const
    {
        return walk_without_time(kind, after, first)
            .finish("SELECT c.id, c.seq, e.received_at AS at FROM " + index_for(kind) +
                        " CROSS JOIN events AS e",
                    newest ? " ORDER BY c.seq DESC, c.id DESC" : " ORDER BY c.seq, c.id", limit);
    }

    state_reader* from_; ///< of the list that holds this
    change_filter with_;
    std::int64_t first_ = 0;  ///< webhooks from this on; 0: all
    std::int64_t beyond_ = 0; ///< webhooks below this; 0: all
};

/// The ids of the changes that a subject knows.
query ids_of(const change_subject& subject)
{
    if (subject.subscription_id)
        return {"SELECT h.id FROM changes AS h INDEXED BY changes_by_subscription WHERE h.site = ? AND "
                "h.subscription_id = ?",
                {subject.site, *subject.subscription_id}};
    const value site = subject.site;
    const value id = subject.customer_id.value_or(0);
    return {
        "SELECT h.id FROM changes AS h INDEXED BY changes_by_customer WHERE h.site = ? AND h.customer_id = ? "
        "UNION SELECT h.id FROM subscriptions AS s INDEXED BY subscriptions_by_customer CROSS JOIN changes "
        "AS h "
        "INDEXED BY changes_by_subscription WHERE s.site = ? AND s.customer_id = ? AND h.site = s.site AND "
        "h.subscription_id = s.id",
        {site, id, site, id}};
}

/// All changes of a subject; few enough to be sorted.
query page_of_subject(const change_subject& subject, const change_filter& with, const char* key,
                      std::span<const value> after, std::uint64_t limit)
{
    query ids = ids_of(subject);
    conditions kinds;
    kinds.add("c.id IN (" + ids.sql + ")", ids.parameters);
    add_kinds(kinds, with.kinds);
    query all = kinds.finish("SELECT " + columns_of_change(moment_of_change) + " FROM changes AS c", "", 0);
    conditions where;
    where.add_text("at >= ?", with.since);
    where.add_text("at < ?", with.until);
    if (!after.empty())
        where.add(after.size() == 1 ? "id > ?" : "(at, seq, id) > (?, ?, ?)", after);
    return with_words(where.finish("SELECT * FROM (" + all.sql + ")", std::string(" ORDER BY ") + key, limit,
                                   std::move(all.parameters)));
}

} // namespace

result<list> list_changes(state_reader& from, const change_filter& with)
{
    auto made = time_order::of(from, with);
    if (!made)
        return made.error();
    walk all;
    all.key = {"at", "seq", "id"};
    all.page = [pages = std::move(*made)](std::span<const value> after, std::uint64_t limit) {
        return pages.page(after, limit, time_order::direction::oldest_first);
    };
    return list{{std::move(all)}};
}

result<query> newest_changes(state_reader& from, const change_filter& with, std::uint64_t limit)
{
    const auto made = time_order::of(from, with);
    if (!made)
        return made.error();
    return made->page({}, limit, time_order::direction::newest_first);
}

result<list> follow_changes(state_reader& from, const change_filter& with)
{
    walk all;
    all.key = {"id"};
    const bool narrow = !with.kinds.empty() || !with.site.empty();
    if (narrow) {
        const auto last = from.first({"SELECT max(id) FROM changes", {}});
        if (!last)
            return last.error();
        const auto* const number = *last ? std::get_if<std::int64_t>(&**last) : nullptr;
        all.window = window;
        all.last = number != nullptr ? *number : 0;
    }
    all.page = [with, narrow](std::span<const value> after, std::uint64_t limit) {
        const std::int64_t start = after.empty() ? 0 : std::get<std::int64_t>(after.front());
        conditions where;
        where.add("c.id > ?", start);
        if (narrow)
            where.add("c.id <= ?",
                      start > std::numeric_limits<std::int64_t>::max() - window ? start : start + window);
        add_kinds(where, with.kinds);
        where.add_text("c.site = ?", with.site);
        return with_words(
            where.finish("SELECT " + columns_of_change(moment_of_change) + " FROM changes AS c NOT INDEXED",
                         " ORDER BY c.id", limit));
    };
    return list{{std::move(all)}};
}

result<std::vector<query>> money_queries(state_reader& from, const change_filter& with)
{
    const auto made = time_order::of(from, with);
    if (!made)
        return made.error();
    return made->unordered("c.kind, c.site, " + std::string(currency_of_change) +
                           " AS currency, c.amount_in_cents");
}

result<change_subject> find_subscription_subject(state_reader& from, const object_name& which)
{
    const std::int64_t id = which.id.value_or(0);
    query q{
        "SELECT x.site FROM sites AS x WHERE (EXISTS (SELECT 1 FROM changes AS h INDEXED BY "
        "changes_by_subscription WHERE h.site = x.site AND h.subscription_id = ?) OR EXISTS (SELECT 1 FROM "
        "subscriptions AS s WHERE s.site = x.site AND s.id = ?))",
        {id, id}};
    if (!which.site.empty()) {
        q.sql += " AND x.site = ?";
        q.parameters.emplace_back(which.site);
    }
    std::vector<std::string> sites;
    const auto done = from.run(q, {}, [&sites](std::span<const value> row) {
        sites.push_back(std::get<std::string>(row[0]));
        return true;
    });
    if (!done)
        return done.error();
    if (sites.empty())
        return make_error(errc::not_found, "nothing is known of a subscription " + std::to_string(id));
    if (sites.size() == 1)
        return change_subject{sites.front(), id, {}};
    std::string names;
    for (const std::string& site : sites)
        names += (names.empty() ? "" : ", ") + site;
    return make_error(errc::invalid, "there are several: subscription " + std::to_string(id) + " of " +
                                         names + "; say which, by its site");
}

list list_changes_of(const change_subject& subject, const change_filter& with)
{
    walk all;
    all.key = {"at", "seq", "id"};
    all.page = [subject, with](std::span<const value> after, std::uint64_t limit) {
        return page_of_subject(subject, with, "at, seq, id", after, limit);
    };
    return {{std::move(all)}};
}

list follow_changes_of(const change_subject& subject, const change_filter& with)
{
    walk all;
    all.key = {"id"};
    all.page = [subject, with](std::span<const value> after, std::uint64_t limit) {
        return page_of_subject(subject, with, "id", after, limit);
    };
    return {{std::move(all)}};
}

} // namespace chargifyd::state
