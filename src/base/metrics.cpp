#include "chargifyd/base/metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

namespace chargifyd::metrics {

void counter::add(double n) noexcept
{
    counter_->Increment(n);
}

void gauge::set(double value) noexcept
{
    gauge_->Set(value);
}

void gauge::add(double n) noexcept
{
    gauge_->Increment(n);
}

void histogram::observe(double value)
{
    histogram_->Observe(value);
}

const std::vector<double>& duration_buckets()
{
    static const std::vector<double> bounds = {0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025,
                                               0.005,   0.01,   0.025,   0.05,   0.1,   0.25,
                                               0.5,     1,      2.5,     5,      15};
    return bounds;
}

struct registry::implementation {
    prometheus::Registry all;
};

registry::registry()
    : impl_(std::make_unique<implementation>())
{}

registry::~registry() = default;

counter registry::make_counter(const std::string& name, const std::string& help, const labels& with)
{
    return counter(
        prometheus::BuildCounter().Name("chargifyd_" + name).Help(help).Register(impl_->all).Add(with));
}

gauge registry::make_gauge(const std::string& name, const std::string& help, const labels& with)
{
    return gauge(
        prometheus::BuildGauge().Name("chargifyd_" + name).Help(help).Register(impl_->all).Add(with));
}

histogram registry::make_histogram(const std::string& name, const std::string& help,
                                   const std::vector<double>& buckets, const labels& with)
{
    return histogram(prometheus::BuildHistogram()
                         .Name("chargifyd_" + name)
                         .Help(help)
                         .Register(impl_->all)
                         .Add(with, prometheus::Histogram::BucketBoundaries(buckets.begin(), buckets.end())));
}

std::string registry::render() const
{
    return prometheus::TextSerializer().Serialize(impl_->all.Collect());
}

} // namespace chargifyd::metrics
