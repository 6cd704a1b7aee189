#include "temporary_directory.hpp"
#include "webhook_body.hpp"

#include "chargifyd/state/projection.hpp"
#include "chargifyd/state/queries.hpp"
#include "chargifyd/state/sqlite_store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace chargifyd::state {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class queries : public ::testing::Test {
protected:
    void SetUp() override
    {
        auto store = std::move(*sqlite_store::open(file_, "j", {}));
        store->begin();
        std::uint64_t sequence = 0;
        for (const long long id : {100, 101, 102}) {
            test::subscription_body b;
            b.webhook_id = id;
            b.id = id;
            b.customer_id = id == 102 ? 8 : 7;
            b.customer_reference = id == 102 ? "ref-8" : "ref-7";
            b.state = id == 101 ? "canceled" : "active";
            apply(*store, prepare(++sequence, "acme", timestamp{}, b.str()));
        }
        apply(*store, prepare(++sequence, "acme", timestamp{}, "broken %"));
        store->commit(sequence);
    }

    /// The rows as "a|b|c" lines, and the column names first.
    std::vector<std::string> ask(const query& q)
    {
        std::vector<std::string> lines;
        auto reader = state_reader::open(file_);
        EXPECT_TRUE(reader);
        const auto done = reader->run(
            q,
            [&](std::span<const result_column> columns) {
                columns_.clear();
                for (const result_column& c : columns)
                    columns_.push_back(c.name);
            },
            [&](std::span<const value> row) {
                std::string line;
                for (const value& v : row) {
                    if (const auto* n = std::get_if<std::int64_t>(&v))
                        line += std::to_string(*n);
                    else if (const auto* t = std::get_if<std::string>(&v))
                        line += *t;
                    line += '|';
                }
                lines.push_back(line);
                return true;
            });
        EXPECT_TRUE(done);
        return lines;
    }

    test::temporary_directory folder_;
    std::filesystem::path file_ = folder_ / "state.db";
    std::vector<std::string> columns_;
};

TEST_F(queries, subscriptions_are_found_by_state_customer_and_id)
{
    EXPECT_EQ(ask(list_subscriptions({})).size(), 3U);
    subscription_filter by_state;
    by_state.state = "canceled";
    EXPECT_THAT(ask(list_subscriptions(by_state)),
                ElementsAre(HasSubstr("acme|101|canceled|basic|7|ref-7|0|")));
    subscription_filter by_reference;
    by_reference.customer_reference = "ref-7";
    EXPECT_EQ(ask(list_subscriptions(by_reference)).size(), 2U);
    subscription_filter by_id;
    by_id.id = 102;
    EXPECT_THAT(ask(show_subscription(by_id)), ElementsAre(HasSubstr("acme|102|8|3|basic|active|")));
    EXPECT_THAT(columns_, Not(::testing::Contains("patches")));
    by_id.id = 1;
    EXPECT_TRUE(ask(show_subscription(by_id)).empty());
}

TEST_F(queries, a_value_is_never_sql)
{
    subscription_filter evil;
    evil.state = "x' OR '1'='1";
    EXPECT_TRUE(ask(list_subscriptions(evil)).empty());
}

TEST_F(queries, customers_events_and_history)
{
    customer_filter by_reference;
    by_reference.reference = "ref-8";
    EXPECT_THAT(ask(list_customers(by_reference)), ElementsAre(HasSubstr("acme|8|ref-8|Ada|")));
    event_filter dead;
    dead.outcome = "dead";
    EXPECT_THAT(ask(list_events(dead)), ElementsAre(HasSubstr("4|acme|")));
    event_filter newest;
    newest.newest = true;
    newest.limit = 2;
    EXPECT_THAT(ask(list_events(newest)), ElementsAre(HasSubstr("3|acme"), HasSubstr("4|acme")));
    event_filter after;
    after.after = 2;
    after.limit = 1;
    EXPECT_THAT(ask(list_events(after)), ElementsAre(HasSubstr("3|acme")));
    subscription_filter history;
    history.id = 100;
    EXPECT_THAT(ask(subscription_history(history)),
                ElementsAre(HasSubstr("|created||active|2026-01-01T15:00:00Z|")));
    EXPECT_THAT(ask(summary_by_site()), ElementsAre("acme|4|1970-01-01T00:00:00Z|1|0|3|"));
}

TEST_F(queries, a_sound_file_has_no_problems)
{
    auto reader = state_reader::open(file_);
    ASSERT_TRUE(reader);
    EXPECT_EQ(*reader->cursor(), 4U);
    EXPECT_EQ(*reader->journal_id(), "j");
    EXPECT_TRUE(reader->integrity_problems()->empty());
}

TEST(state_reader, says_what_is_missing)
{
    const test::temporary_directory folder;
    const auto opened = state_reader::open(folder / "state.db");
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, errc::not_found);
}

} // namespace
} // namespace chargifyd::state
