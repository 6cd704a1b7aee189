#include "pipeline/silence.hpp"
#include "temporary_directory.hpp"
#include "webhook_body.hpp"

#include "chargifyd/state/projection.hpp"
#include "chargifyd/state/silence.hpp"
#include "chargifyd/state/sqlite_store.hpp"

#include <gtest/gtest.h>

namespace chargifyd::pipeline {
namespace {

using namespace std::chrono_literals;

const timestamp begin{std::chrono::seconds(1'800'000'000)};

class silence_test : public ::testing::Test {
protected:
    /// A webhook so long after the one before.
    void receive(std::chrono::seconds later)
    {
        now_ += later;
        test::subscription_body body;
        body.webhook_id = static_cast<long long>(++sequence_);
        store_->begin();
        state::apply(*store_, state::prepare(sequence_, "acme", now_, body.str()));
        store_->commit(sequence_);
    }

    double silent()
    {
        return instruments_.render().find("chargifyd_site_silent{site=\"acme\"} 1") != std::string::npos ? 1
                                                                                                         : 0;
    }

    test::temporary_directory folder_;
    std::filesystem::path file_ = folder_ / "state.db";
    std::unique_ptr<state::sqlite_store> store_ = std::move(*state::sqlite_store::open(file_, "j", {}));
    metrics::registry instruments_;
    silence_watch watch_{file_, instruments_};
    timestamp now_ = begin;
    std::uint64_t sequence_ = 0;
};

TEST_F(silence_test, alarms_after_three_times_the_longest_silence_and_until_the_next_webhook)
{
    for (int i = 0; i < 30; ++i)
        receive(i == 12 ? 3600s : 60s);
    watch_.look(now_ + 3h);
    EXPECT_EQ(silent(), 0);
    watch_.look(now_ + 3h + 1s);
    EXPECT_EQ(silent(), 1);
    now_ += 3h;
    receive(2s);
    watch_.look(now_);
    EXPECT_EQ(silent(), 0);
}

TEST_F(silence_test, busy_sites_may_rest_a_quarter_of_an_hour)
{
    for (int i = 0; i < 30; ++i)
        receive(1s);
    watch_.look(now_ + 15min);
    EXPECT_EQ(silent(), 0);
    watch_.look(now_ + 15min + 1s);
    EXPECT_EQ(silent(), 1);
}

TEST_F(silence_test, few_webhooks_tell_nothing)
{
    for (int i = 0; i < 19; ++i)
        receive(1s);
    watch_.look(now_ + 1000h);
    EXPECT_EQ(silent(), 0);
}

TEST_F(silence_test, only_the_latest_count)
{
    receive(0s);
    receive(100h);
    for (int i = 0; i < 1000; ++i)
        receive(1s);
    EXPECT_EQ(state::usual_silences(file_)->front().longest, 1s);
    EXPECT_EQ(state::usual_silences(file_)->front().last, now_);
}

TEST_F(silence_test, a_state_that_cannot_be_read_is_no_alarm)
{
    silence_watch other(folder_ / "missing.db", instruments_);
    other.look(now_);
    EXPECT_EQ(silent(), 0);
}

} // namespace
} // namespace chargifyd::pipeline
