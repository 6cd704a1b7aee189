#include "schema.hpp"

#include "chargifyd/state/tables.hpp"

namespace chargifyd::state {

namespace {

std::string object_table_sql(object_kind kind)
{
    const object_table& table = table_of(kind);
    std::string sql = "CREATE TABLE ";
    sql += table.name;
    sql += " (site TEXT NOT NULL, id INTEGER NOT NULL";
    for (const column& c : table.columns) {
        sql += ", \"";
        sql += c.name;
        sql += "\" ";
        sql += c.kind == column_kind::integer || c.kind == column_kind::flag ? "INTEGER" : "TEXT";
        if (c.kind == column_kind::flag)
            sql += " CHECK (\"" + std::string(c.name) + "\" IN (0, 1))";
    }
    sql += ", attributes TEXT NOT NULL DEFAULT '{}'";
    // Of the projection: the order of the newest full statement, and the patches that may be newer.
    sql += ", version_updated_at INTEGER NOT NULL, version_event_id INTEGER NOT NULL"
           ", version_webhook_id INTEGER NOT NULL, patches TEXT";
    sql += ", PRIMARY KEY (site, id)) STRICT;\n";
    return sql;
}

constexpr const char* other_tables = R"sql(
CREATE TABLE events (
    seq INTEGER PRIMARY KEY,
    site TEXT NOT NULL,
    webhook_id INTEGER,
    event TEXT,
    event_id INTEGER,
    subscription_id INTEGER,
    customer_id INTEGER,
    occurred_at TEXT,
    received_at TEXT NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('applied', 'unchanged', 'stale', 'test', 'unknown', 'dead')),
    error TEXT,
    deliveries INTEGER NOT NULL DEFAULT 1,
    body_sha256 BLOB
) STRICT;
CREATE UNIQUE INDEX events_by_webhook_id ON events (site, webhook_id)
    WHERE webhook_id IS NOT NULL AND outcome <> 'dead';
CREATE UNIQUE INDEX events_by_body ON events (site, body_sha256)
    WHERE webhook_id IS NULL AND outcome <> 'dead';
CREATE INDEX events_by_subscription ON events (subscription_id, seq) WHERE subscription_id IS NOT NULL;
CREATE INDEX events_to_look_at ON events (outcome, seq) WHERE outcome IN ('dead', 'unknown');

CREATE TABLE changes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    seq INTEGER NOT NULL,
    site TEXT NOT NULL,
    subscription_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    old_value TEXT,
    new_value TEXT,
    occurred_at TEXT
) STRICT;
CREATE INDEX changes_by_subscription ON changes (site, subscription_id, seq);

CREATE TABLE subscription_timeline (
    site TEXT NOT NULL,
    subscription_id INTEGER NOT NULL,
    version_updated_at INTEGER NOT NULL,
    version_event_id INTEGER NOT NULL,
    version_webhook_id INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    state TEXT NOT NULL,
    product_id INTEGER,
    product_handle TEXT NOT NULL,
    created_at TEXT NOT NULL,
    period_started_at TEXT NOT NULL,
    period_ends_at TEXT NOT NULL,
    cancel_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    PRIMARY KEY (site, subscription_id, version_updated_at, version_event_id, version_webhook_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE sites (
    site TEXT PRIMARY KEY,
    webhooks INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    last_received_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE access_states (
    state TEXT PRIMARY KEY,
    has_access INTEGER NOT NULL CHECK (has_access IN (0, 1))
) STRICT, WITHOUT ROWID;

CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX subscriptions_by_customer ON subscriptions (site, customer_id);
CREATE INDEX subscriptions_by_reference ON subscriptions (site, reference) WHERE reference IS NOT NULL;
CREATE INDEX subscriptions_by_state ON subscriptions (state, site);
CREATE INDEX customers_by_reference ON customers (site, reference) WHERE reference IS NOT NULL;
CREATE INDEX customers_by_email ON customers (email) WHERE email IS NOT NULL;

CREATE VIEW subscription_access AS
SELECT s.site,
       s.id AS subscription_id,
       s.customer_id,
       c.reference AS customer_reference,
       s.product_handle,
       s.state,
       COALESCE(a.has_access, 0) AS has_access,
       CASE
           WHEN COALESCE(a.has_access, 0) = 0 THEN NULL
           WHEN s.cancel_at_end_of_period = 1 THEN COALESCE(s.delayed_cancel_at, s.current_period_ends_at)
           WHEN s.expires_at < s.current_period_ends_at THEN s.expires_at
           ELSE COALESCE(s.current_period_ends_at, s.expires_at)
       END AS access_until
FROM subscriptions AS s
LEFT JOIN customers AS c ON c.site = s.site AND c.id = s.customer_id
LEFT JOIN access_states AS a ON a.state = s.state;
)sql";

} // namespace

const std::string& schema_sql()
{
    static const std::string sql = object_table_sql(object_kind::subscription) +
                                   object_table_sql(object_kind::customer) +
                                   object_table_sql(object_kind::product) + other_tables;
    return sql;
}

} // namespace chargifyd::state
