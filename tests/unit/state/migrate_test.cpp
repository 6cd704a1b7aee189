#include "state/migrate.hpp"
#include "temporary_directory.hpp"
#include "webhook_body.hpp"

#include "chargifyd/state/projection.hpp"
#include "chargifyd/state/queries.hpp"
#include "chargifyd/state/sqlite_store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

namespace chargifyd::state {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// Every row of the columns that schema 1 had, table by table, read as an application of that time reads
/// them.
using content = std::map<std::string, std::multiset<std::string>>;

std::vector<std::string> strings(sqlite::database& db, const std::string& sql)
{
    sqlite::statement query(db, sql);
    sqlite::statement::run rows(query);
    std::vector<std::string> all;
    while (rows.step())
        all.emplace_back(rows.text(0));
    return all;
}

std::multiset<std::string> rows_of(sqlite::database& db, const std::string& columns, const std::string& table)
{
    sqlite::statement query(db, "SELECT " + columns + " FROM " + table);
    sqlite::statement::run rows(query);
    std::multiset<std::string> all;
    while (rows.step()) {
        std::string row;
        for (int i = 0; i < rows.columns(); ++i)
            row += (rows.is_null(i) ? std::string("NULL") : std::string(rows.text(i))) + "|";
        all.insert(row);
    }
    return all;
}

std::map<std::string, std::string> columns_by_table(sqlite::database& db)
{
    std::map<std::string, std::string> all;
    for (const std::string& table :
         strings(db, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name "
                     "NOT IN ('meta', 'access_states', 'sqlite_sequence')")) {
        for (const std::string& column : strings(db, "SELECT name FROM pragma_table_info('" + table + "')"))
            all[table] += (all[table].empty() ? "\"" : ", \"") + column + "\"";
    }
    return all;
}

content read_content(sqlite::database& db, const std::map<std::string, std::string>& columns)
{
    content all;
    for (const auto& [table, names] : columns)
        all[table] = rows_of(db, names, table);
    return all;
}

/// Names, types and constraints of all columns, in no order; and how indexes and views are made.
std::multiset<std::string> layout(sqlite::database& db)
{
    auto all = rows_of(db, "name, sql", "sqlite_schema WHERE type IN ('index', 'view')");
    for (const std::string& row : rows_of(db, "m.name, c.name, c.type, c.\"notnull\", c.pk",
                                          "sqlite_schema AS m, pragma_table_info(m.name) AS c WHERE m.type = "
                                          "'table' AND m.name <> 'sqlite_sequence'"))
        all.insert(row);
    return all;
}

class migration : public ::testing::Test {
protected:
    migration()
    {
        std::filesystem::copy_file(CHARGIFYD_TEST_DATA "/state-v1/state.db", file_);
        std::filesystem::permissions(file_, std::filesystem::perms::owner_read |
                                                std::filesystem::perms::owner_write);
        journal_id_ = strings(*reader(), "SELECT value FROM meta WHERE key = 'journal_id'").at(0);
        columns_before_ = columns_by_table(*reader());
        before_ = read_content(*reader(), columns_before_);
    }

    std::unique_ptr<sqlite::database> reader()
    {
        return std::make_unique<sqlite::database>(file_, sqlite::access::read_only);
    }
    void change(const std::string& sql) { sqlite::database(file_, sqlite::access::read_write).exec(sql); }
    result<std::unique_ptr<sqlite_store>> try_open() { return sqlite_store::open(file_, journal_id_, {}); }
    std::unique_ptr<sqlite_store> open()
    {
        auto opened = try_open();
        if (!opened)
            throw std::runtime_error(opened.error().message);
        return std::move(*opened);
    }

