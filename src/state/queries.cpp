#include "chargifyd/state/queries.hpp"

#include "open_state.hpp"

#include "chargifyd/state/sqlite_store.hpp"

#include <utility>

namespace chargifyd::state {

namespace {

/// Collects conditions and their values.
class where_clause {
public:
    void add(const char* condition, value v)
    {
        text_ += text_.empty() ? " WHERE " : " AND ";
        text_ += condition;
        parameters_.push_back(std::move(v));
    }
    void add_text(const char* condition, const std::string& v)
    {
        if (!v.empty())
            add(condition, v);
    }
    void add_integer(const char* condition, std::optional<std::int64_t> v)
    {
        if (v)
            add(condition, *v);
    }

    query finish(const std::string& select, const std::string& order, std::uint64_t limit)
    {
        query q{select + text_ + order, std::move(parameters_)};
        if (limit != 0)
            q.sql += " LIMIT " + std::to_string(limit);
        return q;
    }

private:
    std::string text_;
    std::vector<value> parameters_;
};

std::string public_columns(object_kind kind)
{
    std::string list = "site, id";
    for (const column& c : table_of(kind).columns)
        list += ", \"" + std::string(c.name) + "\"";
    return list + ", attributes";
}

where_clause subscription_conditions(const subscription_filter& with)
{
    where_clause where;
    where.add_integer("s.id = ?", with.id);
    where.add_text("s.site = ?", with.site);
    where.add_text("s.state = ?", with.state);
    where.add_integer("s.customer_id = ?", with.customer_id);
    if (!with.customer_reference.empty())
        where.add("(s.site, s.customer_id) IN (SELECT site, id FROM customers WHERE reference = ?)",
                  with.customer_reference);
    return where;
}

where_clause customer_conditions(const customer_filter& with)
{
    where_clause where;
    where.add_integer("id = ?", with.id);
    where.add_text("site = ?", with.site);
    where.add_text("reference = ?", with.reference);
    return where;
}

bool ends_with(std::string_view text, std::string_view end)
{
    return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

/// Names tell the kind: the schema keeps times in `…_at`, and flags are few.
column_kind kind_of(std::string_view name)
{
    if (ends_with(name, "_at") || name == "access_until")
        return column_kind::time;
    if (name == "has_access" || name == "cancel_at_end_of_period")
        return column_kind::flag;
    if (ends_with(name, "_in_cents") || name == "id" || ends_with(name, "_id") || name == "seq" ||
        name == "deliveries" || name == "interval" || name == "webhooks" || name == "dead" ||
        name == "subscriptions" || name == "unknown")
        return column_kind::integer;
    return column_kind::text;
}

} // namespace

query list_subscriptions(const subscription_filter& with)
{
    return subscription_conditions(with).finish(
        "SELECT s.site, s.id, s.state, s.product_handle, s.customer_id, a.customer_reference, a.has_access, "
        "a.access_until, s.balance_in_cents, s.updated_at FROM subscriptions AS s "
        "JOIN subscription_access AS a ON a.site = s.site AND a.subscription_id = s.id",
        " ORDER BY s.site, s.id", with.limit);
}

query show_subscription(const subscription_filter& with)
{
    return subscription_conditions(with).finish("SELECT " + public_columns(object_kind::subscription) +
                                                    " FROM subscriptions AS s",
                                                " ORDER BY s.site", with.limit);
}

query list_customers(const customer_filter& with)
{
    return customer_conditions(with).finish(
        "SELECT site, id, reference, first_name, last_name, email, organization, updated_at FROM customers",
        " ORDER BY site, id", with.limit);
}

query show_customer(const customer_filter& with)
{
    return customer_conditions(with).finish("SELECT " + public_columns(object_kind::customer) +
                                                " FROM customers",
                                            " ORDER BY site, id", with.limit);
}

query list_events(const event_filter& with)
{
    where_clause where;
    where.add_integer("seq = ?", with.sequence ? std::optional(static_cast<std::int64_t>(*with.sequence))
                                               : std::nullopt);
    where.add_text("site = ?", with.site);
    where.add_text("event = ?", with.event);
    where.add_text("outcome = ?", with.outcome);
    where.add_integer("subscription_id = ?", with.subscription_id);
    if (with.after != 0)
        where.add("seq > ?", static_cast<std::int64_t>(with.after));
    query q = where.finish(
        "SELECT seq, site, webhook_id, event, event_id, subscription_id, customer_id, occurred_at, "
        "received_at, outcome, error, deliveries FROM events",
        with.newest ? " ORDER BY seq DESC" : " ORDER BY seq", with.limit);
    if (with.newest)
        q.sql = "SELECT * FROM (" + q.sql + ") ORDER BY seq";
    return q;
}

query subscription_history(const subscription_filter& with)
{
    where_clause where;
    where.add_integer("subscription_id = ?", with.id);
    where.add_text("site = ?", with.site);
    return where.finish(
        "SELECT id, seq, site, subscription_id, kind, old_value, new_value, occurred_at FROM changes",
        " ORDER BY occurred_at, id", with.limit);
}

query summary_by_site()
{
    return {
        "SELECT site, webhooks, last_received_at, "
        "(SELECT count(*) FROM events WHERE outcome = 'dead' AND events.site = sites.site) AS dead, "
        "(SELECT count(*) FROM events WHERE outcome = 'unknown' AND events.site = sites.site) AS unknown, "
        "(SELECT count(*) FROM subscriptions WHERE subscriptions.site = sites.site) AS subscriptions "
        "FROM sites ORDER BY site",
        {}};
}

state_reader::state_reader(std::filesystem::path file, sqlite::database db)
    : file_(std::move(file))
    , db_(std::move(db))
{}

result<state_reader> state_reader::open(const std::filesystem::path& file)
{
    std::error_code ignored;
    if (!std::filesystem::exists(file, ignored))
        return make_error(errc::not_found,
                          "there is no " + file.string() + "; has chargifyd run with this state directory?");
    try {
        sqlite::database db(file, sqlite::access::read_only);
        if (auto mistake = judge_state(db, file, db.text("SELECT value FROM meta WHERE key = 'journal_id'")))
            return *mistake;
        return state_reader(file, std::move(db));
    } catch (const sqlite::failure& e) {
        return explain_failure(file, e);
    }
}

result<void> state_reader::run(const query& q,
                               const std::function<void(std::span<const result_column>)>& on_columns,
                               const std::function<bool(std::span<const value>)>& on_row)
{
    try {
        sqlite::statement prepared(db_, q.sql);
        sqlite::statement::run rows(prepared);
        for (const value& v : q.parameters) {
            if (const auto* number = std::get_if<std::int64_t>(&v))
                rows.bind(*number);
            else if (const auto* text = std::get_if<std::string>(&v))
                rows.bind(std::string_view(*text));
            else
                rows.bind_null();
        }
        std::vector<result_column> columns;
        for (int i = 0; i < rows.columns(); ++i)
            columns.push_back({std::string(rows.name(i)), kind_of(rows.name(i))});
        if (on_columns)
            on_columns(columns);
        std::vector<value> row(columns.size());
        while (rows.step()) {
            for (std::size_t i = 0; i < row.size(); ++i) {
                const int c = static_cast<int>(i);
                if (rows.is_null(c))
                    row[i] = value();
                else if (rows.is_integer(c))
                    row[i] = rows.integer(c);
                else
                    row[i] = std::string(rows.text(c));
            }
            if (!on_row(row))
                break;
        }
        return {};
    } catch (const sqlite::failure& e) {
        return explain_failure(file_, e);
    }
}

result<std::uint64_t> state_reader::cursor()
{
    try {
        return static_cast<std::uint64_t>(
            db_.integer("SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'cursor'"));
    } catch (const sqlite::failure& e) {
        return explain_failure(file_, e);
    }
}

result<std::string> state_reader::journal_id()
{
    try {
        return db_.text("SELECT value FROM meta WHERE key = 'journal_id'");
    } catch (const sqlite::failure& e) {
        return explain_failure(file_, e);
    }
}

result<std::vector<std::string>> state_reader::integrity_problems()
{
    std::vector<std::string> problems;
    const auto done = run({"PRAGMA integrity_check(100)", {}}, {}, [&](std::span<const value> row) {
        const auto* const text = std::get_if<std::string>(&row[0]);
        if (text != nullptr && *text != "ok")
            problems.push_back(*text);
        return true;
    });
    if (!done)
        return done.error();
    return problems;
}

} // namespace chargifyd::state
