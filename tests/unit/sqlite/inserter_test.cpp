#include "chargifyd/sqlite/inserter.hpp"

#include <gtest/gtest.h>

#include <string>

namespace chargifyd::sqlite {
namespace {

class inserting : public ::testing::Test {
protected:
    inserting() { db.exec("CREATE TABLE t (id INTEGER PRIMARY KEY, word TEXT NOT NULL, bytes BLOB) STRICT"); }

    void add(std::int64_t id, const std::string& word)
    {
        rows.bind(id).bind(std::string_view(word)).bind_null();
    }

    database db{{}, access::memory};
    inserter rows{db, "t", "id, word, bytes"};
};

TEST_F(inserting, writes_every_row_once_whatever_their_number)
{
    std::int64_t next = 1;
    for (const std::int64_t count : {1, 15, 16, 17, 100}) {
        const std::int64_t first = next;
        for (std::int64_t i = 0; i < count; ++i, ++next)
            add(next, "w" + std::to_string(next));
        rows.flush();
        EXPECT_TRUE(rows.empty());
        const std::string these = " FROM t WHERE id >= " + std::to_string(first);
        EXPECT_EQ(db.integer("SELECT count(*)" + these), count);
        EXPECT_EQ(db.integer("SELECT count(*)" + these + " AND word = 'w' || id AND bytes IS NULL"), count);
    }
}

TEST_F(inserting, keeps_kinds_apart)
{
    const std::string zeros("a\0b", 3);
    rows.bind(std::optional<std::int64_t>(7)).bind(std::string_view()).bind_blob(zeros);
    rows.bind(std::int64_t{8})
        .bind(std::optional<std::string_view>("x"))
        .bind(std::optional<std::string_view>());
    rows.flush();
    EXPECT_EQ(db.text("SELECT group_concat(typeof(id) || typeof(word) || typeof(bytes)) FROM t"),
              "integertextblob,integertextnull");
    EXPECT_EQ(db.text("SELECT word FROM t WHERE id = 7"), "");
    EXPECT_EQ(db.integer("SELECT length(bytes) FROM t WHERE id = 7"), 3);
}

TEST_F(inserting, copies_what_it_is_given)
{
    std::string word = "a word that is too long to lie inside of the string itself";
    add(1, word);
    word.assign(word.size(), '-');
    rows.flush();
    EXPECT_EQ(db.text("SELECT substr(word, 1, 6) FROM t"), "a word");
}

TEST_F(inserting, a_refused_row_throws_and_is_forgotten_with_the_others)
{
    db.exec("BEGIN");
    for (std::int64_t id = 1; id <= 15; ++id)
        add(id, "w");
    EXPECT_THROW(add(3, "twice"), failure); // the sixteenth
    rows.clear();
    EXPECT_TRUE(rows.empty());
    db.exec("ROLLBACK");
    EXPECT_EQ(db.integer("SELECT count(*) FROM t"), 0);
    add(1, "w");
    add(1, "w");
    EXPECT_THROW(rows.flush(), failure);
}

TEST_F(inserting, forgets_what_was_not_written)
{
    add(1, "w");
    EXPECT_FALSE(rows.empty());
    rows.clear();
    rows.flush();
    EXPECT_EQ(db.integer("SELECT count(*) FROM t"), 0);
}

} // namespace
} // namespace chargifyd::sqlite
