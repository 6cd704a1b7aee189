#include "asked.hpp"
#include "state_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace chargifyd::state {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// Numbers from 1 to `last` that are divisible by `by`, of one walk.
walk numbers(const std::string& name, std::int64_t last, std::int64_t by = 1)
{
    walk w;
    w.name = name;
    w.key = {"id"};
    w.page = [last, by](std::span<const value> after, std::uint64_t limit) {
        const std::int64_t start = after.empty() ? 0 : std::get<std::int64_t>(after.front());
        return query{"WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < ?) "
                     "SELECT id FROM n WHERE id > ? AND id % ? = 0 LIMIT " +
                         std::to_string(limit),
                     {last, start, by}};
    };
    return w;
}

class list_test : public ::testing::Test {
protected:
    void SetUp() override { reader_.emplace(std::move(*state_reader::open(file_))); }

    test::temporary_directory folder_;
    std::filesystem::path file_ = folder_ / "state.db";
    test::state_file state_{file_};
    std::optional<state_reader> reader_;
};

TEST_F(list_test, pages_join_without_gap_or_repetition)
{
    const list two{{numbers("a", 5), numbers("b/c", 3)}};
    for (const std::uint64_t size : {1U, 2U, 3U, 5U, 8U, 100U})
        EXPECT_THAT(ask(*reader_, two, size).lines, ElementsAre("1", "2", "3", "4", "5", "1", "2", "3"))
            << size;
}

TEST_F(list_test, a_page_says_where_the_next_begins)
{
    const list two{{numbers("a", 3), numbers("b/c", 3)}};
    EXPECT_EQ(ask_page(*reader_, two, "", 2).next, "a/2");
    EXPECT_EQ(ask_page(*reader_, two, "a/2", 2).next, "b/c/1");
    EXPECT_EQ(ask_page(*reader_, two, "b/c/1", 2).next, std::nullopt);
    EXPECT_EQ(ask_page(*reader_, list{{numbers("", 3)}}, "", 2).next, "2");
}

TEST_F(list_test, what_is_no_position_is_refused)
{
    const list two{{numbers("a", 3), numbers("b/c", 3)}};
    for (const char* const position :
         {"a", "a/", "a/x", "a/1/2", "c/1", "/1", "1", "a/99999999999999999999"}) {
        const auto done = read_page(
            *reader_, two, position, 1, [](auto) {}, [](auto) {});
        ASSERT_FALSE(done) << position;
        EXPECT_EQ(done.error().code, errc::invalid);
    }
}

TEST_F(list_test, a_walk_in_windows_goes_on_where_nothing_is_found)
{
    walk rare = numbers("", 1000, 400);
    const auto all = rare.page;
    rare.window = 10;
    rare.last = 1000;
    rare.page = [all](std::span<const value> after, std::uint64_t limit) {
        query q = all(after, limit);
        const std::int64_t start = after.empty() ? 0 : std::get<std::int64_t>(after.front());
        q.sql = "SELECT * FROM (" + q.sql + ") WHERE id <= " + std::to_string(start + 10);
        return q;
    };
    const list found{{rare}};
    EXPECT_THAT(ask(*reader_, found, 1).lines, ElementsAre("400", "800"));
    const answer first = ask_page(*reader_, found, "", 5);
    EXPECT_THAT(first.lines, IsEmpty()) << "one page looks into a few windows only";
    EXPECT_EQ(first.next, "250");
}

} // namespace
} // namespace chargifyd::state
