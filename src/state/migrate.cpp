#include "migrate.hpp"

#include "schema.hpp"

#include "chargifyd/state/sqlite_store.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace chargifyd::state {

namespace {

/// The name of a table while it is copied into its new form.
constexpr std::string_view old_table = "table_before_migration";

std::string identifier(std::string_view name)
{
    return "\"" + std::string(name) + "\"";
}

/// An index or a view, or a table, with the statement that makes it.
struct schema_object {
    std::string type;
    std::string name;
    std::string sql;

    bool operator==(const schema_object&) const = default;
};

std::vector<schema_object> objects_of(sqlite::database& db)
{
    // An index without a statement belongs to a key of its table.
    sqlite::statement query(db, "SELECT type, name, sql FROM sqlite_schema "
                                "WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'");
    sqlite::statement::run rows(query);
    std::vector<schema_object> all;
    while (rows.step())
        all.push_back({std::string(rows.text(0)), std::string(rows.text(1)), std::string(rows.text(2))});
    return all;
}

struct column_layout {
    std::string name;
    std::string type;
    bool not_null = false;
    std::int64_t key = 0; ///< its place in the primary key, from 1; 0: it is not in it

    bool operator==(const column_layout&) const = default;
};

std::vector<column_layout> columns_of(sqlite::database& db, std::string_view table)
{
    sqlite::statement query(db, "SELECT name, type, \"notnull\", pk FROM pragma_table_info(?)");
    sqlite::statement::run rows(query);
    rows.bind(table);
    std::vector<column_layout> all;
    while (rows.step())
        all.push_back(
            {std::string(rows.text(0)), std::string(rows.text(1)), rows.integer(2) != 0, rows.integer(3)});
    return all;
}

bool has(const std::vector<column_layout>& columns, std::string_view name)
{
    return std::ranges::find(columns, name, &column_layout::name) != columns.end();
}

/// What a column that may not be NULL holds in the rows that were there before it.
std::string_view nothing(const column_layout& column)
{
    return column.type == "TEXT" ? "''" : "0";
}

/// The way from one schema to the other.
class migration {
public:
    migration(sqlite::database& db, sqlite::database& wanted)
        : db_(db)
        , wanted_db_(wanted)
        , wanted_(objects_of(wanted))
    {}

    void run()
    {
        drop_what_differs();
        for (const schema_object& object : wanted_) {
            if (object.type == "table")
                bring_table(object);
        }
        const std::vector<schema_object> there = objects_of(db_);
        for (const schema_object& object : wanted_) {
            if (object.type != "table" && std::ranges::find(there, object) == there.end())
                db_.exec(object.sql);
        }
    }

private:
    /// Indexes cost a little to make anew, views nothing; and a view would stand in the way of its tables.
    void drop_what_differs()
    {
        for (const schema_object& object : objects_of(db_)) {
            if (object.type == "view")
                db_.exec("DROP VIEW " + identifier(object.name));
            else if (object.type == "index" && std::ranges::find(wanted_, object) == wanted_.end())
                db_.exec("DROP INDEX " + identifier(object.name));
        }
    }

    void bring_table(const schema_object& table)
    {
        const std::vector<column_layout> there = columns_of(db_, table.name);
        const std::vector<column_layout> wanted = columns_of(wanted_db_, table.name);
        const bool only_grows = std::ranges::all_of(
            there, [&](const column_layout& c) { return std::ranges::find(wanted, c) != wanted.end(); });
        if (there.empty())
            db_.exec(table.sql);
        else if (!only_grows)
            copy_table(table, there, wanted);
        else
            add_columns(table.name, there, wanted);
    }

    void add_columns(const std::string& table, const std::vector<column_layout>& there,
                     const std::vector<column_layout>& wanted)
    {
        for (const column_layout& column : wanted) {
            if (has(there, column.name))
                continue;
            std::string sql = "ALTER TABLE " + identifier(table) + " ADD COLUMN ";
            sql +=
                column_definition(table, column.name).value_or(identifier(column.name) + " " + column.type);
            if (column.not_null)
                sql += " NOT NULL DEFAULT " + std::string(nothing(column));
            db_.exec(sql);
        }
    }

