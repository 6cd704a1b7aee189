#include "run_ctl.hpp"
#include "state_file.hpp"
#include "temporary_directory.hpp"

#include "chargifyd/base/time.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

// The commands that answer questions about customers, against a state file that the tests write.

namespace chargifyd::ctl {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

std::string in_days(int days)
{
    return "'" +
           format_utc(std::chrono::floor<std::chrono::seconds>(system_now()) + std::chrono::days(days)) + "'";
}

class questions : public testing::Test {
protected:
    void SetUp() override
    {
        state.object("customers", {{"id", "7"}, {"reference", "'user-42'"}, {"email", "'a@example.com'"}});
        state.object("subscriptions", {{"id", "100"},
                                       {"state", "'active'"},
                                       {"customer_id", "7"},
                                       {"product_handle", "'pro'"},
                                       {"currency", "'USD'"},
                                       {"next_assessment_at", in_days(2)},
                                       {"updated_at", in_days(-1)}});
        state.object("subscriptions", {{"id", "101"},
                                       {"state", "'past_due'"},
                                       {"customer_id", "7"},
                                       {"next_assessment_at", in_days(20)},
                                       {"updated_at", in_days(-9)}});
        state.object("subscriptions", {{"id", "102"}, {"state", "'canceled'"}, {"customer_id", "7"}});
        state.object("components",
                     {{"subscription_id", "100"}, {"component_id", "5"}, {"quantity", "'1.50'"}});
        state.event(1, "2026-03-01T09:00:00Z");
        state.event(2, "2026-03-02T09:00:00Z", {{"event", "'renewal_success'"}});
        state.change(1, "payment",
                     {{"subscription_id", "100"},
                      {"amount_in_cents", "6400"},
                      {"occurred_at", "'2026-03-01T10:00:00Z'"}});
        state.change(2, "renewal",
                     {{"subscription_id", "100"},
                      {"new_value", "'2026-04-01T10:00:00Z'"},
                      {"occurred_at", "'2026-03-02T10:00:00Z'"}});
    }

    outcome run(std::vector<std::string> arguments, bool terminal = false)
    {
        arguments.insert(arguments.begin(), {"--state-directory", directory.path().string()});
        return run_ctl(arguments, terminal);
    }

    json ask(const std::vector<std::string>& arguments)
    {
        const outcome o = run(arguments);
        EXPECT_EQ(o.status, 0) << o.err;
        return json::parse(o.out, nullptr, false);
    }

    std::vector<std::int64_t> numbers(const std::vector<std::string>& arguments, const char* column)
    {
        std::vector<std::int64_t> all;
        for (const json& row : ask(arguments))
            all.push_back(row.at(column));
        return all;
    }

