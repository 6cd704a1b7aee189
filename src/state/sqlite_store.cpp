#include "chargifyd/state/sqlite_store.hpp"

#include "migrate.hpp"
#include "open_state.hpp"
#include "values.hpp"

#include "chargifyd/chargify/states.hpp"
#include "chargifyd/sqlite/inserter.hpp"
#include "chargifyd/state/projection.hpp"

#include <array>
#include <cstring>
#include <map>
#include <new>
#include <string>
#include <unordered_set>
#include <utility>

namespace chargifyd::state {

namespace {

std::string column_list(const object_table& table)
{
    std::string list;
    for (const column& c : table.columns)
        list += "\"" + std::string(c.name) + "\", ";
    return list + "attributes, version_updated_at, version_event_id, version_webhook_id, patches";
}

std::string select_sql(const object_table& table)
{
    std::string sql = "SELECT " + column_list(table) + " FROM " + std::string(table.name) + " WHERE site = ?";
    for (const column& c : table.keys)
        sql += " AND " + std::string(c.name) + " = ?";
    return sql;
}

sqlite::inserter inserter_of(sqlite::database& db, const object_table& table)
{
    std::string columns = "site, ";
    for (const column& c : table.keys)
        columns += std::string(c.name) + ", ";
    return {db, table.name, columns + column_list(table)};
}

std::string update_sql(const object_table& table, row_parts written)
{
    std::string sql = "UPDATE " + std::string(table.name) +
                      " SET version_updated_at = ?, version_event_id = ?, version_webhook_id = ?";
    const std::size_t columns = table.columns.size();
    for (std::size_t i = 0; i < columns; ++i) {
        if ((written & row_part(i)) != 0)
            sql += ", \"" + std::string(table.columns[i].name) + "\" = ?";
    }
    if ((written & row_part(columns)) != 0)
        sql += ", attributes = ?";
    if ((written & row_part(columns + 1)) != 0)
        sql += ", patches = ?";
    sql += " WHERE site = ?";
    for (const column& c : table.keys)
        sql += " AND " + std::string(c.name) + " = ?";
    return sql;
}

/// Prepared statements for the combinations of columns that change together: a few dozen in practice. Beyond
/// that all columns are written.
constexpr std::size_t most_updates = 512;

constexpr std::string_view timeline_columns =
    "version_updated_at, version_event_id, version_webhook_id, seq, state, customer_id, product_id, "
    "product_handle, product_price, next_product, created_at, period_started_at, period_ends_at, "
    "next_assessment_at, previous_billing_date, cancel_at, cancellation_method, trial_started_at, "
    "trial_ended_at, expires_at, resume_at, canceled_at, on_hold_at, updated_at, seen_period_started_at, "
    "seen_recovered_at, seen_trial_started_at, seen_in_trial";

std::string neighbour_sql(std::string_view comparison, std::string_view order)
{
    return "SELECT " + std::string(timeline_columns) +
           " FROM subscription_timeline WHERE site = ? AND subscription_id = ? AND "
           "(version_updated_at, version_event_id, version_webhook_id) " +
           std::string(comparison) + " (?, ?, ?) ORDER BY version_updated_at " + std::string(order) +
           ", version_event_id " + std::string(order) + ", version_webhook_id " + std::string(order) +
           " LIMIT 1";
}

std::optional<std::string_view> some(const std::optional<std::string>& text)
{
    return text ? std::optional<std::string_view>(*text) : std::nullopt;
}

std::int64_t signed_sequence(std::uint64_t sequence)
{
    return static_cast<std::int64_t>(sequence);
}

std::string_view bytes_of(const digest256& digest)
{
    return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

/// A number that two webhooks share when they are the same; others hardly ever.
std::int64_t trait_of(const webhook& w)
{
    std::int64_t trait = w.webhook_id.value_or(0);
    if (!w.webhook_id && w.body_sha256)
        std::memcpy(&trait, w.body_sha256->data(), sizeof trait);
    return trait;
}

/// New rows that are held back, with a mark of each that tells whether a row may be among them.
template <class Mark>
struct held_rows {
    sqlite::inserter rows;
    std::unordered_set<Mark> marks;

    sqlite::inserter& add(const Mark& mark)
    {
        marks.insert(mark);
        return rows;
    }
    void flush()
    {
        rows.flush();
        marks.clear();
    }
    /// Before a row of that mark is looked for.
    void flush_if_held(const Mark& mark)
    {
        if (marks.contains(mark))
            flush();
    }
    void clear() noexcept
    {
        rows.clear();
        marks.clear();
    }
};

} // namespace

bool is_fault_of_webhook(const std::exception& failure) noexcept
{
    if (const auto* of_sqlite = dynamic_cast<const sqlite::failure*>(&failure))
        return of_sqlite->refused();
    return dynamic_cast<const std::bad_alloc*>(&failure) == nullptr;
}

struct sqlite_store::statements {
    explicit statements(sqlite::database& db)
        : begin(db, "BEGIN IMMEDIATE")
        , commit(db, "COMMIT")
        , set_cursor(db, "UPDATE meta SET value = ? WHERE key = 'cursor'")
        , find_by_id(db, "SELECT seq FROM events WHERE site = ? AND webhook_id = ? AND outcome <> 'dead'")
        , find_by_body(db,
                       "SELECT seq FROM events WHERE site = ? AND body_sha256 = ? AND webhook_id IS NULL AND "
                       "outcome <> 'dead'")
        , events{{db, "events",
                  "seq, site, webhook_id, event, event_id, subscription_id, customer_id, occurred_at, "
                  "received_at, outcome, error, body_sha256"},
                 {}}
        , count_delivery(db, "UPDATE events SET deliveries = deliveries + 1 WHERE seq = ?")
        , remove_dead(db, "DELETE FROM events WHERE seq = ? AND outcome = 'dead' RETURNING seq")
        , before(db, neighbour_sql("<", "DESC"))
        , after(db, neighbour_sql(">", "ASC"))
        , timeline{{db, "subscription_timeline", "site, subscription_id, " + std::string(timeline_columns)},
                   {}}
        , update_timeline(
              db, "UPDATE subscription_timeline SET seen_period_started_at = ?, seen_recovered_at = ?, "
                  "seen_trial_started_at = ?, seen_in_trial = ? WHERE site = ? AND subscription_id = ? AND "
                  "version_updated_at = ? AND version_event_id = ? AND version_webhook_id = ?")
        , changes_of(db,
                     "SELECT kind, subscription_id, customer_id, object_id, old_value, new_value, "
                     "amount_in_cents, detail, occurred_at, id FROM changes "
                     "WHERE site = ? AND subscription_id = ? AND seq = ? AND identity IS NULL ORDER BY id")
        , remove_change(db, "DELETE FROM changes WHERE id = ?")
        , add_to_site(
              db, "INSERT INTO sites (site, webhooks, last_seq, last_received_at) VALUES (?, ?, ?, ?) "
                  "ON CONFLICT (site) DO UPDATE SET webhooks = webhooks + excluded.webhooks, "
                  "last_received_at = CASE WHEN excluded.last_seq > last_seq THEN excluded.last_received_at "
                  "ELSE last_received_at END, last_seq = max(last_seq, excluded.last_seq)")
        , changes{{db, "changes",
                   "seq, site, kind, subscription_id, customer_id, object_id, old_value, new_value, "
                   "amount_in_cents, detail, occurred_at, identity, version_event_id, version_webhook_id"},
                  {}}
        , find_change(db, "SELECT 1 FROM changes WHERE site = ? AND identity = ? AND identity IS NOT NULL")
        , correct_change(
              db, "UPDATE changes SET seq = ?1, kind = ?3, subscription_id = ?4, customer_id = ?5, "
                  "object_id = ?6, old_value = ?7, new_value = ?8, amount_in_cents = ?9, detail = ?10, "
                  "occurred_at = ?11, version_event_id = ?13, version_webhook_id = ?14 "
                  "WHERE site = ?2 AND identity = ?12 AND identity IS NOT NULL "
                  "AND (?13, ?14) < (version_event_id, version_webhook_id)")
    {
        for (std::size_t kind = 0; kind < object_kinds; ++kind) {
            load.emplace_back(db, select_sql(table_of(kind)));
            objects.push_back(inserter_of(db, table_of(kind)));
        }
    }

