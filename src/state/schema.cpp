#include "schema.hpp"

#include "access_end.hpp"

#include "chargifyd/state/tables.hpp"

namespace chargifyd::state {

namespace {

std::string column_sql(const column& c)
{
    std::string sql = "\"" + std::string(c.name) + "\" ";
    sql += c.kind == column_kind::integer || c.kind == column_kind::flag ? "INTEGER" : "TEXT";
    if (c.kind == column_kind::flag)
        sql += " CHECK (\"" + std::string(c.name) + "\" IN (0, 1))";
    return sql;
}

std::string object_table_sql(const object_table& table)
{
    std::string sql = "CREATE TABLE " + std::string(table.name) + " (site TEXT NOT NULL";
    std::string key = "site";
    for (const column& c : table.keys) {
        sql += ", " + column_sql(c) + " NOT NULL";
        key += ", " + std::string(c.name);
    }
    for (const column& c : table.columns)
        sql += ", " + column_sql(c);
    sql += ", attributes TEXT NOT NULL DEFAULT '{}'";
    // Of the projection: the order of the newest full statement, and the patches that may be newer.
    sql += ", version_updated_at INTEGER NOT NULL, version_event_id INTEGER NOT NULL"
           ", version_webhook_id INTEGER NOT NULL, patches TEXT";
    return sql + ", PRIMARY KEY (" + key + ")) STRICT;\n";
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
CREATE INDEX events_by_event ON events (event, seq) WHERE event IS NOT NULL;
CREATE INDEX events_by_site ON events (site, seq);
CREATE INDEX events_stale ON events (seq) WHERE outcome = 'stale';
CREATE INDEX events_test ON events (seq) WHERE outcome = 'test';
CREATE INDEX events_unknown ON events (seq) WHERE outcome = 'unknown';
CREATE INDEX events_dead ON events (seq) WHERE outcome = 'dead';

CREATE TABLE changes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    seq INTEGER NOT NULL,
    site TEXT NOT NULL,
    subscription_id INTEGER,
    customer_id INTEGER,
    kind TEXT NOT NULL,
    object_id TEXT,
    old_value TEXT,
    new_value TEXT,
    amount_in_cents INTEGER,
    detail TEXT,
    occurred_at TEXT,
    identity TEXT,
    version_event_id INTEGER,
    version_webhook_id INTEGER
) STRICT;
CREATE UNIQUE INDEX changes_by_identity ON changes (site, identity) WHERE identity IS NOT NULL;
CREATE INDEX changes_by_subscription ON changes (site, subscription_id, seq) WHERE subscription_id IS NOT NULL;
CREATE INDEX changes_by_customer ON changes (site, customer_id) WHERE customer_id IS NOT NULL;
CREATE INDEX changes_by_kind ON changes (kind, occurred_at, seq);
CREATE INDEX changes_by_time ON changes (occurred_at, seq);

CREATE TABLE subscription_timeline (
    site TEXT NOT NULL,
    subscription_id INTEGER NOT NULL,
    version_updated_at INTEGER NOT NULL,
    version_event_id INTEGER NOT NULL,
    version_webhook_id INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    state TEXT NOT NULL,
    customer_id INTEGER,
    product_id INTEGER,
    product_handle TEXT NOT NULL,
    product_price INTEGER,
    next_product TEXT NOT NULL,
    created_at TEXT NOT NULL,
    period_started_at TEXT NOT NULL,
    period_ends_at TEXT NOT NULL,
    next_assessment_at TEXT NOT NULL,
    previous_billing_date TEXT NOT NULL,
    cancel_at TEXT NOT NULL,
    cancellation_method TEXT NOT NULL,
    trial_started_at TEXT NOT NULL,
    trial_ended_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    resume_at TEXT NOT NULL,
    canceled_at TEXT NOT NULL,
    on_hold_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    seen_period_started_at TEXT NOT NULL,
    seen_recovered_at TEXT NOT NULL,
    seen_trial_started_at TEXT NOT NULL,
    seen_in_trial INTEGER NOT NULL,
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
    has_access INTEGER NOT NULL CHECK (has_access IN (0, 1)),
    grace_days INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX subscriptions_by_customer ON subscriptions (site, customer_id);
CREATE INDEX subscriptions_by_reference ON subscriptions (reference, site, id) WHERE reference IS NOT NULL;
CREATE INDEX subscriptions_by_state ON subscriptions (state, site, id);
CREATE INDEX subscriptions_by_product ON subscriptions (product_handle, state, site, id)
    WHERE product_handle IS NOT NULL;
CREATE INDEX subscriptions_by_update ON subscriptions (updated_at, site, id);
CREATE INDEX subscriptions_by_renewal ON subscriptions (next_assessment_at, site, id)
    WHERE next_assessment_at IS NOT NULL;
CREATE INDEX customers_by_reference ON customers (reference, site, id) WHERE reference IS NOT NULL;
CREATE INDEX customers_by_email ON customers (email, site, id) WHERE email IS NOT NULL;
CREATE INDEX customers_by_update ON customers (updated_at, site, id);
CREATE INDEX transactions_by_subscription ON transactions (site, subscription_id, id);
CREATE INDEX statements_by_subscription ON statements (site, subscription_id, id);
CREATE INDEX invoices_by_subscription ON invoices (site, subscription_id, issue_date);
CREATE INDEX refunds_by_subscription ON refunds (site, subscription_id, id);
CREATE INDEX payment_profiles_by_customer ON payment_profiles (site, customer_id, id);

-- The rule is in docs/state.md, "Access": the state gives access or not; access that was given ends with the grace of
-- the state, the scheduled cancellation or the expiry, whichever comes first.
CREATE VIEW subscription_access AS
WITH rule AS (
    SELECT s.site, s.id, s.customer_id, s.product_handle, s.state, s.current_period_ends_at,
           COALESCE(a.has_access, 0) = 1 AND COALESCE(s.deleted, 0) = 0 AS grants,
           NULLIF(min(
               CASE WHEN s.cancel_at_end_of_period = 1
                    THEN COALESCE(s.delayed_cancel_at, s.scheduled_cancellation_at, s.current_period_ends_at, '~')
                    ELSE COALESCE(s.scheduled_cancellation_at, '~') END,
               COALESCE(s.expires_at, '~'),
               CASE WHEN a.grace_days IS NULL THEN '~'
                    ELSE COALESCE(strftime('%Y-%m-%dT%H:%M:%SZ', @STATE_SINCE@,
                                           '+' || a.grace_days || ' days'), '~') END), '~') AS ends_at
    FROM subscriptions AS s
    LEFT JOIN access_states AS a ON a.state = s.state
)
SELECT r.site,
       r.id AS subscription_id,
       r.customer_id,
       c.reference AS customer_reference,
       r.product_handle,
       r.state,
       r.grants AND COALESCE(r.ends_at > strftime('%Y-%m-%dT%H:%M:%SZ', 'now'), 1) AS has_access,
       CASE WHEN r.grants THEN COALESCE(r.ends_at, r.current_period_ends_at) END AS access_until
FROM rule AS r
LEFT JOIN customers AS c ON c.site = r.site AND c.id = r.customer_id;
)sql";

} // namespace

const std::string& schema_sql()
{
    static const std::string sql = [] {
        std::string all;
        for (std::size_t kind = 0; kind < object_kinds; ++kind)
            all += object_table_sql(table_of(kind));
        constexpr std::string_view place = "@STATE_SINCE@";
        std::string others(other_tables);
        others.replace(others.find(place), place.size(), state_since_sql("s."));
        // Those that have an end without being in an ended state: the few of which Chargify is about to
        // speak.
        return all + others + "CREATE INDEX subscriptions_by_end ON subscriptions (state, " + end_sql("") +
               ", site, id) WHERE " + has_end_sql("") + ";\n";
    }();
    return sql;
}

std::optional<std::string> column_definition(std::string_view table, std::string_view column)
{
    for (std::size_t kind = 0; kind < object_kinds; ++kind) {
        const object_table& candidate = table_of(kind);
        const auto found = candidate.name == table ? candidate.find(column) : std::nullopt;
        if (found)
            return column_sql(candidate.columns[*found]);
    }
    return std::nullopt;
}

} // namespace chargifyd::state
