#include "asked.hpp"
#include "state_file.hpp"
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
using ::testing::IsEmpty;
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
        reader_.emplace(std::move(*state_reader::open(file_)));
    }

    answer subscriptions(const subscription_filter& with)
    {
        const auto found = list_subscriptions(*reader_, with);
        EXPECT_TRUE(found);
        return ask(*reader_, *found);
    }

    test::temporary_directory folder_;
    std::filesystem::path file_ = folder_ / "state.db";
    std::optional<state_reader> reader_;
};

TEST_F(queries, subscriptions_are_found_by_state_customer_and_id)
{
    EXPECT_EQ(subscriptions({}).lines.size(), 3U);
    subscription_filter by_state;
    by_state.state = "canceled";
    EXPECT_THAT(subscriptions(by_state).lines, ElementsAre(HasSubstr("acme|101|canceled|basic|7|ref-7|0|")));
    subscription_filter by_reference;
    by_reference.customer_reference = "ref-7";
    EXPECT_EQ(subscriptions(by_reference).lines.size(), 2U);
    const answer one = ask(*reader_, show_subscription({"acme", 102}));
    EXPECT_THAT(one.lines, ElementsAre(HasSubstr("acme|102|8|3|basic|active|")));
    EXPECT_THAT(one.columns, Not(::testing::Contains("patches")));
    EXPECT_THAT(ask(*reader_, show_subscription({"acme", 1})).lines, IsEmpty());
}

TEST_F(queries, a_value_is_never_sql)
{
    subscription_filter evil;
    evil.state = "x' OR '1'='1";
    EXPECT_THAT(subscriptions(evil).lines, IsEmpty());
    event_filter other;
    other.outcome = "dead' OR '1'='1";
    EXPECT_THAT(ask(*reader_, newest_events(other, 10)).lines, IsEmpty());
}

TEST_F(queries, events)
{
    event_filter dead;
    dead.outcome = "dead";
    EXPECT_THAT(ask(*reader_, list_events(dead)).lines, ElementsAre(HasSubstr("4|acme|")));
    EXPECT_THAT(ask(*reader_, newest_events({}, 2)).lines,
                ElementsAre(HasSubstr("3|acme"), HasSubstr("4|acme")));
    EXPECT_THAT(ask_page(*reader_, list_events({}), "2", 1).lines, ElementsAre(HasSubstr("3|acme")));
    event_filter other;
    other.site = "other";
    EXPECT_THAT(ask(*reader_, list_events(other)).lines, IsEmpty());
    event_filter of_one;
    of_one.subscription_id = 101;
    of_one.event = "subscription_state_change";
    EXPECT_THAT(ask(*reader_, list_events(of_one)).only("seq"), ElementsAre("2"));
    event_filter between;
    between.from = 2;
    between.to = 4;
    EXPECT_THAT(ask(*reader_, list_events(between)).only("seq"), ElementsAre("2", "3"));
    EXPECT_THAT(ask(*reader_, newest_events(between, 1)).only("seq"), ElementsAre("3"));
}

TEST_F(queries, the_summary_counts)
{
    EXPECT_THAT(ask(*reader_, summary_by_site()).lines, ElementsAre("acme|4|1970-01-01T00:00:00Z|1|0|3"));
}

TEST_F(queries, a_sound_file_has_no_problems)
{
    EXPECT_EQ(*reader_->cursor(), 4U);
    EXPECT_EQ(*reader_->journal_id(), "j");
    EXPECT_TRUE(reader_->integrity_problems()->empty());
}

} // namespace
} // namespace chargifyd::state
