#include "chargifyd/state/projection.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace chargifyd::state {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

subscription_facts active()
{
    subscription_facts f;
    f.state = "active";
    f.customer_id = 7;
    f.product_id = 3;
    f.product_handle = "basic";
    f.product_price = 12000;
    f.created_at = "2026-01-01T00:00:00Z";
    f.period_started_at = "2026-01-01T00:00:00Z";
    f.period_ends_at = "2026-02-01T00:00:00Z";
    f.next_assessment_at = "2026-02-01T00:00:00Z";
    f.updated_at = "2026-01-10T00:00:00Z";
    return f;
}

/// `kind old new [detail] @ occurred_at`
std::vector<std::string> words(const subscription_facts* before, const seen_before& seen,
                               const subscription_facts& after)
{
    std::vector<std::string> all;
    for (const change& c : compare(before, seen, after)) {
        EXPECT_EQ(c.customer_id, after.customer_id);
        all.push_back(c.kind + " " + c.old_value.value_or("-") + " " + c.new_value.value_or("-") +
                      (c.detail ? " " + *c.detail : "") + " @ " + c.occurred_at.value_or("-"));
    }
    return all;
}

class compare_test : public ::testing::Test {
protected:
    std::vector<std::string> changes() { return words(&before_, advance({}, nullptr, before_), after_); }

    subscription_facts before_ = active();
    subscription_facts after_ = [] {
        subscription_facts f = active();
        f.updated_at = "2026-02-05T00:00:00Z";
        return f;
    }();
};

TEST_F(compare_test, nothing_said_anew_is_no_change)
{
    EXPECT_THAT(changes(), IsEmpty());
    after_.next_assessment_at = "2026-02-03T00:00:00Z"; // a retry of dunning moves it too
    EXPECT_THAT(changes(), IsEmpty());
}

TEST_F(compare_test, the_first_statement)
{
    EXPECT_THAT(words(nullptr, {}, after_), ElementsAre("created - active basic @ 2026-01-01T00:00:00Z"));
    after_.state = "trialing";
    after_.trial_started_at = "2026-01-01T00:00:01Z";
    after_.trial_ended_at = "2026-01-15T00:00:00Z";
    EXPECT_THAT(words(nullptr, {}, after_),
                ElementsAre("created - trialing basic @ 2026-01-01T00:00:00Z",
                            "trial_started - 2026-01-15T00:00:00Z @ 2026-01-01T00:00:01Z"));
}

TEST_F(compare_test, the_end_of_a_trial)
{
    before_.state = "trialing";
    before_.trial_ended_at = "2026-02-01T00:00:00Z";
    after_.trial_ended_at = "2026-02-01T00:00:00Z";
    EXPECT_THAT(changes(), ElementsAre("state trialing active @ 2026-02-05T00:00:00Z",
                                       "trial_ended 2026-02-01T00:00:00Z active @ 2026-02-01T00:00:00Z"));
    after_.updated_at = "2026-01-20T00:00:00Z"; // cut short
    EXPECT_THAT(changes(), ElementsAre("state trialing active @ 2026-01-20T00:00:00Z",
                                       "trial_ended 2026-02-01T00:00:00Z active @ 2026-01-20T00:00:00Z"));
}

TEST_F(compare_test, a_renewal_is_a_period_that_began_while_paid)
{
    after_.period_started_at = "2026-02-01T00:00:00Z";
    after_.period_ends_at = "2026-03-01T00:00:00Z";
    EXPECT_THAT(changes(),
                ElementsAre("renewal 2026-02-01T00:00:00Z 2026-03-01T00:00:00Z @ 2026-02-01T00:00:00Z"));
    after_.state = "past_due";
    EXPECT_THAT(changes(), ElementsAre("state active past_due @ 2026-02-05T00:00:00Z"));
}

