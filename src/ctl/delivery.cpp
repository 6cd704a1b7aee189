#include "ctl/delivery.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

namespace chargifyd::ctl {

namespace {

/// SplitMix64: the standard library's distributions and shuffle differ between implementations.
class dice {
public:
    explicit dice(std::uint64_t seed) noexcept
        : state_(seed)
    {}

    /// 0 to n - 1. The bias of a remainder of 64 bits is too small to matter for n below 2^40.
    std::uint64_t below(std::uint64_t n) noexcept
    {
        state_ += 0x9e3779b97f4a7c15;
        std::uint64_t z = state_;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return (z ^ (z >> 31)) % n;
    }

    template <class T>
    void shuffle(std::vector<T>& all) noexcept
    {
        for (std::size_t i = all.size(); i > 1; --i)
            std::swap(all[i - 1], all[below(i)]);
    }

private:
    std::uint64_t state_;
};

struct place {
    std::uint64_t position;
    std::size_t webhook;
};

} // namespace

std::vector<std::size_t> plan_order(std::size_t count, const plan_options& with)
{
    dice random(with.seed);
    std::vector<std::size_t> all(count);
    std::iota(all.begin(), all.end(), std::size_t{0});

    std::vector<std::size_t> twice = all;
    random.shuffle(twice);
    const double share = static_cast<double>(count) * std::clamp(with.duplicate_percent, 0.0, 100.0) / 100;
    twice.resize(static_cast<std::size_t>(std::llround(share)));

    // Originals stand at multiples of `step`; a duplicate goes somewhere between its original and the end.
    constexpr std::uint64_t step = 1 << 16;
    std::vector<place> places;
    for (const std::size_t webhook : all)
        places.push_back({webhook * step, webhook});
    for (const std::size_t webhook : twice)
        places.push_back({webhook * step + 1 + random.below((count - webhook) * step), webhook});
    std::stable_sort(places.begin(), places.end(),
                     [](const place& a, const place& b) { return a.position < b.position; });

    std::vector<std::size_t> order;
    for (const place& p : places)
        order.push_back(p.webhook);
    if (with.reorder)
        random.shuffle(order);
    return order;
}

std::optional<std::chrono::milliseconds> retry_wait(unsigned attempts)
{
    using namespace std::chrono_literals;
    constexpr std::array<std::chrono::milliseconds, 4> waits = {10s, 15s, 90s, 180s};
    if (attempts < 1 || attempts > waits.size())
        return std::nullopt;
    return waits[attempts - 1];
}

delivery_queue::delivery_queue(std::vector<std::size_t> order, bool retry, double speed)
    : order_(std::move(order))
    , retry_(retry)
    , speed_(speed)
{}

std::optional<delivery_queue::delivery> delivery_queue::take(time_point now)
{
    if (!retries_.empty() && retries_.top().due <= now) {
        const delivery out = retries_.top().what;
        retries_.pop();
        return out;
    }
    if (next_ == order_.size())
        return std::nullopt;
    return delivery{order_[next_++], 1};
}

std::optional<delivery_queue::time_point> delivery_queue::next_retry() const
{
    if (retries_.empty())
        return std::nullopt;
    return retries_.top().due;
}

std::optional<std::chrono::milliseconds> delivery_queue::failed(const delivery& what, time_point now)
{
    const auto wait = retry_wait(what.attempt);
    if (!retry_ || !wait)
        return std::nullopt;
    const auto scaled = std::chrono::duration_cast<std::chrono::milliseconds>(*wait / speed_);
    retries_.push({now + scaled, bookings_++, {what.webhook, what.attempt + 1}});
    return scaled;
}

} // namespace chargifyd::ctl
