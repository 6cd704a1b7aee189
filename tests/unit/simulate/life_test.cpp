#include "told_life.hpp"

#include "chargifyd/chargify/events.hpp"
#include "chargifyd/chargify/states.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace chargifyd::simulate {
namespace {

using std::chrono::sys_seconds;
using testing::ElementsAreArray;

const std::vector<std::string> after_signup{"component_allocation_change",
                                            "customer_update",
                                            "upcoming_renewal_notice",
                                            "renewal_success",
                                            "payment_success",
                                            "statement_settled",
                                            "upcoming_renewal_notice",
                                            "renewal_success",
                                            "payment_success",
                                            "statement_settled",
                                            "payment_failure",
                                            "renewal_failure",
                                            "subscription_state_change",
                                            "statement_closed",
                                            "payment_failure",
                                            "dunning_step_reached",
                                            "subscription_card_update",
                                            "subscription_state_change",
                                            "payment_success",
                                            "statement_settled",
                                            "upgrade_downgrade_success",
                                            "subscription_product_change",
                                            "payment_success",
                                            "pending_cancellation_change",
                                            "subscription_state_change",
                                            "subscription_state_change",
                                            "payment_success",
                                            "statement_settled"};

TEST(life, starts_active_with_an_odd_seed)
{
    std::vector<std::string> expected{"customer_create", "signup_success", "payment_success",
                                      "subscription_state_change"};
    const auto told = events_of(1);
    EXPECT_TRUE(std::equal(expected.begin(), expected.end(), told.begin()));
    expected.insert(expected.end(), after_signup.begin(), after_signup.end());
    EXPECT_THAT(missing_in(told, expected), testing::IsEmpty());
}

TEST(life, starts_with_a_trial_with_an_even_seed)
{
    std::vector<std::string> expected{
        "customer_create",           "signup_success",  "subscription_state_change", "trial_end_notice",
        "subscription_state_change", "renewal_success", "payment_success",           "statement_settled"};
    const auto told = events_of(2);
    EXPECT_TRUE(std::equal(expected.begin(), expected.end(), told.begin()));
    expected.insert(expected.end(), after_signup.begin(), after_signup.end());
    EXPECT_THAT(missing_in(told, expected), testing::IsEmpty());
}

TEST(life, every_seed_tells_the_whole_story)
{
    for (std::uint64_t seed = 0; seed < 16; ++seed) {
        std::vector<std::string> expected = after_signup;
        if (seed % 8 == 7) // purged: nobody comes back
            expected.resize(expected.size() - 3);
        EXPECT_THAT(missing_in(events_of(seed), expected), testing::IsEmpty()) << seed;
    }
}

TEST(life, is_the_same_for_the_same_seed_and_another_for_another)
{
    const auto bodies = [](std::uint64_t seed) {
        std::vector<std::string> all;
        for (const received& r : life_of_seed(seed))
            all.push_back(r.sent.body);
        return all;
    };
    EXPECT_EQ(bodies(7), bodies(7));
    EXPECT_NE(bodies(7), bodies(9));
}

TEST(life, every_webhook_is_written_and_numbered_as_chargify_does)
{
    for (const std::uint64_t seed : {1U, 2U, 3U, 999'999U}) {
        std::int64_t last_webhook = 0;
        std::int64_t last_event = 0;
        for (const received& r : life_of_seed(seed)) {
            const std::string id = std::to_string(r.sent.id);
            EXPECT_TRUE(r.sent.body.starts_with("id=" + id + "&event=" + r.sent.event + "&payload["))
                << r.sent.event;
            const std::string event_id = std::to_string(r.e.event_id.value_or(0));
            EXPECT_TRUE(r.sent.body.ends_with("&payload[event_id]=" + event_id)) << r.sent.event;
            EXPECT_EQ(r.sent.body.find("%5B"), std::string::npos);
            EXPECT_EQ(r.sent.body.find_first_of("+ \n\"<>"), std::string::npos);
            EXPECT_NE(chargify::find_event(r.e.event), nullptr) << r.sent.event;
            EXPECT_EQ(r.e.webhook_id, r.sent.id);
            EXPECT_EQ(r.e.subdomain, "acme");
            EXPECT_FALSE(r.e.test);
            EXPECT_TRUE(last_webhook == 0 || r.sent.id == last_webhook + 1);
            EXPECT_GT(r.e.event_id.value_or(0), last_event);
            last_webhook = r.sent.id;
            last_event = r.e.event_id.value_or(0);
        }
    }
}

TEST(life, speaks_of_one_subscription_of_one_customer)
{
    std::size_t of_both = 0;
    for (const received& r : life_of_seed(2)) {
        EXPECT_EQ(r.e.subscription_id.value_or(60'000'002), 60'000'002) << r.sent.event;
        EXPECT_EQ(r.e.customer_id.value_or(70'000'002), 70'000'002) << r.sent.event;
        of_both += r.e.subscription_id && r.e.customer_id ? 1 : 0;
    }
    EXPECT_GT(of_both, 25U);
}

TEST(life, takes_the_ids_time_and_site_it_is_given)
{
    life_options with;
    with.site = "general-goods";
    with.subscription_id = 11;
    with.customer_id = 22;
    with.first_webhook_id = 33;
    with.starts_at = std::chrono::sys_days(std::chrono::year(2024) / 1 / 31) + std::chrono::hours(12);
    const auto all = life_of(with);
    EXPECT_EQ(all.front().sent.id, 33);
    EXPECT_EQ(all.back().sent.id, 33 + static_cast<std::int64_t>(all.size()) - 1);
    EXPECT_EQ(all[1].e.subscription_id, 11);
    EXPECT_EQ(all[1].e.customer_id, 22);
    EXPECT_EQ(all[1].e.subdomain, "general-goods");
    EXPECT_EQ(time_in(all[0], all[0].e.customer, "created_at"), with.starts_at);
    EXPECT_EQ(time_in(all[1], all[1].e.subscription, "current_period_ends_at"),
              std::chrono::sys_days(std::chrono::year(2024) / 2 / 29) + std::chrono::hours(12) +
                  std::chrono::seconds(1));
}

TEST(life, time_moves_forward_and_stands_still_within_an_action)
{
    for (const std::uint64_t seed : {1U, 2U}) {
        sys_seconds last{};
        std::map<sys_seconds, int> in_one_second;
        for (const received& r : life_of_seed(seed)) {
            if (!is_full(r))
                continue;
            const auto updated = time_in(r, r.e.subscription, "updated_at");
            ASSERT_TRUE(updated) << r.sent.event;
            EXPECT_GE(*updated, last) << r.sent.event;
            last = *updated;
            ++in_one_second[last];
        }
        EXPECT_GE(in_one_second.size(), 10U);
        EXPECT_GE(std::ranges::count_if(in_one_second, [](const auto& second) { return second.second > 1; }),
                  5);
    }
}

TEST(life, goes_through_states_that_follow_from_one_another)
{
    std::vector<std::string> states;
    std::string last;
    for (const received& r : life_of_seed(2)) {
        if (r.e.subscription == form::none || r.sent.event == "component_allocation_change")
            continue;
        const std::string state(r.e.tree.text(r.e.subscription, "state").value_or(""));
        ASSERT_NE(chargify::find_state(state), nullptr) << r.sent.event;
        if (state == last)
            continue;
        states.push_back(state);
        if (is_full(r)) {
            const std::string before(r.e.tree.text(r.e.subscription, "previous_state").value_or(""));
            EXPECT_EQ(before, last.empty() ? "inactive" : last) << r.sent.event;
        }
        last = state;
    }
    EXPECT_THAT(states, ElementsAreArray({"trialing", "active", "past_due", "active", "canceled", "active"}));
}

TEST(life, recovery_begins_with_a_snapshot_from_the_middle_of_it)
{
    const auto all = life_of_seed(1);
    const auto card =
        std::ranges::find(all, "subscription_card_update", [](const received& r) { return r.sent.event; });
    ASSERT_NE(card, all.end());
    const received& change = *(card + 1);
    const received& payment = *(card + 2);
    ASSERT_EQ(change.sent.event, "subscription_state_change");
    ASSERT_EQ(payment.sent.event, "payment_success");
    const auto time = [](const received& r, std::string_view key) {
        return time_in(r, r.e.subscription, key);
    };
    EXPECT_EQ(time(change, "updated_at"), time(payment, "updated_at"));
    EXPECT_LT(change.e.event_id, payment.e.event_id);
    EXPECT_EQ(change.e.tree.text(change.e.subscription, "state"), "active");
    EXPECT_LT(time(change, "next_assessment_at"), time(change, "current_period_ends_at"));
    EXPECT_EQ(time(payment, "next_assessment_at"), time(payment, "current_period_ends_at"));
}

TEST(life, full_payloads_hold_what_real_ones_hold)
{
    std::size_t full = 0;
    for (const received& r : life_of_seed(2)) {
        if (!is_full(r))
            continue;
        ++full;
        const form& tree = r.e.tree;
        const auto card = tree.branch(r.e.subscription, "credit_card");
        EXPECT_TRUE(tree.text(card, "vault_token").value_or("").starts_with("tok_"));
        EXPECT_TRUE(tree.text(card, "customer_vault_token").value_or("").starts_with("cus_"));
        EXPECT_TRUE(tree.text(card, "masked_card_number").value_or("").starts_with("XXXX-XXXX-XXXX-"));
        EXPECT_TRUE(tree.text(r.e.customer, "email").value_or("").ends_with("@example.com"));
        EXPECT_NE(tree.branch(r.e.product, "product_family"), form::none);
        EXPECT_NE(tree.to_json(r.e.product).find(R"("public_signup_pages":[{"id":)"), std::string::npos);
        std::size_t scalars = 0;
        for (auto i = tree.at(r.e.subscription).first_child; i != form::none; i = tree.at(i).next_sibling)
            scalars += tree.at(i).is_branch ? 0 : 1;
        EXPECT_GE(scalars, 51U);
        EXPECT_GE(r.sent.body.size(), 7000U) << r.sent.event;
        EXPECT_LE(r.sent.body.size(), 11000U) << r.sent.event;
    }
    EXPECT_GT(full, 20U);
}

TEST(life, the_other_payloads_are_as_short_as_real_ones)
{
    std::map<std::string, received> by_event;
    for (received& r : life_of_seed(1))
        by_event.insert_or_assign(r.sent.event, std::move(r));
    for (const char* event : {"statement_closed", "statement_settled", "upcoming_renewal_notice",
                              "component_allocation_change", "subscription_card_update"}) {
        const received& r = by_event.at(event);
        EXPECT_FALSE(r.e.tree.value(r.e.subscription, "updated_at")) << event;
        EXPECT_TRUE(r.e.subscription_id) << event;
    }
    const received& settled = by_event.at("statement_settled");
    const form::index statement = settled.e.tree.branch(settled.e.payload, "statement");
    EXPECT_EQ(settled.e.tree.to_json(settled.e.tree.branch(statement, "transactions")).front(), '[');
    EXPECT_EQ(settled.e.tree.to_json(settled.e.tree.branch(statement, "events")).front(), '[');
    const received& allocation = by_event.at("component_allocation_change");
    EXPECT_EQ(allocation.e.tree.integer(allocation.e.payload, "new_allocation"), 3);
    EXPECT_EQ(allocation.e.tree.integer(allocation.e.payload, "previous_allocation"), 0);
    EXPECT_TRUE(allocation.e.occurred_at);
    const received& update = by_event.at("customer_update");
    EXPECT_EQ(update.e.subscription, form::none);
    EXPECT_EQ(update.e.tree.text(update.e.customer, "city"), "New Pleasantville");
    const received& change = by_event.at("subscription_product_change");
    EXPECT_NE(change.e.tree.integer(change.e.tree.branch(change.e.payload, "previous_product"), "id"),
              change.e.product_id);
}

TEST(life, money_adds_up)
{
    for (const std::uint64_t seed : {1U, 2U}) {
        std::int64_t paid = 0;
        for (const received& r : life_of_seed(seed)) {
            const form& tree = r.e.tree;
            if (r.sent.event != "payment_success")
                continue;
            paid += tree.integer(tree.branch(r.e.payload, "transaction"), "amount_in_cents").value_or(0);
            EXPECT_EQ(tree.integer(r.e.subscription, "total_revenue_in_cents"), paid);
            EXPECT_EQ(tree.integer(r.e.subscription, "balance_in_cents"), 0);
        }
        EXPECT_GT(paid, 0);
    }
}

TEST(life, a_closed_statement_is_settled_later_under_its_number)
{
    std::map<std::string, std::set<std::int64_t>> numbers;
    for (const received& r : life_of_seed(1))
        if (const auto statement = r.e.tree.branch(r.e.payload, "statement"); statement != form::none)
            numbers[r.sent.event].insert(r.e.tree.integer(statement, "id").value_or(0));
    ASSERT_EQ(numbers["statement_closed"].size(), 1U);
    EXPECT_TRUE(numbers["statement_settled"].contains(*numbers["statement_closed"].begin()));
    EXPECT_EQ(numbers["statement_settled"].size(), 4U);
}

TEST(life, cancellation_is_scheduled_takes_effect_and_is_taken_back)
{
    const auto all = life_of_seed(1);
    const auto pending =
        std::ranges::find(all, "pending_cancellation_change", [](const received& r) { return r.sent.event; });
    ASSERT_NE(pending, all.end());
    const auto text = [](const received& r, std::string_view key) {
        return r.e.tree.text(r.e.subscription, key);
    };
    EXPECT_EQ(text(*pending, "cancel_at_end_of_period"), "true");
    EXPECT_EQ(text(*pending, "delayed_cancel_at"), text(*pending, "current_period_ends_at"));
    EXPECT_EQ(text(*(pending + 1), "state"), "canceled");
    EXPECT_TRUE(text(*(pending + 1), "canceled_at"));
    EXPECT_FALSE(text(*(pending + 1), "next_assessment_at"));
    EXPECT_EQ(text(*(pending + 2), "state"), "active");
    EXPECT_EQ(text(*(pending + 2), "previous_state"), "canceled");
    EXPECT_FALSE(text(*(pending + 2), "canceled_at"));
    EXPECT_FALSE(text(*(pending + 2), "cancellation_method"));
}

TEST(life, seeds_share_no_ids)
{
    std::set<std::int64_t> webhooks, subscriptions, customers, events, transactions, cards;
    std::size_t sent = 0;
    std::size_t paid = 0;
    const std::vector<std::uint64_t> seeds{0, 1, 2, 3, 10, 11, 999'998, 999'999};
    for (const std::uint64_t seed : seeds) {
        std::set<std::int64_t> transactions_here;
        std::set<std::int64_t> cards_here;
        for (const received& r : life_of_seed(seed)) {
            ++sent;
            webhooks.insert(r.sent.id);
            events.insert(r.e.event_id.value_or(0));
            subscriptions.insert(r.e.subscription_id.value_or(0));
            customers.insert(r.e.customer_id.value_or(0));
            const form& tree = r.e.tree;
            if (const auto id = tree.integer(tree.branch(r.e.payload, "transaction"), "id"))
                transactions_here.insert(*id);
            if (const auto id = tree.integer(tree.branch(r.e.subscription, "credit_card"), "id"))
                cards_here.insert(*id);
        }
        paid += transactions_here.size();
        transactions.merge(transactions_here);
        cards.merge(cards_here);
    }
    EXPECT_EQ(webhooks.size(), sent);
    EXPECT_EQ(events.size(), sent);
    EXPECT_EQ(transactions.size(), paid);
    EXPECT_EQ(cards.size(), 2 * seeds.size());
    EXPECT_EQ(subscriptions.size(), seeds.size() + 2); // none, and a refused signup's
    EXPECT_EQ(customers.size(), seeds.size() + 1);
    EXPECT_LT(*webhooks.rbegin(), load_webhook("acme", 0, 1).id);
}

} // namespace
} // namespace chargifyd::simulate
