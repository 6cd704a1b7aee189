#include "chargifyd/base/metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace chargifyd::metrics {
namespace {

using ::testing::HasSubstr;

TEST(metrics, renders_every_kind)
{
    registry all;
    all.make_counter("webhooks_total", "Webhooks.", {{"result", "stored"}}).add(2);
    all.make_counter("webhooks_total", "Webhooks.", {{"result", "stored"}}).add();
    all.make_gauge("lag", "Lag.").set(4);
    all.make_histogram("ack_seconds", "Time.", duration_buckets()).observe(0.003);
    const std::string text = all.render();
    EXPECT_THAT(text, HasSubstr("chargifyd_webhooks_total{result=\"stored\"} 3"));
    EXPECT_THAT(text, HasSubstr("chargifyd_lag 4"));
    EXPECT_THAT(text, HasSubstr("chargifyd_ack_seconds_bucket{le=\"0.005\"} 1"));
}

} // namespace
} // namespace chargifyd::metrics
