#include "asked.hpp"
#include "state_file.hpp"

#include "chargifyd/base/time.hpp"
#include "chargifyd/state/json.hpp"
#include "chargifyd/state/queries_changes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

// What the queries answer, from rows that the tests write themselves.

namespace chargifyd::state {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

/// As SQL; so many days from now.
std::string in_days(int days)
{
    return "'" +
           format_utc(std::chrono::floor<std::chrono::seconds>(system_now()) + std::chrono::days(days)) + "'";
}

class answers : public ::testing::Test {
protected:
    void SetUp() override { reader_.emplace(std::move(*state_reader::open(file_))); }

    void subscription(int id, const std::string& state, test::state_file::row more = {})
    {
        more.insert(more.begin(), {{"id", std::to_string(id)}, {"state", "'" + state + "'"}});
        state_.object("subscriptions", std::move(more));
    }

    answer access(const access_filter& with)
    {
        const auto found = list_access(*reader_, with);
        EXPECT_TRUE(found);
        // Small pages: each must go on where the one before ended.
        const answer pages = ask(*reader_, *found, 1);
        EXPECT_EQ(pages.lines, ask(*reader_, *found).lines);
        return pages;
    }

    answer changes(const change_filter& with, std::uint64_t page_size = 1)
    {
        const auto found = list_changes(*reader_, with);
        EXPECT_TRUE(found);
        return ask(*reader_, *found, page_size);
    }