    test::temporary_directory folder_;
    const std::filesystem::path file_ = folder_ / "state.db";
    std::string journal_id_;
    std::map<std::string, std::string> columns_before_;
    content before_;
};

TEST_F(migration, the_example_is_of_schema_1_and_has_rows_everywhere)
{
    EXPECT_EQ(reader()->integer("PRAGMA user_version"), 1);
    for (const auto& [table, rows] : before_)
        EXPECT_THAT(rows, ::testing::Not(IsEmpty())) << table;
}

TEST_F(migration, keeps_every_row_and_gives_the_layout_of_a_new_file)
{
    open();
    const auto fresh = std::move(*sqlite_store::open(folder_ / "fresh.db", journal_id_, {}));
    sqlite::database expected(folder_ / "fresh.db", sqlite::access::read_only);
    EXPECT_EQ(read_content(*reader(), columns_before_), before_);
    EXPECT_EQ(layout(*reader()), layout(expected));
    EXPECT_EQ(reader()->integer("PRAGMA user_version"), schema_version);
    EXPECT_EQ(reader()->text("PRAGMA integrity_check"), "ok");
}

TEST_F(migration, gives_a_state_that_goes_on)
{
    const auto store = open();
    test::subscription_body b;
    b.webhook_id = b.event_id = 99'000'000;
    b.state = "canceled";
    b.updated_at = "2030-01-01 10:00:00 -0500";
    const std::uint64_t next = store->cursor() + 1;
    const std::int64_t largest = reader()->integer("SELECT max(id) FROM changes");
    store->begin();
    EXPECT_EQ(apply(*store, prepare(next, "acme", timestamp{}, b.str())).result, outcome::applied);
    store->commit(next);
    EXPECT_GT(reader()->integer("SELECT count(*) FROM changes WHERE subscription_id = 100 AND kind = "
                                "'cancellation' AND id > " +
                                std::to_string(largest)),
              0);
}

// An application that follows `changes.id` must not be given an id twice.
TEST_F(migration, gives_no_id_of_a_change_again)
{
    const std::int64_t given = reader()->integer("SELECT seq FROM sqlite_sequence WHERE name = 'changes'");
    change("DELETE FROM changes WHERE id > " + std::to_string(given / 2));
    open();
    EXPECT_EQ(reader()->integer("SELECT seq FROM sqlite_sequence WHERE name = 'changes'"), given);
    EXPECT_EQ(reader()->integer("SELECT count(*) FROM sqlite_sequence"), 1);
}

// Facts that schema 1 kept outside the timeline are no news for the first webhook after the migration.
TEST_F(migration, makes_no_news_of_what_was_known)
{
    change("UPDATE subscriptions SET expires_at = '2031-01-01T00:00:00Z', "
           "attributes = json_set(attributes, '$.next_product_handle', 'gold') WHERE id = 100");
    const auto store = open();
    test::subscription_body b;
    b.webhook_id = b.event_id = 99'000'000;
    b.updated_at = "2030-01-01 10:00:00 -0500";
    std::string body = b.str() + "&payload[subscription][expires_at]=2031-01-01%2000:00:00%20%2B0000" +
                       "&payload[subscription][next_product_handle]=gold";
    const std::uint64_t next = store->cursor() + 1;
    store->begin();
    apply(*store, prepare(next, "acme", timestamp{}, body));
    store->commit(next);
    EXPECT_EQ(reader()->integer("SELECT count(*) FROM changes WHERE subscription_id = 100 AND kind IN "
                                "('expiration_date', 'product_scheduled', 'customer_change')"),
              0);
    EXPECT_EQ(reader()->text("SELECT expires_at FROM subscriptions WHERE id = 100"), "2031-01-01T00:00:00Z");
}

TEST_F(migration, that_fails_changes_nothing_and_says_what_to_do)
{
    change("CREATE TABLE table_before_migration (x)"); // what a table is copied by
    const auto layout_before = layout(*reader());
    const auto opened = try_open();
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, errc::io);
    EXPECT_THAT(opened.error().message, HasSubstr(file_.string()));
    EXPECT_THAT(opened.error().message, HasSubstr("left as it is"));
    EXPECT_EQ(reader()->integer("PRAGMA user_version"), 1);
    EXPECT_EQ(layout(*reader()), layout_before);
    EXPECT_EQ(read_content(*reader(), columns_before_), before_);

    change("DROP TABLE table_before_migration");
    open();
    EXPECT_EQ(read_content(*reader(), columns_before_), before_);
}

TEST_F(migration, of_a_current_file_does_nothing)
{
    open();
    const std::int64_t schema = reader()->integer("PRAGMA schema_version");
    {
        sqlite::database db(file_, sqlite::access::read_write);
        migrate(db);
    }
    open();
    EXPECT_EQ(reader()->integer("PRAGMA schema_version"), schema);
}

TEST_F(migration, finishes_what_is_half_there)
{
    open();
    change("DROP TABLE dunning; DROP INDEX changes_by_kind; DROP VIEW subscription_access; "
           "CREATE VIEW subscription_access AS SELECT 1 AS one; "
           "ALTER TABLE customers DROP COLUMN parent_id; PRAGMA user_version = 1");
    open();
    const auto fresh = std::move(*sqlite_store::open(folder_ / "fresh.db", journal_id_, {}));
    sqlite::database expected(folder_ / "fresh.db", sqlite::access::read_only);
    EXPECT_EQ(layout(*reader()), layout(expected));
    EXPECT_EQ(read_content(*reader(), columns_before_), before_);
}

TEST_F(migration, does_not_disturb_a_reader_that_is_open)
{
    const auto other = reader();
    other->exec("BEGIN");
    EXPECT_EQ(other->integer("SELECT count(*) FROM changes"),
              static_cast<std::int64_t>(before_["changes"].size()));
    const auto store = open();
    EXPECT_EQ(read_content(*other, columns_before_), before_);
    EXPECT_EQ(other->integer("PRAGMA user_version"), 1);
    other->exec("COMMIT");
    EXPECT_EQ(other->integer("PRAGMA user_version"), schema_version);
    EXPECT_EQ(read_content(*other, columns_before_), before_);
}

TEST_F(migration, is_for_the_daemon_and_a_reader_says_so)
{
    const auto opened = state_reader::open(file_);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, errc::invalid);
    EXPECT_THAT(opened.error().message, HasSubstr("older chargifyd"));
    EXPECT_THAT(opened.error().message, HasSubstr("start"));
    open();
    EXPECT_TRUE(state_reader::open(file_));
}

TEST_F(migration, leaves_content_that_no_rules_made_alone)
{
    EXPECT_EQ(open()->projection(), 0);
    open()->mark_projection();
    EXPECT_EQ(open()->projection(), projection_version);
}

} // namespace
} // namespace chargifyd::state