    void copy_table(const schema_object& table, const std::vector<column_layout>& there,
                    const std::vector<column_layout>& wanted)
    {
        const std::string old = identifier(old_table);
        db_.exec("ALTER TABLE " + identifier(table.name) + " RENAME TO " + old);
        db_.exec(table.sql);
        std::string names;
        std::string values;
        for (const column_layout& column : wanted) {
            const bool kept = has(there, column.name);
            if (!kept && !column.not_null)
                continue;
            names += (names.empty() ? "" : ", ") + identifier(column.name);
            values += values.empty() ? "" : ", ";
            values += kept ? identifier(column.name) : std::string(nothing(column));
        }
        db_.exec("INSERT INTO " + identifier(table.name) + " (" + names + ") SELECT " + values + " FROM " +
                 old);
        keep_sequence(table);
        db_.exec("DROP TABLE " + old);
    }

    /// Ids that were given out are not given out again, even when their rows are gone.
    void keep_sequence(const schema_object& table)
    {
        if (table.sql.find("AUTOINCREMENT") == std::string::npos)
            return;
        sqlite::statement forget(db_, "DELETE FROM sqlite_sequence WHERE name = ?");
        sqlite::statement::run(forget).bind(std::string_view(table.name)).step();
        sqlite::statement rename(db_, "UPDATE sqlite_sequence SET name = ? WHERE name = ?");
        sqlite::statement::run(rename).bind(std::string_view(table.name)).bind(old_table).step();
    }

    sqlite::database& db_;
    sqlite::database& wanted_db_;
    const std::vector<schema_object> wanted_;
};

/// The newest timeline entry of a subscription is what the next webhook is compared with: the facts that
/// schema 1 had in `subscriptions` only must be in it, or they would look like news.
constexpr const char* fill_timeline = R"sql(
UPDATE subscription_timeline AS t
SET customer_id = s.customer_id,
    next_product = COALESCE(s.attributes ->> '$.next_product_handle', s.attributes ->> '$.next_product_id', ''),
    next_assessment_at = COALESCE(s.next_assessment_at, ''),
    cancellation_method = COALESCE(s.cancellation_method, ''),
    trial_started_at = COALESCE(s.trial_started_at, ''),
    trial_ended_at = COALESCE(s.trial_ended_at, ''),
    expires_at = COALESCE(s.expires_at, ''),
    canceled_at = COALESCE(s.canceled_at, ''),
    seen_period_started_at = t.period_started_at,
    seen_trial_started_at = COALESCE(s.trial_started_at, ''),
    seen_in_trial = t.state = 'trialing'
FROM subscriptions AS s
WHERE s.site = t.site AND s.id = t.subscription_id AND s.version_updated_at = t.version_updated_at
  AND s.version_event_id = t.version_event_id AND s.version_webhook_id = t.version_webhook_id
)sql";

/// Found by what they are for: a row that is there already, and the changes of an entry of the timeline.
bool is_needed_to_apply(const schema_object& index)
{
    return index.sql.starts_with("CREATE UNIQUE INDEX") || index.name == "changes_by_subscription";
}

} // namespace

void drop_query_indexes(sqlite::database& db)
{
    for (const schema_object& object : objects_of(db)) {
        if (object.type == "index" && !is_needed_to_apply(object))
            db.exec("DROP INDEX " + identifier(object.name));
    }
}

std::vector<std::string> missing_indexes(sqlite::database& db)
{
    sqlite::database wanted({}, sqlite::access::memory);
    wanted.exec(schema_sql());
    const std::vector<schema_object> there = objects_of(db);
    std::vector<std::string> missing;
    for (const schema_object& object : objects_of(wanted)) {
        if (object.type == "index" && std::ranges::find(there, object) == there.end())
            missing.push_back(object.sql);
    }
    return missing;
}

void migrate(sqlite::database& db)
{
    sqlite::write_transaction change(db);
    const std::int64_t from = db.integer("PRAGMA user_version");
    if (from >= schema_version)
        return;
    sqlite::database wanted({}, sqlite::access::memory);
    wanted.exec(schema_sql());
    migration(db, wanted).run();
    if (from < 2)
        db.exec(fill_timeline);
    db.exec("PRAGMA user_version = " + std::to_string(schema_version));
    change.commit();
}

} // namespace chargifyd::state