    test::temporary_directory directory;
    test::state_file state{directory / "state.db"};
};

TEST_F(questions, access)
{
    EXPECT_THAT(numbers({"access"}, "subscription_id"), UnorderedElementsAre(100, 101));
    EXPECT_THAT(numbers({"access", "--no"}, "subscription_id"), ElementsAre(102));
    EXPECT_THAT(numbers({"access", "--customer", "user-42"}, "subscription_id"), ElementsAre(100, 101, 102));
    EXPECT_EQ(run({"access", "--no", "--until", "7d"}).status, 2);
    EXPECT_EQ(run({"access", "--until", "soon"}).status, 2);
}

TEST_F(questions, timeline_in_words)
{
    const outcome told = run({"timeline", "user-42"}, true);
    EXPECT_EQ(told.out, "2026-03-01 10:00  paid 64.00 USD for subscription 100\n"
                        "2026-03-02 10:00  subscription 100 renewed until 2026-04-01\n");
    const json rows = ask({"timeline", "--subscription", "100", "--kind", "payment"});
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(rows[0]["text"], "paid 64.00 USD for subscription 100");
    EXPECT_EQ(rows[0]["amount_in_cents"], 6400);
    EXPECT_EQ(ask({"timeline", "--customer-id", "7"}).size(), 2U);
    EXPECT_EQ(run({"timeline", "nobody"}).status, 3);
    EXPECT_EQ(run({"timeline"}).status, 2);
    const outcome kind = run({"timeline", "user-42", "--kind", "paymnet"});
    EXPECT_EQ(kind.status, 2);
    EXPECT_THAT(kind.err, HasSubstr("payment_failed"));
}

TEST_F(questions, changes)
{
    EXPECT_THAT(numbers({"changes"}, "id"), ElementsAre(1, 2));
    EXPECT_THAT(numbers({"changes", "--after", "1"}, "id"), ElementsAre(2));
    EXPECT_THAT(numbers({"changes", "--kind", "payment"}, "id"), ElementsAre(1));
    EXPECT_THAT(numbers({"changes", "--since", "2026-03-02"}, "id"), ElementsAre(2));
    EXPECT_THAT(numbers({"changes", "--until", "2026-03-02"}, "id"), ElementsAre(1));
    EXPECT_THAT(numbers({"changes", "--customer", "user-42"}, "id"), ElementsAre(1, 2));
    EXPECT_EQ(run({"changes", "--after", "1", "--since", "2h"}).status, 2);
}

TEST_F(questions, renewals_and_past_due)
{
    EXPECT_THAT(numbers({"renewals"}, "id"), ElementsAre(100));
    EXPECT_THAT(numbers({"renewals", "--within", "30d"}, "id"), ElementsAre(100, 101));
    EXPECT_EQ(run({"renewals", "--within", "a week"}).status, 2);
    EXPECT_THAT(numbers({"past-due"}, "id"), ElementsAre(101));
}

TEST_F(questions, revenue)
{
    const json day = ask({"revenue", "--day", "2026-03-01"});
    EXPECT_EQ(day["events"].size(), 1U);
    EXPECT_EQ(day["totals"][0]["currency"], "USD");
    EXPECT_EQ(day["totals"][0]["payments_in_cents"], 6400);
    EXPECT_EQ(ask({"revenue", "--day", "2026-03-02"})["totals"], json::array());
    EXPECT_EQ(ask({"revenue", "--since", "2026-03-01", "--totals"}).size(), 1U);
    EXPECT_EQ(run({"revenue", "--day", "today"}).status, 2);
}

TEST_F(questions, lists_are_filtered_and_read_in_pages)
{
    EXPECT_THAT(numbers({"subscriptions", "--product", "pro"}, "id"), ElementsAre(100));
    EXPECT_THAT(numbers({"subscriptions", "--has-access", "no"}, "id"), ElementsAre(102));
    EXPECT_THAT(numbers({"subscriptions", "--updated-since", "2d"}, "id"), ElementsAre(100));
    EXPECT_THAT(numbers({"customers", "--email", "a@example.com"}, "id"), ElementsAre(7));
    const outcome first = run({"subscriptions", "--limit", "2"});
    EXPECT_EQ(json::parse(first.out).size(), 2U);
    EXPECT_THAT(first.err, HasSubstr("--after 'acme/101'"));
    EXPECT_THAT(numbers({"subscriptions", "--after", "acme/101"}, "id"), ElementsAre(102));
    EXPECT_EQ(run({"subscriptions", "--after", "nonsense"}).status, 2);
}

TEST_F(questions, one_subscription_with_what_belongs_to_it)
{
    const json one = ask({"subscriptions", "100"});
    EXPECT_EQ(one["state"], "active");
    EXPECT_EQ(one["components"][0]["quantity"], "1.50");
    EXPECT_EQ(one["customer"]["reference"], "user-42");
    EXPECT_TRUE(one["dunning"].is_null());
    EXPECT_THAT(run({"subscriptions", "100"}, true).out, HasSubstr("\ncomponents\n"));
    EXPECT_EQ(ask({"customers", "user-42"})["subscriptions"].size(), 3U);
    EXPECT_EQ(ask({"customers", "7"})["reference"], "user-42");
}

TEST_F(questions, an_id_of_several_sites_needs_the_site)
{
    state.site("beta");
    state.object("subscriptions", {{"id", "100"}, {"site", "'beta'"}, {"state", "'canceled'"}});
    const outcome several = run({"subscriptions", "100"});
    EXPECT_EQ(several.status, 2);
    EXPECT_THAT(several.err, HasSubstr("beta"));
    EXPECT_EQ(ask({"subscriptions", "100", "--site", "beta"})["state"], "canceled");
}

TEST_F(questions, events_of_a_time)
{
    EXPECT_THAT(numbers({"events", "--since", "2026-03-02"}, "seq"), ElementsAre(2));
    EXPECT_THAT(numbers({"events", "--until", "2026-03-02"}, "seq"), ElementsAre(1));
    EXPECT_THAT(numbers({"events", "--after", "1"}, "seq"), ElementsAre(2));
    EXPECT_THAT(numbers({"events", "--event", "renewal_success"}, "seq"), ElementsAre(2));
}

} // namespace
} // namespace chargifyd::ctl