TEST_F(compare_test, a_change_of_product_that_starts_the_period_anew_is_no_renewal)
{
    after_.product_id = 4;
    after_.product_handle = "pro";
    after_.product_price = 48000;
    after_.period_started_at = "2026-01-20T00:00:00Z";
    after_.period_ends_at = "2026-02-20T00:00:00Z";
    EXPECT_THAT(changes(), ElementsAre("product basic pro upgrade @ 2026-02-05T00:00:00Z"));
    after_.product_price = 6000;
    EXPECT_THAT(changes(), ElementsAre("product basic pro downgrade @ 2026-02-05T00:00:00Z"));
    after_.product_price = 12000;
    EXPECT_THAT(changes(), ElementsAre("product basic pro @ 2026-02-05T00:00:00Z"));
    after_.product_price.reset();
    after_.product_handle.clear();
    EXPECT_THAT(changes(), ElementsAre("product basic 4 @ 2026-02-05T00:00:00Z"));
}

TEST_F(compare_test, a_scheduled_change_of_product)
{
    after_.next_product = "pro";
    EXPECT_THAT(changes(), ElementsAre("product_scheduled - pro @ 2026-02-05T00:00:00Z"));
    std::swap(before_, after_);
    EXPECT_THAT(changes(), ElementsAre("product_scheduled pro - @ 2026-01-10T00:00:00Z")); // taken back
    after_.product_id = 4;                                                                 // took place
    after_.product_handle = "pro";
    EXPECT_THAT(changes(), ElementsAre("product basic pro @ 2026-01-10T00:00:00Z"));
}

TEST_F(compare_test, a_billing_date_moved)
{
    after_.period_ends_at = "2026-02-15T00:00:00Z";
    after_.next_assessment_at = "2026-02-15T00:00:00Z";
    EXPECT_THAT(changes(),
                ElementsAre("billing_date 2026-02-01T00:00:00Z 2026-02-15T00:00:00Z @ 2026-02-05T00:00:00Z"));
    after_.previous_billing_date = "2026-02-02T00:00:00Z";
    EXPECT_THAT(changes(),
                ElementsAre("billing_date 2026-02-02T00:00:00Z 2026-02-15T00:00:00Z @ 2026-02-05T00:00:00Z"));
    before_.next_assessment_at = after_.next_assessment_at; // seen before it was announced
    before_.period_ends_at = after_.period_ends_at;
    EXPECT_THAT(changes(), IsEmpty());
}

TEST_F(compare_test, cancellations)
{
    after_.cancel_at = "2026-03-01T00:00:00Z";
    EXPECT_THAT(changes(), ElementsAre("cancellation - 2026-03-01T00:00:00Z @ 2026-02-05T00:00:00Z"));
    std::swap(before_, after_);
    EXPECT_THAT(changes(), ElementsAre("cancellation 2026-03-01T00:00:00Z removed @ 2026-01-10T00:00:00Z"));
    after_.state = "canceled";
    after_.cancellation_method = "dunning";
    EXPECT_THAT(changes(),
                ElementsAre("state active canceled @ 2026-01-10T00:00:00Z",
                            "cancellation 2026-03-01T00:00:00Z canceled dunning @ 2026-01-10T00:00:00Z"));
}

TEST_F(compare_test, a_reactivation_is_no_renewal)
{
    before_.state = "canceled";
    after_.period_started_at = "2026-02-05T00:00:00Z";
    after_.period_ends_at = "2026-03-05T00:00:00Z";
    EXPECT_THAT(changes(), ElementsAre("state canceled active @ 2026-02-05T00:00:00Z",
                                       "reactivation canceled active @ 2026-02-05T00:00:00Z"));
}

TEST_F(compare_test, hold_and_resume)
{
    after_.state = "on_hold";
    after_.resume_at = "2026-04-01T00:00:00Z";
    EXPECT_THAT(changes(), ElementsAre("state active on_hold @ 2026-02-05T00:00:00Z",
                                       "hold - 2026-04-01T00:00:00Z @ 2026-02-05T00:00:00Z"));
    std::swap(before_, after_);
    EXPECT_THAT(changes(), ElementsAre("state on_hold active @ 2026-01-10T00:00:00Z",
                                       "resume 2026-04-01T00:00:00Z active @ 2026-01-10T00:00:00Z"));
    after_.state = "canceled";
    EXPECT_THAT(changes(), ElementsAre("state on_hold canceled @ 2026-01-10T00:00:00Z",
                                       "cancellation - canceled @ 2026-01-10T00:00:00Z"));
}

