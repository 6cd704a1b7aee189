#include "chargifyd/chargify/states.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace chargifyd::chargify {
namespace {

using testing::ElementsAre;

std::vector<std::string> names_where(bool state_info::*flag)
{
    std::vector<std::string> names;
    for (const state_info& state : state_catalogue())
        if (state.*flag)
            names.emplace_back(state.name);
    return names;
}

TEST(states, are_found_by_name)
{
    for (const state_info& state : state_catalogue()) {
        EXPECT_EQ(find_state(state.name), &state);
        EXPECT_FALSE(state.summary.empty()) << state.name;
    }
    EXPECT_EQ(state_catalogue().size(), 17U);
    EXPECT_EQ(find_state(""), nullptr);
    EXPECT_EQ(find_state("Active"), nullptr);
    EXPECT_EQ(find_state("activ"), nullptr);
    EXPECT_EQ(find_state("zzz"), nullptr);
}

TEST(states, that_grant_access)
{
    EXPECT_THAT(
        names_where(&state_info::grants_access),
        ElementsAre("active", "assessing", "past_due", "paused", "pending", "soft_failure", "trialing"));
}

TEST(states, that_pass)
{
    EXPECT_THAT(names_where(&state_info::passing), ElementsAre("assessing", "pending"));
}

TEST(states, from_which_a_return_is_a_reactivation)
{
    EXPECT_THAT(names_where(&state_info::ended),
                ElementsAre("canceled", "expired", "failed_to_create", "suspended", "trial_ended", "unpaid"));
}

TEST(states, that_are_neither_live_nor_ended)
{
    for (const char* name : {"on_hold", "inactive", "awaiting_signup", "awaiting_signup_date"}) {
        ASSERT_NE(find_state(name), nullptr) << name;
        EXPECT_FALSE(find_state(name)->grants_access) << name;
        EXPECT_FALSE(find_state(name)->ended) << name;
    }
}

} // namespace
} // namespace chargifyd::chargify