    sqlite::statement begin;
    sqlite::statement commit;
    sqlite::statement set_cursor;
    sqlite::statement find_by_id;
    sqlite::statement find_by_body;
    held_rows<std::int64_t> events; ///< by their traits
    sqlite::statement count_delivery;
    sqlite::statement remove_dead;
    std::vector<sqlite::statement> load; ///< by object_kind, as `objects`
    std::vector<sqlite::inserter> objects;
    std::map<std::pair<std::size_t, row_parts>, sqlite::statement> update; ///< by kind and what is written
    sqlite::statement before;
    sqlite::statement after;
    held_rows<std::int64_t> timeline; ///< by their subscriptions
    sqlite::statement update_timeline;
    sqlite::statement changes_of;
    sqlite::statement remove_change;
    sqlite::statement add_to_site;
    held_rows<std::string> changes; ///< by their identities
    sqlite::statement find_change;
    sqlite::statement correct_change;

    void flush()
    {
        events.flush();
        timeline.flush();
        changes.flush();
        for (sqlite::inserter& rows : objects)
            rows.flush();
    }
    void clear() noexcept
    {
        events.clear();
        timeline.clear();
        changes.clear();
        for (sqlite::inserter& rows : objects)
            rows.clear();
    }
};

sqlite_store::sqlite_store(const std::filesystem::path& file, sqlite::database db, options with)
    : file_(file)
    , db_(std::move(db))
    , with_(std::move(with))
    , sql_(std::make_unique<statements>(db_))
{}

sqlite_store::~sqlite_store() = default;

result<std::unique_ptr<sqlite_store>> sqlite_store::open(const std::filesystem::path& file,
                                                         const std::string& journal_id, const options& with)
{
    try {
        auto db = open_state(file, journal_id, with);
        if (!db)
            return db.error();
        return std::unique_ptr<sqlite_store>(new sqlite_store(file, std::move(*db), with));
    } catch (const sqlite::failure& e) {
        return explain_failure(file, e);
    }
}

std::uint64_t sqlite_store::cursor()
{
    return static_cast<std::uint64_t>(
        db_.integer("SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'cursor'"));
}

void sqlite_store::begin()
{
    totals_.clear();
    sqlite::statement::run(sql_->begin).step();
}

void sqlite_store::flush()
{
    sql_->flush();
}

void sqlite_store::commit(std::uint64_t cursor)
{
    flush();
    write_site_totals();
    const std::string text = std::to_string(cursor);
    sqlite::statement::run(sql_->set_cursor).bind(std::string_view(text)).step();
    sqlite::statement::run(sql_->commit).step();
}

void sqlite_store::count_webhook(const webhook& w)
{
    site_total& total = totals_[w.site];
    ++total.webhooks;
    if (w.sequence > total.last_sequence) {
        total.last_sequence = w.sequence;
        total.last_received_at = w.received_at;
    }
}

void sqlite_store::write_site_totals()
{
    for (const auto& [site, total] : totals_) {
        const std::string received = format_utc(total.last_received_at);
        sqlite::statement::run(sql_->add_to_site)
            .bind(std::string_view(site))
            .bind(total.webhooks)
            .bind(signed_sequence(total.last_sequence))
            .bind(std::string_view(received))
            .step();
    }
}

void sqlite_store::rollback() noexcept
{
    sql_->clear();
    try {
        // SQLite may have rolled back by itself, and then refuses: nothing is left to undo.
        db_.exec("ROLLBACK");
    } catch (const sqlite::failure&) {
    }
}

std::optional<std::uint64_t> sqlite_store::find_event(const webhook& w)
{
    sql_->events.flush_if_held(trait_of(w));
    sqlite::statement::run row(w.webhook_id ? sql_->find_by_id : sql_->find_by_body);
    row.bind(std::string_view(w.site));
    if (w.webhook_id)
        row.bind(*w.webhook_id);
    else
        row.bind_blob(bytes_of(*w.body_sha256));
    if (!row.step())
        return std::nullopt;
    return static_cast<std::uint64_t>(row.integer(0));
}

void sqlite_store::insert_event(const webhook& w, outcome o)
{
    count_webhook(w);
    sqlite::inserter& row = sql_->events.add(trait_of(w));
    row.bind(signed_sequence(w.sequence)).bind(std::string_view(w.site)).bind(w.webhook_id);
    row.bind(w.event.empty() ? std::nullopt : std::optional<std::string_view>(w.event)).bind(w.event_id);
    row.bind(w.subscription_id).bind(w.customer_id).bind(some(w.occurred_at));
    row.bind(std::string_view(format_utc(w.received_at))).bind(to_string(o));
    row.bind(w.error.empty() ? std::nullopt : std::optional<std::string_view>(w.error));
    if (w.body_sha256)
        row.bind_blob(bytes_of(*w.body_sha256));
    else
        row.bind_null();
}

void sqlite_store::count_delivery(const webhook& w, std::uint64_t sequence)
{
    count_webhook(w);
    sqlite::statement::run(sql_->count_delivery).bind(signed_sequence(sequence)).step();
}

bool sqlite_store::remove_dead(const webhook& w)
{
    if (!sqlite::statement::run(sql_->remove_dead).bind(signed_sequence(w.sequence)).step())
        return false;
    --totals_[w.site].webhooks; // it was counted when it became a dead letter, and is about to be again
    return true;
}

std::optional<object_row> sqlite_store::load(object_kind kind, std::string_view site, const object_key& key)
{
    sql_->objects[static_cast<std::size_t>(kind)].flush();
    sqlite::statement::run row(sql_->load[static_cast<std::size_t>(kind)]);
    row.bind(site);
    for (const value& v : key)
        bind_value(row, v);
    if (!row.step())
        return std::nullopt;
    object_row found;
    const int count = static_cast<int>(table_of(kind).columns.size());
    found.columns.reserve(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i)
        found.columns.push_back(value_at(row, i));
    found.attributes = row.text(count);
    found.base = {row.integer(count + 1), row.integer(count + 2), row.integer(count + 3)};
    found.patches = row.text(count + 4);
    return found;
}

void sqlite_store::insert(object_kind kind, std::string_view site, const object_key& key,
                          const object_row& row)
{
    sqlite::inserter& into = sql_->objects[static_cast<std::size_t>(kind)];
    into.bind(site);
    for (const value& v : key)
        bind_value(into, v);
    for (const value& v : row.columns)
        bind_value(into, v);
    into.bind(std::string_view(row.attributes));
    into.bind(row.base.updated_at).bind(row.base.event_id).bind(row.base.webhook_id);
    into.bind(row.patches.empty() ? std::nullopt : std::optional<std::string_view>(row.patches));
}

void sqlite_store::update(object_kind kind, std::string_view site, const object_key& key,
                          const object_row& row)
{
    const object_table& table = table_of(kind);
    const std::size_t columns = table.columns.size();
    row_parts written = row.changed;
    const auto number = static_cast<std::size_t>(kind);
    if (sql_->update.size() >= most_updates && !sql_->update.contains({number, written}))
        written = row_part(columns + 2) - 1;
    auto found = sql_->update.find({number, written});
    if (found == sql_->update.end())
        found = sql_->update.try_emplace({number, written}, db_, update_sql(table, written)).first;
    sqlite::statement::run run(found->second);
    run.bind(row.base.updated_at).bind(row.base.event_id).bind(row.base.webhook_id);
    for (std::size_t i = 0; i < columns; ++i) {
        if ((written & row_part(i)) != 0)
            bind_value(run, row.columns[i]);
    }
    if ((written & row_part(columns)) != 0)
        run.bind(std::string_view(row.attributes));
    if ((written & row_part(columns + 1)) != 0)
        run.bind(row.patches.empty() ? std::nullopt : std::optional<std::string_view>(row.patches));
    run.bind(site);
    for (const value& v : key)
        bind_value(run, v);
    run.step();
    if (db_.changed_rows() != 1)
        throw sqlite::failure::corruption("a row of " + std::string(table.name) +
                                          " that was read is not there");
}

namespace {

/// The members that the last columns of the timeline hold, in the order of `timeline_columns`.
template <class Facts>
auto texts_of(Facts& f)
{
    return std::to_array({&f.next_product, &f.created_at, &f.period_started_at, &f.period_ends_at,
                          &f.next_assessment_at, &f.previous_billing_date, &f.cancel_at,
                          &f.cancellation_method, &f.trial_started_at, &f.trial_ended_at, &f.expires_at,
                          &f.resume_at, &f.canceled_at, &f.on_hold_at, &f.updated_at});
}

template <class Sink>
void bind_seen(Sink& into, const seen_before& seen)
{
    into.bind(std::string_view(seen.period_started_at)).bind(std::string_view(seen.recovered_at));
    into.bind(std::string_view(seen.trial_started_at)).bind(std::int64_t{seen.in_trial});
}

std::optional<timeline_entry> read_neighbour(sqlite::statement& from, std::string_view site, std::int64_t id,
                                             const version& at)
{
    sqlite::statement::run row(from);
    row.bind(site).bind(id).bind(at.updated_at).bind(at.event_id).bind(at.webhook_id);
    if (!row.step())
        return std::nullopt;
    timeline_entry entry;
    entry.at = {row.integer(0), row.integer(1), row.integer(2)};
    entry.sequence = static_cast<std::uint64_t>(row.integer(3));
    subscription_facts& f = entry.facts;
    f.state = row.text(4);
    f.customer_id = row.optional_integer(5);
    f.product_id = row.optional_integer(6);
    f.product_handle = row.text(7);
    f.product_price = row.optional_integer(8);
    int column = 9;
    for (std::string* const text : texts_of(f))
        *text = row.text(column++);
    entry.seen.period_started_at = row.text(column++);
    entry.seen.recovered_at = row.text(column++);
    entry.seen.trial_started_at = row.text(column++);
    entry.seen.in_trial = row.integer(column) != 0;
    return entry;
}

} // namespace

std::optional<timeline_entry> sqlite_store::before(std::string_view site, std::int64_t id, const version& at)
{
    sql_->timeline.flush_if_held(id);
    return read_neighbour(sql_->before, site, id, at);
}

std::optional<timeline_entry> sqlite_store::after(std::string_view site, std::int64_t id, const version& at)
{
    sql_->timeline.flush_if_held(id);
    return read_neighbour(sql_->after, site, id, at);
}

void sqlite_store::insert_timeline(std::string_view site, std::int64_t id, const timeline_entry& entry)
{
    const subscription_facts& f = entry.facts;
    sqlite::inserter& row = sql_->timeline.add(id);
    row.bind(site).bind(id).bind(entry.at.updated_at).bind(entry.at.event_id).bind(entry.at.webhook_id);
    row.bind(signed_sequence(entry.sequence)).bind(std::string_view(f.state)).bind(f.customer_id);
    row.bind(f.product_id).bind(std::string_view(f.product_handle)).bind(f.product_price);
    for (const std::string* const text : texts_of(f))
        row.bind(std::string_view(*text));
    bind_seen(row, entry.seen);
}

void sqlite_store::update_timeline(std::string_view site, std::int64_t id, const timeline_entry& entry)
{
    sql_->timeline.flush();
    sqlite::statement::run run(sql_->update_timeline);
    bind_seen(run, entry.seen);
    run.bind(site).bind(id).bind(entry.at.updated_at).bind(entry.at.event_id).bind(entry.at.webhook_id);
    run.step();
}

std::vector<change> sqlite_store::changes_of(std::string_view site, std::int64_t subscription_id,
                                             std::uint64_t sequence)
{
    sql_->changes.flush();
    sqlite::statement::run row(sql_->changes_of);
    row.bind(site).bind(subscription_id).bind(signed_sequence(sequence));
    std::vector<change> all;
    while (row.step()) {
        change c;
        c.kind = row.text(0);
        c.subscription_id = row.optional_integer(1);
        c.customer_id = row.optional_integer(2);
        c.object_id = row.optional_text(3);
        c.old_value = row.optional_text(4);
        c.new_value = row.optional_text(5);
        c.amount_in_cents = row.optional_integer(6);
        c.detail = row.optional_text(7);
        c.occurred_at = row.optional_text(8);
        c.id = row.integer(9);
        all.push_back(std::move(c));
    }
    return all;
}

void sqlite_store::remove_change(std::int64_t id)
{
    sqlite::statement::run(sql_->remove_change).bind(id).step();
}

namespace {

/// All columns but the id.
template <class Sink>
void bind_change(Sink& into, std::string_view site, std::uint64_t sequence, const moment& when,
                 const change& c)
{
    into.bind(signed_sequence(sequence)).bind(site).bind(std::string_view(c.kind));
    into.bind(c.subscription_id).bind(c.customer_id).bind(some(c.object_id));
    into.bind(some(c.old_value)).bind(some(c.new_value)).bind(c.amount_in_cents).bind(some(c.detail));
    into.bind(some(c.occurred_at));
    if (c.identity.empty())
        into.bind_null().bind_null().bind_null();
    else
        into.bind(std::string_view(c.identity)).bind(when.event_id).bind(when.webhook_id);
}

} // namespace

bool sqlite_store::insert_change(std::string_view site, std::uint64_t sequence, const moment& when,
                                 const change& c)
{
    if (c.identity.empty()) {
        bind_change(sql_->changes.rows, site, sequence, when, c);
        return true;
    }
    sql_->changes.flush_if_held(c.identity);
    if (!sqlite::statement::run(sql_->find_change).bind(site).bind(std::string_view(c.identity)).step()) {
        bind_change(sql_->changes.add(c.identity), site, sequence, when, c);
        return true;
    }
    sqlite::statement::run run(sql_->correct_change);
    bind_change(run, site, sequence, when, c);
    run.step();
    return false;
}

int sqlite_store::projection()
{
    return read_projection(db_);
}

bool sqlite_store::make_indexes(const std::function<bool()>& go_on)
{
    for (const std::string& sql : missing_indexes(db_)) {
        sync();
        if (!go_on() || !db_.exec_while(sql, go_on))
            return false;
    }
    return true;
}

void sqlite_store::mark_projection()
{
    write_projection(db_, projection_version);
}

bool sqlite_store::checkpoint(bool truncate, std::chrono::milliseconds patience)
{
    return db_.checkpoint(truncate, patience);
}

void sqlite_store::sync()
{
    // A commit under FULL syncs the WAL, and with it all commits before. It has to write a page: the cursor
    // as it was would not.
    db_.exec("PRAGMA synchronous = FULL");
    begin();
    db_.exec("PRAGMA user_version = " + std::to_string(db_.integer("PRAGMA user_version")));
    commit(cursor());
    db_.exec(with_.scratch ? "PRAGMA synchronous = OFF" : "PRAGMA synchronous = NORMAL");
}

result<person> sqlite_store::find_person(const std::string& site, std::int64_t customer_id)
{
    person found{site, customer_id, {}};
    sqlite::statement theirs(db_, "SELECT id FROM subscriptions WHERE site = ? AND customer_id = ?");
    sqlite::statement::run row(theirs);
    row.bind(std::string_view(site)).bind(customer_id);
    while (row.step())
        found.subscriptions.insert(row.integer(0));
    sqlite::statement known(db_, "SELECT 1 FROM customers WHERE site = ? AND id = ?");
    sqlite::statement::run one(known);
    if (found.subscriptions.empty() && !one.bind(std::string_view(site)).bind(customer_id).step())
        return make_error(errc::not_found,
                          "the state knows no customer " + std::to_string(customer_id) + " of " + site);
    return found;
}

namespace {

/// Rows of a table that tell of customer ?2 of site ?1.
std::string rows_of_person(object_kind kind)
{
    const std::string theirs = "(SELECT id FROM subscriptions WHERE site = ?1 AND customer_id = ?2)";
    switch (kind) {
    case object_kind::customer:
        return "id = ?2";
    case object_kind::subscription:
    case object_kind::payment_profile:
        return "customer_id = ?2";
    case object_kind::transaction:
    case object_kind::statement:
    case object_kind::invoice:
    case object_kind::refund:
        return "(customer_id = ?2 OR subscription_id IN " + theirs + ")";
    case object_kind::component:
    case object_kind::dunning:
        return "subscription_id IN " + theirs;
    case object_kind::custom_field:
        return "(resource_type = 'Customer' AND resource_id = ?2 OR resource_type = 'Subscription' AND "
               "resource_id IN " +
               theirs + ")";
    case object_kind::product:
    case object_kind::subscription_group:
        return "";
    }
    return "";
}

std::string forget_sql(object_kind kind)
{
    const object_table& table = table_of(kind);
    std::string sql = "UPDATE " + std::string(table.name) + " SET attributes = '{}', patches = NULL";
    for (const column& c : table.columns) {
        if (c.personal)
            sql += ", \"" + std::string(c.name) + "\" = NULL";
    }
    return sql + " WHERE site = ?1 AND " + rows_of_person(kind);
}

/// Whatever people typed, and their cards. The identity of a fact without an event repeats its values.
std::vector<std::string> forget_changes_sql()
{
    const std::string theirs =
        " AND site = ?1 AND (customer_id = ?2 OR subscription_id IN (SELECT id FROM subscriptions WHERE site "
        "= ?1 AND customer_id = ?2))";
    return {"DELETE FROM changes WHERE kind = 'card_expiring'" + theirs,
            "UPDATE changes SET detail = NULL WHERE kind = 'balance'" + theirs,
            "UPDATE changes SET old_value = NULL, new_value = NULL, identity = kind || '/forgotten/' || id "
            "WHERE kind IN ('custom_field', 'card_updated')" +
                theirs};
}

} // namespace

void sqlite_store::forget(const person& who)
{
    const auto run = [&](const std::string& sql) {
        sqlite::statement change(db_, sql);
        sqlite::statement::run(change).bind(std::string_view(who.site)).bind(who.customer_id).step();
    };
    db_.exec("PRAGMA secure_delete = ON");
    db_.exec("BEGIN IMMEDIATE");
    try {
        for (std::size_t kind = 0; kind < object_kinds; ++kind) {
            if (!rows_of_person(object_kind{static_cast<int>(kind)}).empty())
                run(forget_sql(object_kind{static_cast<int>(kind)}));
        }
        for (const std::string& sql : forget_changes_sql())
            run(sql);
        db_.exec("COMMIT");
    } catch (...) {
        rollback();
        db_.exec("PRAGMA secure_delete = OFF");
        throw;
    }
    db_.exec("PRAGMA secure_delete = OFF");
}

std::uint64_t sqlite_store::count_dead()
{
    return static_cast<std::uint64_t>(db_.integer("SELECT count(*) FROM events WHERE outcome = 'dead'"));
}

std::vector<std::uint64_t> sqlite_store::dead_sequences()
{
    sqlite::statement query(db_, "SELECT seq FROM events WHERE outcome = 'dead' ORDER BY seq");
    sqlite::statement::run rows(query);
    std::vector<std::uint64_t> all;
    while (rows.step())
        all.push_back(static_cast<std::uint64_t>(rows.integer(0)));
    return all;
}

std::uint64_t sqlite_store::wal_bytes() const
{
    std::error_code none;
    const auto size = std::filesystem::file_size(file_.string() + "-wal", none);
    return none ? 0 : size;
}

result<void> sqlite_store::replace_by(const std::filesystem::path& file)
{
    try {
        sqlite::database other(file, sqlite::access::read_only);
        if (auto mistake =
                judge_current_state(other, file, db_.text("SELECT value FROM meta WHERE key = 'journal_id'")))
            return *mistake;
        sql_.reset(); // statements of the old schema must not outlive it
        db_.copy_from(other);
        write_access_states(db_, with_);
        sql_ = std::make_unique<statements>(db_);
        return {};
    } catch (const sqlite::failure& e) {
        if (!sql_)
            sql_ = std::make_unique<statements>(db_);
        return explain_failure(file, e);
    } catch (...) {
        if (!sql_)
            sql_ = std::make_unique<statements>(db_);
        throw;
    }
}

} // namespace chargifyd::state
