#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace prometheus {
class Counter;
class Gauge;
class Histogram;
} // namespace prometheus

/// Prometheus metrics. A room asks the registry for its instruments once, when it is made, and keeps them.
namespace chargifyd::metrics {

using labels = std::map<std::string, std::string>;

/// A number that only grows. Any thread.
class counter {
public:
    explicit counter(prometheus::Counter& c) noexcept
        : counter_(&c)
    {}
    void add(double n = 1) noexcept;

private:
    prometheus::Counter* counter_;
};

/// A number that goes up and down. Any thread.
class gauge {
public:
    explicit gauge(prometheus::Gauge& g) noexcept
        : gauge_(&g)
    {}
    void set(double value) noexcept;
    void add(double n) noexcept;

private:
    prometheus::Gauge* gauge_;
};

/// How often values fell below each bound. Any thread; takes a lock.
class histogram {
public:
    explicit histogram(prometheus::Histogram& h) noexcept
        : histogram_(&h)
    {}
    void observe(double value);

private:
    prometheus::Histogram* histogram_;
};

/// Bounds for durations in seconds, 50 µs to 15 s (Chargify's own patience).
const std::vector<double>& duration_buckets();

/// All instruments of one daemon. Outlives everything that holds one of its instruments. Any thread.
/// Asking again for the same name and labels gives the same instrument.
class registry {
public:
    registry();
    ~registry();
    registry(const registry&) = delete;
    registry& operator=(const registry&) = delete;

    /// `name` without the `chargifyd_` that is put before each. Label values must come from a closed set:
    /// each new combination stays in memory for ever.
    counter make_counter(const std::string& name, const std::string& help, const labels& with = {});
    gauge make_gauge(const std::string& name, const std::string& help, const labels& with = {});
    histogram make_histogram(const std::string& name, const std::string& help,
                             const std::vector<double>& buckets, const labels& with = {});

    /// The text exposition format, for GET /metrics.
    std::string render() const;

private:
    struct implementation;
    std::unique_ptr<implementation> impl_;
};

} // namespace chargifyd::metrics
