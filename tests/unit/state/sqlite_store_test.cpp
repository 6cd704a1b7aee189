#include "temporary_directory.hpp"
#include "webhook_body.hpp"

#include "chargifyd/chargify/sha256.hpp"
#include "chargifyd/state/projection.hpp"
#include "chargifyd/state/sqlite_store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <sys/stat.h>

namespace chargifyd::state {
namespace {

using ::testing::HasSubstr;

std::string slurp(const std::filesystem::path& file)
{
    std::ostringstream all;
    all << std::ifstream(file, std::ios::binary).rdbuf();
    return all.str();
}

std::unique_ptr<sqlite_store> open_or_die(const std::filesystem::path& file,
                                          const std::string& journal = "journal-1")
{
    auto opened = sqlite_store::open(file, journal, {});
    if (!opened)
        throw std::runtime_error(opened.error().message);
    return std::move(*opened);
}

void apply_one(sqlite_store& store, std::uint64_t sequence, const std::string& body)
{
    store.begin();
    apply(store, prepare(sequence, "acme", timestamp{}, body));
    store.commit(sequence);
}

TEST(sqlite_store, makes_a_file_that_the_group_may_read)
{
    const test::temporary_directory folder;
    const auto store = open_or_die(folder / "state.db");
    struct stat info {};
    for (const char* const name : {"state.db", "state.db-wal", "state.db-shm"}) {
        ASSERT_EQ(::stat((folder / name).c_str(), &info), 0) << name;
        EXPECT_EQ(info.st_mode & 0037, 0U) << name;
    }
    sqlite::database db(folder / "state.db", sqlite::access::read_only);
    EXPECT_EQ(db.integer("PRAGMA user_version"), schema_version);
    EXPECT_EQ(db.integer("PRAGMA application_id"), application_id);
    EXPECT_EQ(
        db.integer("SELECT count(*) FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND "
                   "name NOT LIKE 'sqlite_%' AND NOT strict"),
        0);
}

TEST(sqlite_store, rows_and_cursor_are_one_transaction)
{
    const test::temporary_directory folder;
    {
        const auto store = open_or_die(folder / "state.db");
        apply_one(*store, 1, test::subscription_body{}.str());
        store->begin();
        test::subscription_body b;
        b.webhook_id = 2;
        b.id = 200;
        apply(*store, prepare(2, "acme", timestamp{}, b.str()));
        store->rollback();
    }
    const auto store = open_or_die(folder / "state.db");
    EXPECT_EQ(store->cursor(), 1U);
    EXPECT_TRUE(store->load(object_kind::subscription, "acme", {std::int64_t{100}}));
    EXPECT_FALSE(store->load(object_kind::subscription, "acme", {std::int64_t{200}}));
}

TEST(sqlite_store, refuses_what_is_not_its_own_and_changes_nothing)
{
    const test::temporary_directory folder;
    {
        sqlite::database other(folder / "foreign.db", sqlite::access::memory);
        sqlite::database made(folder / "foreign.db", sqlite::access::create);
        made.exec("CREATE TABLE theirs(x)");
    }
    std::ofstream(folder / "text.db") << std::string(4096, 'x');
    {
        open_or_die(folder / "newer.db");
        sqlite::database db(folder / "newer.db", sqlite::access::read_write);
        db.exec("PRAGMA user_version = 999");
        db.checkpoint(true);
    }
    open_or_die(folder / "other.db", "journal-2")->checkpoint(true);
    {
        open_or_die(folder / "emptied.db")->checkpoint(true);
        sqlite::database db(folder / "emptied.db", sqlite::access::read_write);
        db.exec("DROP TABLE meta");
        db.checkpoint(true);
    }
    const std::pair<const char*, const char*> cases[] = {{"foreign.db", "another program"},
                                                         {"text.db", "damaged"},
                                                         {"newer.db", "newer"},
                                                         {"other.db", "another journal"},
                                                         {"emptied.db", "emptied.db"}};
    for (const auto& [name, word] : cases) {
        const std::string before = slurp(folder / name);
        const auto opened = sqlite_store::open(folder / name, "journal-1", {});
        ASSERT_FALSE(opened) << name;
        EXPECT_THAT(opened.error().message, HasSubstr(word)) << name;
        EXPECT_EQ(slurp(folder / name), before) << name;
    }
}

TEST(sqlite_store, refuses_a_damaged_page)
{
    const test::temporary_directory folder;
    {
        const auto store = open_or_die(folder / "state.db");
        for (int i = 1; i <= 200; ++i) {
            test::subscription_body b;
            b.webhook_id = i;
            b.id = i;
            apply_one(*store, static_cast<std::uint64_t>(i), b.str());
        }
        ASSERT_TRUE(store->checkpoint(true));
    }
    std::filesystem::remove(folder / "state.db-wal");
    std::filesystem::remove(folder / "state.db-shm");
    {
        std::fstream file(folder / "state.db", std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(4096 * 6);
        file << std::string(4096, '\x5a');
    }
    const auto opened = sqlite_store::open(folder / "state.db", "journal-1", {});
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, errc::corrupt);
    EXPECT_THAT(opened.error().message, HasSubstr("move"));
}

TEST(sqlite_store, a_dead_letter_can_be_applied_again)
{
    const test::temporary_directory folder;
    const auto store = open_or_die(folder / "state.db");
    webhook w = prepare(1, "acme", timestamp{}, test::subscription_body{}.str());
    w.error = "could not be read by an older version";
    store->begin();
    EXPECT_EQ(apply(*store, w).result, outcome::dead);
    store->commit(1);
    EXPECT_EQ(store->dead_sequences(), std::vector<std::uint64_t>{1});
    w.error.clear();
    store->begin();
    EXPECT_TRUE(store->remove_dead(w));
    EXPECT_EQ(apply(*store, w).result, outcome::applied);
    store->commit(1);
    EXPECT_EQ(store->count_dead(), 0U);
    store->begin();
    EXPECT_FALSE(store->remove_dead(w));
    store->rollback();
    sqlite::database db(folder / "state.db", sqlite::access::read_only);
    EXPECT_EQ(db.integer("SELECT webhooks FROM sites WHERE site = 'acme'"), 1);
}

TEST(sqlite_store, takes_over_a_rebuilt_file_and_keeps_its_own_access_table)
{
    const test::temporary_directory folder;
    options with;
    with.access["canceled"].has_access = true;
    const auto live = std::move(*sqlite_store::open(folder / "state.db", "journal-1", with));
    apply_one(*live, 1, test::subscription_body{}.str());
    {
        const auto fresh = open_or_die(folder / "fresh.db");
        test::subscription_body b;
        b.id = 300;
        apply_one(*fresh, 7, b.str());
    }
    ASSERT_TRUE(live->replace_by(folder / "fresh.db"));
    EXPECT_EQ(live->cursor(), 7U);
    EXPECT_FALSE(live->load(object_kind::subscription, "acme", {std::int64_t{100}}));
    EXPECT_TRUE(live->load(object_kind::subscription, "acme", {std::int64_t{300}}));
    sqlite::database db(folder / "state.db", sqlite::access::read_only);
    EXPECT_EQ(db.integer("SELECT has_access FROM access_states WHERE state = 'canceled'"), 1);

    open_or_die(folder / "strange.db", "journal-2");
    const auto refused = live->replace_by(folder / "strange.db");
    ASSERT_FALSE(refused);
    EXPECT_EQ(live->cursor(), 7U);
    apply_one(*live, 8, test::subscription_body{}.str()); // and it still works
}

TEST(sqlite_store, knows_which_rules_made_its_content)
{
    const test::temporary_directory folder;
    EXPECT_EQ(open_or_die(folder / "state.db")->projection(), projection_version);
    for (const int other : {projection_version - 1, projection_version + 1}) {
        {
            sqlite::database db(folder / "state.db", sqlite::access::read_write);
            db.exec("UPDATE meta SET value = '" + std::to_string(other) + "' WHERE key = 'projection'");
        }
        // From now on this version's webhooks come to it: neither version made all of it.
        EXPECT_EQ(open_or_die(folder / "state.db")->projection(), 0) << other;
        EXPECT_EQ(open_or_die(folder / "state.db")->projection(), 0) << other;
        open_or_die(folder / "state.db")->mark_projection();
        EXPECT_EQ(open_or_die(folder / "state.db")->projection(), projection_version) << other;
    }
}

TEST(sqlite_store, takes_over_no_file_of_an_older_schema)
{
    const test::temporary_directory folder;
    const auto live = open_or_die(folder / "state.db");
    open_or_die(folder / "older.db")->checkpoint(true);
    {
        sqlite::database db(folder / "older.db", sqlite::access::read_write);
        db.exec("PRAGMA user_version = 1");
    }
    const auto refused = live->replace_by(folder / "older.db");
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr("older chargifyd"));
    EXPECT_EQ(live->cursor(), 0U);
}

TEST(sqlite_store, finds_what_it_holds_back)
{
    const test::temporary_directory folder;
    auto store = std::move(*sqlite_store::open(folder / "state.db", "j", {}));
    webhook with_id;
    with_id.sequence = 1;
    with_id.site = "acme";
    with_id.webhook_id = 77;
    webhook without_id = with_id;
    without_id.sequence = 2;
    without_id.webhook_id.reset();
    without_id.body_sha256 = chargify::sha256("a body");
    webhook other = with_id;
    other.site = "globex";
    store->begin();
    EXPECT_FALSE(store->find_event(with_id));
    store->insert_event(with_id, outcome::applied);
    store->insert_event(without_id, outcome::applied);
    EXPECT_EQ(store->find_event(with_id), 1U);
    EXPECT_EQ(store->find_event(without_id), 2U);
    EXPECT_FALSE(store->find_event(other));

    object_row row;
    row.columns.assign(table_of(object_kind::product).columns.size(), value());
    const object_key key{std::int64_t{5}};
    store->insert(object_kind::product, "acme", key, row);
    EXPECT_TRUE(store->load(object_kind::product, "acme", key));

    timeline_entry entry;
    entry.at = {10, 1, 1};
    entry.facts.state = "active";
    store->insert_timeline("acme", 9, entry);
    EXPECT_TRUE(store->before("acme", 9, {11, 1, 1}));
    EXPECT_FALSE(store->before("acme", 9, {10, 1, 1}));
    entry.at = {12, 1, 1};
    store->insert_timeline("acme", 9, entry);
    EXPECT_EQ(store->after("acme", 9, {10, 1, 1})->at.updated_at, 12);
    entry.at = {14, 1, 1};
    store->insert_timeline("acme", 9, entry);
    entry.seen.in_trial = true;
    store->update_timeline("acme", 9, entry);
    EXPECT_TRUE(store->before("acme", 9, {15, 1, 1})->seen.in_trial);

    change derived;
    derived.kind = "state";
    derived.subscription_id = 9;
    change fact = derived;
    fact.kind = "payment";
    fact.identity = "payment/1";
    EXPECT_TRUE(store->insert_change("acme", 1, {}, derived));
    EXPECT_TRUE(store->insert_change("acme", 1, {5, 5}, fact));
    EXPECT_FALSE(store->insert_change("acme", 2, {6, 6}, fact));
    EXPECT_TRUE(store->insert_change("globex", 2, {6, 6}, fact));
    EXPECT_EQ(store->changes_of("acme", 9, 1).size(), 1U) << "the derived one";
    store->remove_change(store->changes_of("acme", 9, 1).front().id);
    EXPECT_TRUE(store->insert_change("acme", 1, {}, derived));
    EXPECT_EQ(store->changes_of("acme", 9, 1).size(), 1U);
    fact.amount_in_cents = 7;
    EXPECT_FALSE(store->insert_change("acme", 1, {4, 4}, fact)) << "told earlier: this one stays";
    store->commit(2);
    sqlite::database db(folder / "state.db", sqlite::access::read_only);
    EXPECT_EQ(db.text("SELECT group_concat(site || kind || id || coalesce(amount_in_cents, ''), ' ') FROM "
                      "(SELECT * FROM changes ORDER BY id)"),
              "acmepayment27 globexpayment3 acmestate4");
}

TEST(sqlite_store, forgets_what_it_holds_back_when_it_is_rolled_back)
{
    const test::temporary_directory folder;
    auto store = std::move(*sqlite_store::open(folder / "state.db", "j", {}));
    webhook w;
    w.sequence = 1;
    w.site = "acme";
    w.webhook_id = 77;
    object_row row;
    row.columns.assign(table_of(object_kind::product).columns.size(), value());
    const object_key key{std::int64_t{5}};
    timeline_entry entry;
    entry.facts.state = "active";
    store->begin();
    store->insert_event(w, outcome::applied);
    store->insert(object_kind::product, "acme", key, row);
    store->insert_timeline("acme", 9, entry);
    change fact;
    fact.kind = "payment";
    fact.identity = "payment/1";
    store->insert_change("acme", 1, {5, 5}, fact);
    store->rollback();
    store->begin();
    EXPECT_FALSE(store->find_event(w));
    EXPECT_FALSE(store->load(object_kind::product, "acme", key));
    EXPECT_FALSE(store->before("acme", 9, {11, 1, 1}));
    store->commit(0);
    sqlite::database db(folder / "state.db", sqlite::access::read_only);
    EXPECT_EQ(db.integer("SELECT (SELECT count(*) FROM events) + (SELECT count(*) FROM products) + (SELECT "
                         "count(*) FROM subscription_timeline) + (SELECT count(*) FROM changes)"),
              0);
}

TEST(sqlite_store, an_update_of_a_row_that_is_not_there_is_an_error)
{
    const test::temporary_directory folder;
    auto store = std::move(*sqlite_store::open(folder / "state.db", "j", {}));
    object_row row;
    row.columns.assign(table_of(object_kind::product).columns.size(), value());
    store->begin();
    try {
        store->update(object_kind::product, "acme", {std::int64_t{5}}, row);
        ADD_FAILURE() << "it was taken";
    } catch (const sqlite::failure& e) {
        EXPECT_TRUE(e.corrupt());
        EXPECT_FALSE(is_fault_of_webhook(e)) << "the file is to blame: nothing more is applied";
    }
    store->rollback();
}

TEST(sqlite_store, a_scratch_file_has_the_indexes_of_queries_once_they_are_asked_for)
{
    const test::temporary_directory folder;
    const std::string indexes =
        "SELECT group_concat(name) FROM (SELECT name FROM sqlite_schema WHERE type = 'index' ORDER BY name)";
    const auto whole = std::move(*sqlite_store::open(folder / "whole.db", "j", {}));
    const std::string all = sqlite::database(folder / "whole.db", sqlite::access::read_only).text(indexes);
    options scratch;
    scratch.scratch = true;
    auto store = std::move(*sqlite_store::open(folder / "scratch.db", "j", scratch));
    store.reset();
    EXPECT_LT(sqlite::database(folder / "scratch.db", sqlite::access::read_only).text(indexes).size(),
              all.size());
    store = std::move(*sqlite_store::open(folder / "scratch.db", "j", scratch));
    int asked = 0;
    EXPECT_FALSE(store->make_indexes([&asked] { return ++asked < 3; })) << "ended after two of them";
    EXPECT_EQ(asked, 3);
    EXPECT_TRUE(store->make_indexes([] { return true; }));
    store.reset();
    EXPECT_EQ(sqlite::database(folder / "scratch.db", sqlite::access::read_only).text(indexes), all);
}

TEST(copy_state, makes_a_whole_copy_beside_a_writer)
{
    const test::temporary_directory folder;
    const auto store = open_or_die(folder / "state.db");
    apply_one(*store, 5, test::subscription_body{}.str());
    store->sync();
    ASSERT_TRUE(copy_state(folder / "state.db", folder / "snapshot.db"));
    apply_one(*store, 6, "id=9&event=test");
    const auto copy = open_or_die(folder / "snapshot.db");
    EXPECT_EQ(copy->cursor(), 5U);
    EXPECT_TRUE(copy->load(object_kind::customer, "acme", {std::int64_t{7}}));
    EXPECT_FALSE(std::filesystem::exists(folder / "snapshot.db.tmp"));
}

row_parts changed_parts(const object_row& was, const object_row& now)
{
    row_parts changed = 0;
    for (std::size_t i = 0; i < was.columns.size(); ++i)
        changed |= was.columns[i] != now.columns[i] ? row_part(i) : 0;
    changed |= was.attributes != now.attributes ? row_part(was.columns.size()) : 0;
    return changed | (was.patches != now.patches ? row_part(was.columns.size() + 1) : 0);
}

TEST(sqlite_store, writes_every_part_that_changed_and_no_other)
{
    for (std::size_t kind = 0; kind < object_kinds; ++kind) {
        const object_table& table = table_of(kind);
        ASSERT_LE(table.columns.size() + 2, 64U) << "the parts of a row have a bit each";
        const test::temporary_directory folder;
        auto store = std::move(*sqlite_store::open(folder / "state.db", "j", {}));
        object_key key;
        for (const column& c : table.keys)
            key.push_back(c.kind == column_kind::text ? value(std::string("k")) : value(std::int64_t{1}));
        object_row row;
        row.columns.assign(table.columns.size(), value());
        store->begin();
        store->insert(object_kind{static_cast<int>(kind)}, "a", key, row);
        store->flush();
        const auto change = [&](auto what) {
            object_row next = row;
            what(next);
            ++next.base.event_id;
            next.changed = changed_parts(row, next);
            store->update(object_kind{static_cast<int>(kind)}, "a", key, next);
            row = next;
            const auto found = store->load(object_kind{static_cast<int>(kind)}, "a", key);
            ASSERT_TRUE(found);
            EXPECT_EQ(found->columns, row.columns) << table.name;
            EXPECT_EQ(found->attributes, row.attributes);
            EXPECT_EQ(found->patches, row.patches);
            EXPECT_EQ(found->base, row.base);
        };
        for (std::size_t i = 0; i < table.columns.size(); ++i) {
            const bool number =
                table.columns[i].kind == column_kind::integer || table.columns[i].kind == column_kind::flag;
            change([&](object_row& r) {
                r.columns[i] = number ? value(std::int64_t{1}) : value(std::string("x"));
            });
        }
        change([](object_row& r) { r.attributes = R"({"a":1})"; });
        change([](object_row& r) { r.patches = R"({"columns":{}})"; });
        change([](object_row&) {});
        change([](object_row& r) {
            for (value& v : r.columns)
                v = value();
            r.patches.clear();
        });
        store->commit(1);
    }
}

} // namespace
} // namespace chargifyd::state