    test::temporary_directory folder_;
    std::filesystem::path file_ = folder_ / "state.db";
    test::state_file state_{file_, {{{"past_due", {true, 14}}}}};
    std::optional<state_reader> reader_;
};

TEST_F(answers, who_has_access_and_who_has_none)
{
    subscription(1, "active");
    subscription(2, "canceled");
    subscription(3, "active", {{"cancel_at_end_of_period", "1"}, {"delayed_cancel_at", in_days(-1)}});
    subscription(4, "active", {{"expires_at", in_days(5)}});
    subscription(5, "past_due");
    state_.timeline(5, "past_due", in_days(-1));
    subscription(6, "past_due");
    state_.timeline(6, "past_due", in_days(-30));
    subscription(7, "an invented one");
    subscription(8, "active", {{"deleted", "1"}});
    state_.object("subscriptions", {{"id", "9"}}); // of which no state was told
    access_filter with;
    with.has_access = true;
    EXPECT_THAT(access(with).only("subscription_id"), UnorderedElementsAre("1", "4", "5"));
    with.has_access = false;
    EXPECT_THAT(access(with).only("subscription_id"), UnorderedElementsAre("2", "3", "6", "7", "8", "9"));
    EXPECT_EQ(access({}).lines.size(), 9U);
    with.site = "another";
    EXPECT_THAT(access(with).lines, IsEmpty());
}

TEST_F(answers, whose_access_ends_soon)
{
    subscription(1, "active", {{"current_period_ends_at", in_days(2)}}); // renews
    subscription(2, "active", {{"expires_at", in_days(3)}});
    subscription(3, "active", {{"cancel_at_end_of_period", "1"}, {"delayed_cancel_at", in_days(2)}});
    subscription(4, "active", {{"expires_at", in_days(30)}});
    subscription(5, "active", {{"expires_at", in_days(-1)}});
    subscription(6, "past_due");
    state_.timeline(6, "past_due", in_days(-12));
    subscription(7, "past_due");
    state_.timeline(7, "past_due", in_days(-1));
    subscription(8, "canceled", {{"expires_at", in_days(2)}});
    access_filter with;
    with.until = format_utc(std::chrono::floor<std::chrono::seconds>(system_now()) + std::chrono::days(7));
    EXPECT_THAT(access(with).only("subscription_id"), ElementsAre("3", "2", "6"));
}

TEST_F(answers, a_customer_is_found_at_every_site_or_the_one_named)
{
    state_.site("beta");
    state_.object("customers", {{"id", "7"}, {"reference", "'user-42'"}});
    state_.object("customers", {{"id", "7"}, {"site", "'beta'"}, {"reference", "'user-42'"}});
    state_.object("customers", {{"id", "8"}, {"reference", "'only here'"}});
    subscription(1, "active", {{"customer_id", "7"}});
    subscription(1, "canceled", {{"customer_id", "7"}, {"site", "'beta'"}});
    access_filter with;
    with.customer_reference = "user-42";
    EXPECT_THAT(access(with).only("site"), ElementsAre("acme", "beta"));
    with.site = "beta";
    EXPECT_THAT(access(with).only("state"), ElementsAre("canceled"));

    const auto several = find_customer(*reader_, {"", {}, "user-42"});
    ASSERT_FALSE(several);
    EXPECT_EQ(several.error().code, errc::invalid);
    EXPECT_THAT(several.error().message, HasSubstr("beta"));
    EXPECT_EQ(find_customer(*reader_, {"beta", {}, "user-42"})->id, 7);
    EXPECT_EQ(find_customer(*reader_, {"", {}, "only here"})->site, "acme");
    EXPECT_EQ(find_customer(*reader_, {"", {}, "nobody"}).error().code, errc::not_found);
    EXPECT_EQ(find_subscription(*reader_, {"", 1, {}}).error().code, errc::invalid);
    EXPECT_EQ(find_subscription(*reader_, {"beta", 1, {}})->site, "beta");
    EXPECT_EQ(find_subscription(*reader_, {"", 99, {}}).error().code, errc::not_found);
}

TEST_F(answers, what_renews)
{
    const auto due = [](test::state_file::row more) {
        more.insert(more.begin(), {"next_assessment_at", "'2026-03-05T00:00:00Z'"});
        return more;
    };
    subscription(1, "active", due({}));
    subscription(2, "trialing", {{"next_assessment_at", "'2026-03-02T00:00:00Z'"}});
    subscription(3, "canceled", due({}));
    subscription(4, "active", due({{"cancel_at_end_of_period", "1"}}));
    subscription(5, "active", due({{"expires_at", "'2026-03-04T00:00:00Z'"}}));
    subscription(6, "active", due({{"deleted", "1"}}));
    subscription(7, "active", {{"next_assessment_at", "'2026-03-08T00:00:00Z'"}});
    subscription(8, "active", due({{"expires_at", "'2027-03-04T00:00:00Z'"}}));
    const list week = list_renewals({"", "2026-03-01T00:00:00Z", "2026-03-08T00:00:00Z"});
    EXPECT_THAT(ask(*reader_, week, 1).only("id"), ElementsAre("2", "1", "8"));
}

TEST_F(answers, who_is_past_due)
{
    state_.object("customers", {{"id", "7"}, {"reference", "'user-42'"}});
    subscription(1, "past_due",
                 {{"customer_id", "7"}, {"balance_in_cents", "6400"}, {"updated_at", in_days(0)}});
    subscription(2, "active");
    state_.timeline(1, "past_due", "'2026-03-01T10:00:00Z'");
    state_.object("dunning", {{"subscription_id", "1"}, {"step_day", "7"}, {"step_action", "'email'"}});
    const answer found = ask(*reader_, list_past_due(""), 1);
    EXPECT_THAT(found.only("id"), ElementsAre("1"));
    EXPECT_THAT(found.only("past_due_since"), ElementsAre("2026-03-01T10:00:00Z"));
    EXPECT_THAT(found.only("grace_ends_at"), ElementsAre("2026-03-15T10:00:00Z"));
    EXPECT_THAT(found.only("step_action"), ElementsAre("email"));
    EXPECT_THAT(found.only("balance_in_cents"), ElementsAre("6400"));
    EXPECT_THAT(found.only("customer_reference"), ElementsAre("user-42"));
}

TEST_F(answers, subscriptions_are_filtered)
{
    subscription(1, "active", {{"product_handle", "'pro'"}, {"updated_at", "'2026-03-01T00:00:00Z'"}});
    subscription(2, "canceled", {{"product_handle", "'pro'"}, {"updated_at", "'2026-03-03T00:00:00Z'"}});
    subscription(3, "active", {{"product_handle", "'basic'"}, {"updated_at", "'2026-03-02T00:00:00Z'"}});
    const auto ids = [this](const subscription_filter& with) {
        const auto found = list_subscriptions(*reader_, with);
        EXPECT_TRUE(found);
        return ask(*reader_, *found, 1).only("id");
    };
    subscription_filter f;
    f.product = "pro";
    EXPECT_THAT(ids(f), UnorderedElementsAre("1", "2"));
    f.state = "canceled";
    EXPECT_THAT(ids(f), ElementsAre("2"));
    f = {};
    f.updated_since = "2026-03-02T00:00:00Z";
    EXPECT_THAT(ids(f), ElementsAre("3", "2"));
    f.has_access = true;
    EXPECT_THAT(ids(f), ElementsAre("3"));
    f = {};
    f.state = "nowhere";
    f.has_access = true;
    EXPECT_THAT(ids(f), IsEmpty());
}

TEST_F(answers, changes_are_told_in_the_order_of_time)
{
    for (const int seq : {1, 2, 3, 4})
        state_.event(seq, "2026-03-0" + std::to_string(seq) + "T12:00:00Z");
    state_.change(4, "renewal", {{"subscription_id", "1"}, {"occurred_at", "'2026-03-01T10:00:00Z'"}});
    state_.change(2, "card_updated", {{"subscription_id", "1"}}); // when, Chargify does not say
    state_.change(3, "payment", {{"subscription_id", "1"}, {"occurred_at", "'2026-03-02T12:00:00Z'"}});
    state_.change(1, "state", {{"subscription_id", "2"}, {"occurred_at", "'2026-03-01T09:00:00Z'"}});
    for (const std::uint64_t size : {1U, 2U, 3U, 10U})
        EXPECT_THAT(changes({}, size).only("kind"),
                    ElementsAre("state", "renewal", "card_updated", "payment"));
    change_filter f;
    f.since = "2026-03-01T10:00:00Z";
    f.until = "2026-03-02T12:00:00Z";
    EXPECT_THAT(changes(f).only("kind"), ElementsAre("renewal"));
    f.until = "2026-03-03T00:00:00Z";
    f.kinds = {"card_updated", "payment"};
    EXPECT_THAT(changes(f).only("at"), ElementsAre("2026-03-02T12:00:00Z", "2026-03-02T12:00:00Z"));
    EXPECT_THAT(ask(*reader_, *newest_changes(*reader_, {}, 2)).only("kind"),
                ElementsAre("card_updated", "payment"));
    EXPECT_THAT(ask(*reader_, *follow_changes(*reader_, {}), 1).only("id"), ElementsAre("1", "2", "3", "4"));
    change_filter rare;
    rare.kinds = {"state"};
    EXPECT_THAT(ask(*reader_, *follow_changes(*reader_, rare), 1).only("id"), ElementsAre("4"));
}

TEST_F(answers, a_timeline_is_of_the_customer_and_all_subscriptions)
{
    state_.event(1, "2026-03-05T00:00:00Z");
    state_.object("customers", {{"id", "7"}, {"reference", "'user-42'"}});
    subscription(1, "active", {{"customer_id", "7"}, {"currency", "'USD'"}});
    subscription(2, "active", {{"customer_id", "8"}});
    const auto at = [](const char* day) {
        return std::pair<std::string, std::string>("occurred_at",
                                                   std::string("'2026-03-") + day + "T00:00:00Z'");
    };
    state_.change(1, "payment", {{"subscription_id", "1"}, {"amount_in_cents", "6400"}, at("02")});
    state_.change(1, "customer", {{"customer_id", "7"}, {"new_value", "'created'"}, at("01")});
    state_.change(1, "renewal", {{"subscription_id", "2"}, {"customer_id", "8"}, at("03")});
    state_.change(1, "state", {{"subscription_id", "2"}, {"customer_id", "7"}, at("04")}); // before it moved
    const answer found = ask(*reader_, list_changes_of({"acme", {}, 7}, {}), 1);
    EXPECT_THAT(found.only("text"), ElementsAre("customer 7 was created", "paid 64.00 USD for subscription 1",
                                                HasSubstr("subscription 2 went")));
    EXPECT_THAT(ask(*reader_, follow_changes_of({"acme", {}, 7}, {}), 1).only("id"),
                ElementsAre("1", "2", "4"));
    EXPECT_THAT(ask(*reader_, list_changes_of({"acme", 2, {}}, {}), 1).only("kind"),
                ElementsAre("renewal", "state"));
    EXPECT_EQ(find_subscription_subject(*reader_, {"", 99, {}}).error().code, errc::not_found);
}

TEST_F(answers, revenue_is_exact_and_apart_by_currency)
{
    subscription(1, "active", {{"currency", "'USD'"}});
    subscription(2, "active", {{"currency", "'EUR'"}});
    state_.event(1, "2026-03-01T12:00:00Z");
    const auto money = [this](const char* kind, int of, const std::string& cents, const std::string& at) {
        state_.change(
            1, kind,
            {{"subscription_id", std::to_string(of)}, {"amount_in_cents", cents}, {"occurred_at", at}});
    };
    const std::string day = "'2026-03-01T08:00:00Z'";
    money("payment", 1, "9007199254740993", day); // a double would lose the last cent
    money("payment", 1, "1", day);
    money("payment", 2, "500", day);
    money("refund", 1, "4", day);
    money("payment_failed", 1, "7", day);
    money("payment", 1, "1000000", "'2026-03-02T00:00:00Z'"); // the next day
    money("payment", 1, "30", "NULL");                        // known by its webhook
    const revenue_filter of_day{"", "2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z"};
    answer totals;
    ASSERT_TRUE(total_revenue(*reader_, of_day, names_into(totals), [&totals](std::span<const value> row) {
        totals.lines.push_back(line_of(row));
        return true;
    }));
    EXPECT_THAT(totals.lines, ElementsAre("acme|EUR|1|500|0|0|500|0|0|0|0",
                                          "acme|USD|3|9007199254741024|1|4|9007199254741020|1|7|0|0"));
    EXPECT_EQ(ask(*reader_, *list_revenue(*reader_, of_day), 2).lines.size(), 6U);
    money("payment", 1, "9223372036854775807", day);
    const auto too_much = total_revenue(
        *reader_, of_day, [](auto) {}, [](auto) { return true; });
    ASSERT_FALSE(too_much);
    EXPECT_EQ(too_much.error().code, errc::invalid);
}

TEST_F(answers, a_subscription_is_shown_with_what_belongs_to_it)
{
    state_.object("customers", {{"id", "7"}, {"reference", "'user-42'"}});
    state_.object("payment_profiles", {{"id", "31"}, {"customer_id", "7"}, {"last_four", "'4242'"}});
    subscription(1, "active", {{"customer_id", "7"}, {"payment_profile_id", "31"}});
    state_.object("components", {{"subscription_id", "1"}, {"component_id", "5"}, {"quantity", "'1.50'"}});
    for (int id = 1; id <= 12; ++id)
        state_.object("transactions", {{"id", std::to_string(id)}, {"subscription_id", "1"}});
    state_.object("custom_fields",
                  {{"resource_type", "'Subscription'"}, {"resource_id", "1"}, {"name", "'colour'"}});
    state_.object("custom_fields",
                  {{"resource_type", "'Customer'"}, {"resource_id", "1"}, {"name", "'other'"}});
    nlohmann::ordered_json shown;
    for (const section& s : sections_of_subscription({"acme", 1}))
        ASSERT_TRUE(read_json(*reader_, s, shown[s.name])) << s.name;
    EXPECT_EQ(shown["access"]["has_access"], true);
    EXPECT_EQ(shown["customer"]["reference"], "user-42");
    EXPECT_EQ(shown["payment_profile"]["last_four"], "4242");
    EXPECT_EQ(shown["components"][0]["quantity"], "1.50") << "a decimal is a string";
    EXPECT_EQ(shown["transactions"].size(), 10U);
    EXPECT_EQ(shown["transactions"][0]["id"], 12);
    EXPECT_EQ(shown["custom_fields"].size(), 1U);
    EXPECT_TRUE(shown["dunning"].is_null());
    EXPECT_EQ(shown["invoices"], nlohmann::ordered_json::array());
    nlohmann::ordered_json of_customer;
    for (const section& s : sections_of_customer({"acme", 7}))
        ASSERT_TRUE(read_json(*reader_, s, of_customer[s.name])) << s.name;
    EXPECT_EQ(of_customer["subscriptions"][0]["id"], 1);
    EXPECT_EQ(of_customer["payment_profiles"][0]["id"], 31);
}

TEST_F(answers, webhooks_are_found_by_the_time_of_their_arrival)
{
    for (const int seq : {1, 2, 5, 9})
        state_.event(seq, "2026-03-0" + std::to_string(seq) + "T12:00:00Z");
    const auto since = [this](const char* time) {
        event_filter f;
        f.from = *reader_->first_sequence_since(time);
        return ask(*reader_, list_events(f)).only("seq");
    };
    EXPECT_THAT(since("2020-01-01T00:00:00Z"), ElementsAre("1", "2", "5", "9"));
    EXPECT_THAT(since("2026-03-02T12:00:00Z"), ElementsAre("2", "5", "9"));
    EXPECT_THAT(since("2026-03-02T12:00:01Z"), ElementsAre("5", "9"));
    EXPECT_THAT(since("2026-03-07T00:00:00Z"), ElementsAre("9"));
    EXPECT_THAT(since("2030-01-01T00:00:00Z"), IsEmpty());
}

TEST_F(answers, a_query_beyond_its_time_is_ended)
{
    reader_->limit_time(std::chrono::milliseconds(0));
    const auto done = reader_->run(
        {"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n", {}}, {},
        [](auto) { return true; });
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, errc::unavailable);
}

} // namespace
} // namespace chargifyd::state
