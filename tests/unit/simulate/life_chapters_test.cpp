#include "told_life.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace chargifyd::simulate {
namespace {

TEST(life_chapters, ends_in_different_ways)
{
    const auto last_state = [](std::uint64_t seed) {
        std::string state;
        for (const received& r : life_of_seed(seed))
            if (is_full(r))
                state = r.e.tree.text(r.e.subscription, "state").value_or("");
        return state;
    };
    for (const std::uint64_t seed : {0U, 1U, 2U, 4U, 5U, 8U, 9U})
        EXPECT_EQ(last_state(seed), "active") << seed;
    EXPECT_EQ(last_state(3), "canceled");
    EXPECT_EQ(last_state(6), "expired");
    EXPECT_EQ(last_state(7), "canceled");
    EXPECT_THAT(missing_in(events_of(7), {"subscription_deletion", "customer_delete"}), testing::IsEmpty());
    EXPECT_THAT(missing_in(events_of(3), {"dunning_step_reached", "subscription_state_change",
                                          "dunning_step_reached", "subscription_state_change"}),
                testing::IsEmpty());
}

TEST(life_chapters, may_be_handed_to_another_customer)
{
    std::vector<std::int64_t> owners;
    std::int64_t named_before = 0;
    for (const received& r : life_of_seed(4)) {
        if (r.sent.event == "subscription_customer_change")
            named_before =
                r.e.tree.integer(r.e.tree.branch(r.e.payload, "previous_customer"), "id").value_or(0);
        if (is_full(r) && (owners.empty() || owners.back() != r.e.customer_id))
            owners.push_back(r.e.customer_id.value_or(0));
    }
    EXPECT_EQ(owners, (std::vector<std::int64_t>{70'000'004, 570'000'004}));
    EXPECT_EQ(named_before, 70'000'004);
}

TEST(life_chapters, a_refused_signup_is_a_subscription_of_its_own)
{
    std::size_t found = 0;
    for (std::uint64_t seed = 0; seed < 8; ++seed)
        for (const received& r : life_of_seed(seed)) {
            if (r.sent.event != "signup_failure")
                continue;
            ++found;
            EXPECT_NE(r.e.subscription_id, static_cast<std::int64_t>(60'000'000 + seed));
            EXPECT_EQ(r.e.tree.text(r.e.subscription, "state"), "failed_to_create");
        }
    EXPECT_EQ(found, 2U);
}

TEST(life_chapters, a_hold_ends_and_a_booked_plan_begins_at_a_renewal)
{
    bool held = false;
    bool changed = false;
    for (std::uint64_t seed = 0; seed < 8; ++seed) {
        std::string booked;
        for (const received& r : life_of_seed(seed)) {
            const auto next = r.e.tree.text(r.e.subscription, "next_product_id");
            if (r.e.tree.text(r.e.subscription, "on_hold_at")) {
                held = true;
                EXPECT_EQ(r.e.tree.text(r.e.subscription, "state"), "on_hold");
            }
            if (next)
                booked = *next;
            if (r.sent.event == "subscription_product_change" && !booked.empty()) {
                changed = true;
                EXPECT_EQ(std::to_string(r.e.product_id.value_or(0)), booked);
                EXPECT_FALSE(next);
                booked.clear();
            }
        }
    }
    EXPECT_TRUE(held);
    EXPECT_TRUE(changed);
}

TEST(life_chapters, refunds_are_of_payments_that_were_made)
{
    std::size_t refunds = 0;
    for (std::uint64_t seed = 0; seed < 8; ++seed) {
        std::set<std::int64_t> paid;
        for (const received& r : life_of_seed(seed)) {
            if (r.sent.event == "payment_success")
                paid.insert(r.e.tree.integer(r.e.tree.branch(r.e.payload, "transaction"), "id").value_or(0));
            if (r.sent.event.starts_with("refund_")) {
                ++refunds;
                EXPECT_TRUE(paid.contains(r.e.tree.integer(r.e.payload, "payment_id").value_or(0))) << seed;
            }
        }
    }
    EXPECT_EQ(refunds, 4U);
}

} // namespace
} // namespace chargifyd::simulate
