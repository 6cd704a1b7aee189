#include "is_locked.hpp"
#include "temporary_directory.hpp"
#include "wait_until.hpp"

#include "chargifyd/sqlite/database.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <future>

namespace chargifyd::sqlite {
namespace {

using namespace std::chrono_literals;

TEST(database, is_opened_as_the_writer_needs_it)
{
    const test::temporary_directory folder;
    database db(folder / "a.db", access::create);
    EXPECT_EQ(db.text("PRAGMA journal_mode"), "wal");
    EXPECT_EQ(db.integer("PRAGMA synchronous"), 1);
    EXPECT_EQ(db.integer("PRAGMA wal_autocheckpoint"), 0);
    EXPECT_EQ(db.integer("PRAGMA mmap_size"), 0);
    EXPECT_GT(db.integer("PRAGMA cache_spill"), 5000); // 0: a large transaction would lie in memory whole
    EXPECT_EQ(db.integer("PRAGMA trusted_schema"), 0);
}

TEST(database, says_what_went_wrong)
{
    const test::temporary_directory folder;
    try {
        const database db(folder / "missing.db", access::read_write);
        FAIL() << "a missing file was opened";
    } catch (const failure& e) {
        EXPECT_NE(std::string(e.what()).find("missing.db"), std::string::npos);
        EXPECT_FALSE(e.corrupt());
    }
    std::ofstream(folder / "text.db") << std::string(8192, 'x');
    try {
        const database db(folder / "text.db", access::read_write);
        FAIL() << "a text file was opened";
    } catch (const failure& e) {
        EXPECT_TRUE(e.corrupt());
    }
}

TEST(database, readers_see_commits_and_can_open_after_the_writer_closed)
{
    const test::temporary_directory folder;
    {
        database writer(folder / "a.db", access::create);
        writer.exec("CREATE TABLE t(x INTEGER) STRICT");
        database reader(folder / "a.db", access::read_only);
        writer.exec("INSERT INTO t VALUES (7)");
        EXPECT_EQ(reader.integer("SELECT x FROM t"), 7);
        EXPECT_THROW(reader.exec("INSERT INTO t VALUES (8)"), failure);
    }
    EXPECT_TRUE(std::filesystem::exists(folder / "a.db-wal"));
    database later(folder / "a.db", access::read_only);
    EXPECT_EQ(later.integer("SELECT x FROM t"), 7);
}

TEST(database, executes_as_long_as_it_is_wanted)
{
    const std::string endless =
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n";
    database db({}, access::memory);
    int asked = 0;
    EXPECT_FALSE(db.exec_while(endless, [&asked] { return ++asked < 5; }));
    EXPECT_EQ(asked, 5);
    EXPECT_THROW(db.exec_while(endless, []() -> bool { throw std::out_of_range("no"); }), std::out_of_range);
    EXPECT_TRUE(db.exec_while("CREATE TABLE t (x)", [] { return true; }));
    EXPECT_THROW(db.exec_while("nonsense", [] { return true; }), failure);
    EXPECT_EQ(db.integer("SELECT 7"), 7) << "nobody is asked any more";
}

TEST(database, ends_a_statement_that_runs_beyond_its_deadline)
{
    const std::string endless =
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n";
    database db({}, access::memory);
    db.set_deadline(std::chrono::steady_clock::now());
    try {
        db.integer(endless);
        FAIL() << "it came to an end";
    } catch (const failure& e) {
        EXPECT_TRUE(e.out_of_time());
    }
    db.set_deadline(std::chrono::steady_clock::now() + std::chrono::hours(1));
    EXPECT_EQ(db.integer("SELECT 7"), 7);
}

TEST(database, says_how_much_of_the_wal_is_in_use_however_long_its_file_is)
{
    const test::temporary_directory folder;
    database db(folder / "a.db", access::create);
    db.exec("CREATE TABLE t(x BLOB) STRICT");
    db.exec("INSERT INTO t VALUES (zeroblob(1000000))");
    const std::uint64_t many = db.wal_pages();
    EXPECT_GT(many, 240U);
    const auto length = std::filesystem::file_size(folder / "a.db-wal");
    ASSERT_TRUE(db.checkpoint(false));
    db.exec("INSERT INTO t VALUES (x'01')");
    EXPECT_LT(db.wal_pages(), 10U);
    EXPECT_EQ(std::filesystem::file_size(folder / "a.db-wal"), length);
    db.exec("INSERT INTO t VALUES (zeroblob(100000))");
    EXPECT_GT(db.wal_pages(), 24U);
    EXPECT_LT(db.wal_pages(), 40U);
}

TEST(database, waits_for_a_reader_to_end_before_it_empties_the_wal)
{
    const test::temporary_directory folder;
    database db(folder / "a.db", access::create);
    db.exec("CREATE TABLE t(x BLOB) STRICT");
    database reader(folder / "a.db", access::read_only);
    reader.exec("BEGIN");
    ASSERT_EQ(reader.integer("SELECT count(*) FROM t"), 0);
    EXPECT_FALSE(db.checkpoint(true)); // without patience
    auto emptied = std::async(std::launch::async, [&db] { return db.checkpoint(true, 60s); });
    // Whoever empties it holds the one right to write meanwhile.
    database other(folder / "a.db", access::as_is);
    other.exec("PRAGMA busy_timeout = 0");
    test::wait_until([&other] { return test::is_locked(other); });
    reader.exec("COMMIT");
    EXPECT_TRUE(emptied.get());
    EXPECT_EQ(db.wal_pages(), 0U);
    EXPECT_EQ(std::filesystem::file_size(folder / "a.db-wal"), 0U);
}

TEST(statement, an_execution_that_is_left_early_pins_nothing)
{
    const test::temporary_directory folder;
    database db(folder / "a.db", access::create);
    db.exec("CREATE TABLE t(x INTEGER) STRICT");
    db.exec("INSERT INTO t VALUES (1), (2), (3)");
    statement all(db, "SELECT x FROM t");
    {
        statement::run rows(all);
        ASSERT_TRUE(rows.step());
    }
    db.exec("INSERT INTO t VALUES (4)");
    EXPECT_TRUE(db.checkpoint(true));
}

TEST(statement, binds_and_reads_every_kind)
{
    database db({}, access::memory);
    db.exec("CREATE TABLE t(a INTEGER, b TEXT, c BLOB, d TEXT) STRICT");
    {
        statement insert(db, "INSERT INTO t VALUES (?, ?, ?, ?)");
        statement::run(insert)
            .bind(std::int64_t{-5})
            .bind(std::string_view("x\0y", 3))
            .bind_blob(std::string_view("\0\1", 2))
            .bind(std::optional<std::string_view>())
            .step();
    }
    statement select(db, "SELECT a, b, c, d FROM t");
    statement::run row(select);
    ASSERT_TRUE(row.step());
    EXPECT_EQ(row.integer(0), -5);
    EXPECT_EQ(row.text(1), std::string_view("x\0y", 3));
    EXPECT_EQ(row.text(2), std::string_view("\0\1", 2));
    EXPECT_TRUE(row.is_null(3));
    EXPECT_EQ(row.name(1), "b");
    EXPECT_FALSE(row.optional_text(3));
    EXPECT_FALSE(row.step());
}

TEST(statement, empty_text_is_not_null)
{
    database db({}, access::memory);
    db.exec("CREATE TABLE t(a TEXT)");
    statement insert(db, "INSERT INTO t VALUES (?)");
    statement::run(insert).bind(std::string_view()).step();
    EXPECT_EQ(db.integer("SELECT count(*) FROM t WHERE a = ''"), 1);
}

TEST(statement, a_refused_value_leaves_the_connection_usable)
{
    database db({}, access::memory);
    db.exec("CREATE TABLE t(a INTEGER PRIMARY KEY) STRICT");
    statement insert(db, "INSERT INTO t VALUES (?)");
    statement::run(insert).bind(std::int64_t{1}).step();
    try {
        statement::run(insert).bind(std::int64_t{1}).step();
        FAIL() << "a duplicate key was taken";
    } catch (const failure& e) {
        EXPECT_TRUE(e.refused());
    }
    statement::run(insert).bind(std::int64_t{2}).step();
    EXPECT_EQ(db.integer("SELECT count(*) FROM t"), 2);
}

TEST(write_transaction, is_rolled_back_unless_committed)
{
    database db({}, access::memory);
    db.exec("CREATE TABLE t(a INTEGER)");
    {
        const write_transaction change(db);
        db.exec("INSERT INTO t VALUES (1)");
    }
    EXPECT_EQ(db.integer("SELECT count(*) FROM t"), 0);
    {
        write_transaction change(db);
        db.exec("INSERT INTO t VALUES (1)");
        change.commit();
    }
    EXPECT_EQ(db.integer("SELECT count(*) FROM t"), 1);
}

TEST(database, takes_over_another_database_while_readers_keep_their_view)
{
    const test::temporary_directory folder;
    database live(folder / "live.db", access::create);
    live.exec("CREATE TABLE t(a INTEGER)");
    live.exec("INSERT INTO t VALUES (1)");
    database fresh(folder / "fresh.db", access::create);
    fresh.exec("CREATE TABLE t(a INTEGER)");
    fresh.exec("INSERT INTO t VALUES (10), (20)");

    database reader(folder / "live.db", access::read_only);
    reader.exec("BEGIN");
    EXPECT_EQ(reader.integer("SELECT sum(a) FROM t"), 1);
    live.copy_from(fresh);
    EXPECT_EQ(reader.integer("SELECT sum(a) FROM t"), 1);
    reader.exec("COMMIT");
    EXPECT_EQ(reader.integer("SELECT sum(a) FROM t"), 30);
    EXPECT_EQ(live.text("PRAGMA integrity_check"), "ok");
    EXPECT_EQ(live.text("PRAGMA journal_mode"), "wal");
}

} // namespace
} // namespace chargifyd::sqlite
