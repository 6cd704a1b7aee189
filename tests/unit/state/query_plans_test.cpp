#include "asked.hpp"
#include "state_file.hpp"

#include "chargifyd/state/queries.hpp"
#include "chargifyd/state/queries_changes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

// A state holds millions of rows: every query must find its rows by an index, in the order in which it shows
// them. A state file has no statistics, so the plans of an empty one are those of a large one.

namespace chargifyd::state {
namespace {

/// What a query may do because of what it asks for.
enum class sort {
    never,
    few, ///< what belongs to one subscription or customer, or is an exception, may be sorted
};

struct node {
    std::int64_t id;
    std::int64_t parent;
    std::string detail;
};

bool begins(const std::string& text, const std::string& with)
{
    return text.rfind(with, 0) == 0;
}

class query_plans : public ::testing::Test {
protected:
    void SetUp() override
    {
        state_.object("subscriptions", {{"id", "1"}, {"state", "'an invented one'"}});
        reader_.emplace(std::move(*state_reader::open(file_)));
    }

    std::vector<node> plan_of(const query& q)
    {
        std::vector<node> plan;
        query explained = q;
        explained.sql = "EXPLAIN QUERY PLAN " + q.sql;
        explained.with_words = false;
        const auto done = reader_->run(explained, {}, [&plan](std::span<const value> row) {
            plan.push_back({std::get<std::int64_t>(row[0]), std::get<std::int64_t>(row[1]),
                            std::get<std::string>(row[3])});
            return true;
        });
        EXPECT_TRUE(done) << done.error().message << "\n" << q.sql;
        EXPECT_FALSE(plan.empty()) << q.sql;
        return plan;
    }

    static std::string text_of(const std::vector<node>& plan)
    {
        std::string text;
        for (const node& n : plan)
            text += "  " + n.detail + "\n";
        return text;
    }

    /// Made by the query itself, or a table with a row for each site or state.
    static bool is_small(const std::string& source)
    {
        return begins(source, "(subquery") || source == "u" || source == "sites" || source == "x";
    }

    /// A walk over all of a table in the order shown, which the page's limit ends; or over one of the indexes
    /// that hold exceptions only.
    static bool is_ordered_walk(const std::string& detail)
    {
        for (const char* const known :
             {"SCAN events", "SCAN s USING INDEX sqlite_autoindex_subscriptions_1",
              "SCAN customers USING INDEX sqlite_autoindex_customers_1",
              "SCAN events USING INDEX events_stale", "SCAN events USING INDEX events_test",
              "SCAN events USING INDEX events_unknown", "SCAN events USING INDEX events_dead"}) {
            if (detail == known)
                return true;
        }
        return false;
    }

    static void check_walk(const node& n, const std::string& all)
    {
        if (begins(n.detail, "SCAN ")) {
            EXPECT_TRUE(is_small(n.detail.substr(5)) || is_ordered_walk(n.detail)) << n.detail << "\n" << all;
        }
        EXPECT_EQ(n.detail.find("AUTOMATIC"), std::string::npos) << all;
        // The site alone is no narrowing, unless the walk is in the order of the site's numbers.
        const bool by_site = n.detail.ends_with("(site=?)") &&
                             n.detail.find("events_by_site") == std::string::npos &&
                             n.detail.find("sqlite_autoindex") == std::string::npos;
        EXPECT_FALSE(by_site) << all;
    }

    /// A sorter is fed by the loops beside it: only what is already cut to the size of the page may come.
    static void check_sort(const std::vector<node>& plan, const node& sorter, sort allowed)
    {
        if (allowed == sort::few)
            return;
        const auto outermost = std::ranges::find_if(plan, [&sorter](const node& n) {
            return n.parent == sorter.parent && (begins(n.detail, "SCAN ") || begins(n.detail, "SEARCH "));
        });
        ASSERT_NE(outermost, plan.end());
        EXPECT_TRUE(begins(outermost->detail, "SCAN ") && is_small(outermost->detail.substr(5)))
            << text_of(plan);
    }

