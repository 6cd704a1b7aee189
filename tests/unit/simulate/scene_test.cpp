#include "wire.hpp"

#include "chargifyd/chargify/events.hpp"
#include "chargifyd/chargify/states.hpp"
#include "chargifyd/simulate/event.hpp"

#include <gtest/gtest.h>

#include <set>

namespace chargifyd::simulate {
namespace {

using namespace std::chrono;

scene some_scene(std::string_view key, std::uint64_t seed = 1)
{
    scene_options with;
    with.seed = seed;
    return invented_scene(key, with);
}

TEST(scene, takes_what_it_is_given)
{
    scene_options with;
    with.site = "general-goods";
    with.at = sys_days(2026y / 7 / 4) + 12h;
    with.webhook_id = 11;
    with.event_id = 22;
    with.subscription_id = 33;
    with.customer_id = 44;
    with.state = "on_hold";
    const webhook sent = event_webhook("renewal_success", invented_scene("renewal_success", with));
    const chargify::envelope e = read(sent);
    EXPECT_EQ(sent.id, 11);
    EXPECT_EQ(sent.at, with.at);
    EXPECT_EQ(e.event_id, 22);
    EXPECT_EQ(e.subscription_id, 33);
    EXPECT_EQ(e.customer_id, 44);
    EXPECT_EQ(e.subdomain, "general-goods");
    EXPECT_EQ(e.occurred_at, with.at);
    EXPECT_EQ(e.tree.text(e.subscription, "state"), "on_hold");
    EXPECT_EQ(e.tree.text(e.subscription, "on_hold_at"), "2026-07-04 08:00:00 -0400");
}

TEST(scene, fits_its_event)
{
    const scene failed = some_scene("payment_failure");
    EXPECT_EQ(failed.subject.state, "past_due");
    EXPECT_FALSE(failed.payment.success);
    EXPECT_GT(failed.subject.balance_in_cents, 0);
    EXPECT_FALSE(failed.bill.settled_at);
    EXPECT_EQ(some_scene("trial_end_notice").subject.state, "trialing");
    EXPECT_TRUE(some_scene("trial_end_notice").subject.trial_ended_at);
    EXPECT_EQ(some_scene("signup_failure").subject.state, "failed_to_create");
    EXPECT_EQ(some_scene("signup_success").subject.previous_state, "inactive");
    EXPECT_EQ(some_scene("signup_success").subject.created_at, some_scene("signup_success").at);
    EXPECT_TRUE(some_scene("pending_cancellation_change").subject.cancel_at_end_of_period);
    EXPECT_EQ(some_scene("expiring_card").subject.paid_with.expiration_year, 2027);
    EXPECT_EQ(some_scene("expiring_card").subject.paid_with.expiration_month, 3);
    EXPECT_EQ(some_scene("metered_usage").usage.what.kind, "metered_component");
    EXPECT_EQ(some_scene("prepaid_usage").usage.what.kind, "prepaid_usage_component");
    EXPECT_FALSE(some_scene("subscription_group_signup_success").subject.group.uid.empty());
}

TEST(scene, seeds_lead_through_states_profiles_and_components)
{
    std::set<std::string> states, kinds, field_events;
    std::set<payment_method> methods;
    bool group = false;
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
        const scene s = some_scene("subscription_state_change", seed);
        EXPECT_NE(s.subject.state, s.subject.previous_state) << seed;
        ASSERT_NE(chargify::find_state(s.subject.state), nullptr) << s.subject.state;
        ASSERT_NE(chargify::find_state(s.subject.previous_state), nullptr) << s.subject.previous_state;
        states.insert(s.subject.state);
        methods.insert(s.subject.paid_with.method);
        group = group || !s.subject.group.uid.empty();
        kinds.insert(some_scene("component_allocation_change", seed).usage.what.name);
        field_events.insert(some_scene("custom_field_value_change", seed).field.event_type);
    }
    EXPECT_EQ(states, (std::set<std::string>{"active", "canceled", "expired", "on_hold", "past_due",
                                             "soft_failure", "suspended", "trial_ended", "unpaid"}));
    EXPECT_EQ(methods.size(), 2U);
    EXPECT_EQ(kinds.size(), 3U);
    EXPECT_EQ(field_events.size(), 3U);
    EXPECT_TRUE(group);
}

TEST(scene, entering_a_state_keeps_its_times)
{
    subscription s;
    s.state = "trialing";
    s.current_period_ends_at = s.next_assessment_at = sys_days(2026y / 2 / 1);
    const sys_seconds now = sys_days(2026y / 1 / 20);
    s.enter("active", now);
    EXPECT_EQ(s.previous_state, "trialing");
    EXPECT_EQ(s.activated_at, now);
    EXPECT_EQ(s.updated_at, now);
    s.enter("on_hold", now + days(1));
    EXPECT_EQ(s.on_hold_at, now + days(1));
    EXPECT_FALSE(s.next_assessment_at);
    s.enter("active", now + days(2));
    EXPECT_FALSE(s.on_hold_at);
    EXPECT_EQ(s.activated_at, now);
    EXPECT_EQ(s.next_assessment_at, s.current_period_ends_at);
    s.cancel_at_end_of_period = true;
    s.cancellation_method = "merchant_ui";
    s.enter("canceled", now + days(3));
    EXPECT_EQ(s.canceled_at, now + days(3));
    EXPECT_FALSE(s.cancel_at_end_of_period);
    EXPECT_EQ(s.cancellation_method, "merchant_ui");
    s.enter("active", now + days(4));
    EXPECT_FALSE(s.canceled_at);
    EXPECT_EQ(s.cancellation_method, "");
    s.enter("expired", now + days(5));
    EXPECT_EQ(s.expires_at, now + days(5));
}

TEST(scene, builds_a_history_by_hand)
{
    scene s = some_scene("payment_success");
    s.subject.id = 5;
    s.subject.enter("past_due", s.at + 1h);
    const chargify::envelope e = read(tell("subscription_state_change", s));
    EXPECT_EQ(e.subscription_id, 5);
    EXPECT_EQ(e.tree.text(e.subscription, "state"), "past_due");
    EXPECT_EQ(e.tree.text(e.subscription, "previous_state"), "active");
    const chargify::envelope paid = read(tell("payment_success", s));
    EXPECT_EQ(paid.tree.integer(paid.tree.branch(paid.payload, "transaction"), "subscription_id"), 5);
}

TEST(scene, is_obviously_invented)
{
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        const scene s = some_scene("renewal_success", seed);
        EXPECT_TRUE(s.subject.owner.email().ends_with("@example.com"));
        EXPECT_TRUE(s.subject.owner.phone.starts_with("555-01"));
        EXPECT_EQ(s.subject.paid_with.last_digits.size(), 4U);
    }
}

} // namespace
} // namespace chargifyd::simulate