/// The changes of a whole story, entry by entry.
std::vector<std::string> story(const std::vector<subscription_facts>& entries)
{
    std::vector<std::string> all;
    seen_before seen;
    const subscription_facts* before = nullptr;
    for (const subscription_facts& entry : entries) {
        for (const change& c : compare(before, seen, entry))
            all.push_back(c.kind);
        seen = advance(seen, before, entry);
        before = &entry;
    }
    return all;
}

subscription_facts at(const std::string& updated_at, const std::string& state, const std::string& period)
{
    subscription_facts f = active();
    f.updated_at = updated_at;
    f.state = state;
    f.period_started_at = period;
    f.period_ends_at = period == "2026-01-01T00:00:00Z" ? "2026-02-01T00:00:00Z" : "2026-03-01T00:00:00Z";
    return f;
}

constexpr const char* january = "2026-01-01T00:00:00Z";
constexpr const char* february = "2026-02-01T00:00:00Z";

TEST(timeline, a_snapshot_with_old_dates_makes_no_second_renewal)
{
    EXPECT_THAT(
        story({at("2026-01-01T00:00:00Z", "active", january), at("2026-02-01T00:00:01Z", "active", february),
               at("2026-02-01T00:00:01Z", "active", january),
               at("2026-02-01T00:00:02Z", "active", february)}),
        ElementsAre("created", "renewal"));
}

TEST(timeline, a_payment_that_was_owed_is_no_renewal)
{
    EXPECT_THAT(
        story({at("2026-01-01T00:00:00Z", "active", january), at("2026-02-01T00:00:01Z", "past_due", january),
               at("2026-02-10T00:00:00Z", "active", january),
               at("2026-02-10T00:00:01Z", "active", february)}),
        ElementsAre("created", "state", "state"));
}

TEST(timeline, the_period_of_a_reactivation_is_no_renewal)
{
    subscription_facts last = at("2026-02-10T00:00:01Z", "active", "2026-02-10T00:00:00Z");
    EXPECT_THAT(
        story({at("2026-01-01T00:00:00Z", "active", january), at("2026-01-20T00:00:01Z", "canceled", january),
               at("2026-02-10T00:00:00Z", "active", january), last}),
        ElementsAre("created", "state", "cancellation", "state", "reactivation"));
}

TEST(timeline, a_trial_that_rests_is_one_trial)
{
    EXPECT_THAT(
        story(
            {at("2026-01-01T00:00:00Z", "trialing", january), at("2026-01-02T00:00:00Z", "on_hold", january),
             at("2026-01-03T00:00:00Z", "trialing", january), at("2026-01-10T00:00:00Z", "active", january)}),
        ElementsAre("created", "trial_started", "state", "hold", "state", "resume", "state", "trial_ended"));
}

TEST_F(compare_test, an_expired_subscription_takes_no_cancellation_back)
{
    before_.cancel_at = "2026-03-01T00:00:00Z";
    after_.state = "expired";
    EXPECT_THAT(changes(), ElementsAre("state active expired @ 2026-02-05T00:00:00Z"));
    before_.state = "canceled"; // and a new one after a return is news
    after_.state = "active";
    after_.cancel_at = "2026-03-01T00:00:00Z";
    EXPECT_THAT(changes(), ElementsAre("state canceled active @ 2026-02-05T00:00:00Z",
                                       "reactivation canceled active @ 2026-02-05T00:00:00Z",
                                       "cancellation - 2026-03-01T00:00:00Z @ 2026-02-05T00:00:00Z"));
}

TEST_F(compare_test, a_cancellation_happened_when_it_says)
{
    after_.state = "canceled";
    after_.canceled_at = "2026-02-01T00:00:00Z";
    EXPECT_THAT(changes(), ElementsAre("state active canceled @ 2026-02-01T00:00:00Z",
                                       "cancellation - canceled @ 2026-02-01T00:00:00Z"));
}

TEST_F(compare_test, expiration_and_owner)
{
    after_.expires_at = "2027-01-01T00:00:00Z";
    after_.customer_id = 8;
    EXPECT_THAT(changes(), ElementsAre("expiration_date - 2027-01-01T00:00:00Z @ 2026-02-05T00:00:00Z",
                                       "customer_change 7 8 @ 2026-02-05T00:00:00Z"));
}

} // namespace
} // namespace chargifyd::state