    void check(const std::string& what, const query& q, sort allowed = sort::never)
    {
        SCOPED_TRACE(what);
        const auto plan = plan_of(q);
        for (const node& n : plan) {
            check_walk(n, text_of(plan));
            if (n.detail.find("TEMP B-TREE") != std::string::npos)
                check_sort(plan, n, allowed);
        }
    }

    void check(const std::string& what, const list& l, sort allowed = sort::never)
    {
        ASSERT_FALSE(l.walks.empty());
        for (const walk& w : l.walks) {
            check(what + " " + w.name, w.page({}, 10), allowed);
            const auto key = some_key(w);
            check(what + " " + w.name + ", later", w.page(key, 10), allowed);
        }
    }

    static std::vector<value> some_key(const walk& w)
    {
        std::vector<value> key;
        for (const std::string& column : w.key) {
            const bool number = column == "id" || column == "seq" || column == "subscription_id";
            key.push_back(number ? value(std::int64_t{1}) : value(std::string("2026-01-01T00:00:00Z")));
        }
        return key;
    }

    bool uses(const query& q, const std::string& walk)
    {
        const auto plan = plan_of(q);
        return std::ranges::any_of(plan,
                                   [&](const node& n) { return n.detail.find(walk) != std::string::npos; });
    }

    test::temporary_directory folder_;
    std::filesystem::path file_ = folder_ / "state.db";
    test::state_file state_{file_, {{{"past_due", {true, 14}}}}};
    std::optional<state_reader> reader_;
};

TEST_F(query_plans, subscriptions)
{
    for (const char* const site : {"", "acme"}) {
        for (const char* const state : {"", "active", "past_due", "canceled"}) {
            subscription_filter f;
            f.site = site;
            f.state = state;
            check("by state", *list_subscriptions(*reader_, f));
            f.product = "basic";
            check("by product", *list_subscriptions(*reader_, f));
            f.updated_since = "2026-01-01T00:00:00Z";
            check("by update", *list_subscriptions(*reader_, f));
            f.product.clear();
            f.updated_since.clear();
            f.has_access = true;
            check("with access", *list_subscriptions(*reader_, f));
            f.has_access = false;
            check("without access", *list_subscriptions(*reader_, f), sort::few);
            f.reference = "r";
            check("by reference", *list_subscriptions(*reader_, f));
            f.customer_reference = "r";
            check("of a customer", *list_subscriptions(*reader_, f), sort::few);
        }
    }
}

TEST_F(query_plans, access)
{
    for (const char* const site : {"", "acme"}) {
        access_filter f;
        f.site = site;
        check("all", *list_access(*reader_, f));
        f.has_access = true;
        check("with", *list_access(*reader_, f));
        f.has_access = false;
        check("without", *list_access(*reader_, f), sort::few);
        f = {};
        f.site = site;
        f.until = "2030-01-01T00:00:00Z";
        check("ending", *list_access(*reader_, f));
        f.customer_reference = "r";
        check("of a customer", *list_access(*reader_, f), sort::few);
    }
}

TEST_F(query_plans, an_end_is_found_where_it_is_also_on_later_pages)
{
    access_filter f;
    f.until = "2030-01-01T00:00:00Z";
    const list ending = *list_access(*reader_, f);
    const auto active = std::ranges::find(ending.walks, "active", &walk::name);
    ASSERT_NE(active, ending.walks.end());
    for (const query& q : {active->page({}, 10), active->page(some_key(*active), 10)})
        EXPECT_TRUE(uses(q, "subscriptions_by_end (state=? AND <expr>>? AND <expr><?)"));
}

TEST_F(query_plans, what_applications_ask)
{
    check("access by reference",
          {"SELECT * FROM subscription_access WHERE customer_reference = ?", {std::string("user-42")}});
    check("access by id", {"SELECT * FROM subscription_access WHERE site = ? AND subscription_id = ?",
                           {std::string("acme"), std::int64_t{1}}});
}

TEST_F(query_plans, renewals_and_dunning)
{
    for (const char* const site : {"", "acme"}) {
        check("renewals", list_renewals({site, "2026-01-01T00:00:00Z", "2026-01-08T00:00:00Z"}));
        check("past due", list_past_due(site));
    }
}

TEST_F(query_plans, customers)
{
    for (const char* const site : {"", "acme"}) {
        check("all", list_customers({site, "", ""}));
        check("by email", list_customers({site, "a@example.com", ""}));
        check("by update", list_customers({site, "", "2026-01-01T00:00:00Z"}));
    }
}

TEST_F(query_plans, one_object)
{
    check("subscription", show_subscription({"acme", 1}));
    check("customer", show_customer({"acme", 1}));
    for (const section& s : sections_of_subscription({"acme", 1}))
        check(s.name, s.rows);
    for (const section& s : sections_of_customer({"acme", 1}))
        check(s.name, s.rows, s.name == "subscriptions" ? sort::few : sort::never);
}

TEST_F(query_plans, events)
{
    for (const char* const outcome : {"", "applied", "unchanged", "stale", "test", "unknown", "dead"}) {
        for (const char* const event : {"", "payment_success"}) {
            for (const char* const site : {"", "acme"}) {
                event_filter f;
                f.outcome = outcome;
                f.event = event;
                f.site = site;
                check("events", list_events(f));
                check("newest events", newest_events(f, 10));
                f.from = 2;
                f.to = 3;
                check("events of a time", list_events(f));
                check("newest events of a time", newest_events(f, 10));
                f.subscription_id = 1;
                check("events of a subscription", list_events(f));
            }
        }
    }
    check("dead letters", {"SELECT count(*) FROM events WHERE outcome = 'dead'", {}});
    check("dead letters", {"SELECT seq FROM events WHERE outcome = 'dead' ORDER BY seq", {}});
    EXPECT_TRUE(uses({"SELECT count(*) FROM events WHERE outcome = 'dead'", {}}, "events_dead"));
}

TEST_F(query_plans, the_summary_counts_along_indexes)
{
    // The number of subscriptions is counted, which is no bounded walk; along the smallest index there is.
    for (const char* const walk : {"events USING INDEX events_dead", "events USING INDEX events_unknown",
                                   "subscriptions USING COVERING INDEX"})
        EXPECT_TRUE(uses(summary_by_site(), walk)) << text_of(plan_of(summary_by_site()));
}

TEST_F(query_plans, changes)
{
    for (const change_filter& f :
         {change_filter{}, change_filter{"", {"payment"}, "", ""},
          change_filter{"acme", {"payment", "refund"}, "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"},
          change_filter{"", {}, "2026-01-01T00:00:00Z", ""},
          change_filter{"", {}, "", "2026-01-01T00:00:00Z"}}) {
        check("changes", *list_changes(*reader_, f));
        check("newest changes", *newest_changes(*reader_, f, 10));
        check("followed changes", *follow_changes(*reader_, f));
        for (const change_subject& subject : {change_subject{"acme", 1, {}}, change_subject{"acme", {}, 1}}) {
            check("of a subject", list_changes_of(subject, f), sort::few);
            check("of a subject, followed", follow_changes_of(subject, f), sort::few);
        }
    }
}

TEST_F(query_plans, a_poor_plan_is_noticed)
{
    const auto poor = [this](const std::string& sql) {
        const auto plan = plan_of({sql, {}});
        return std::ranges::any_of(plan, [](const node& n) {
            return n.detail.find("TEMP B-TREE") != std::string::npos ||
                   (begins(n.detail, "SCAN ") && !is_small(n.detail.substr(5)) && !is_ordered_walk(n.detail));
        });
    };
    EXPECT_TRUE(poor("SELECT * FROM changes WHERE old_value = 'x'"));
    EXPECT_TRUE(
        poor("SELECT * FROM subscriptions WHERE state = 'active' ORDER BY balance_in_cents LIMIT 10"));
}

} // namespace
} // namespace chargifyd::state
