#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace chargifyd::simulate {

/// Counts durations in buckets whose width grows with their value: 128 to each doubling, so a percentile is
/// less than 1 % above the true value, at 30 KiB whatever is recorded. Below 256 µs, and for the maximum, it
/// is exact.
class histogram {
public:
    using duration = std::chrono::microseconds;

    void record(duration value) noexcept
    {
        const auto v = static_cast<std::uint64_t>(std::clamp<duration::rep>(value.count(), 0, largest));
        ++counts_[index_of(v)];
        ++total_;
        max_ = std::max(max_, v);
    }

    void merge(const histogram& other) noexcept
    {
        for (std::size_t i = 0; i < counts_.size(); ++i)
            counts_[i] += other.counts_[i];
        total_ += other.total_;
        max_ = std::max(max_, other.max_);
    }

    /// The value that `fraction` (0 to 1) of all records do not exceed. Zero when nothing was recorded.
    duration quantile(double fraction) const noexcept
    {
        const auto rank = std::max<std::uint64_t>(
            1, static_cast<std::uint64_t>(std::ceil(fraction * static_cast<double>(total_))));
        std::uint64_t seen = 0;
        for (std::size_t i = 0; i < counts_.size(); ++i) {
            seen += counts_[i];
            if (seen >= rank)
                return duration(std::min(highest_of(i), max_));
        }
        return duration(max_);
    }

    duration max() const noexcept { return duration(max_); }
    std::uint64_t count() const noexcept { return total_; }

private:
    static constexpr unsigned mantissa_bits = 8;
    static constexpr duration::rep largest = (duration::rep{1} << 36) - 1; // 19 hours
    static constexpr std::size_t buckets = (36 - mantissa_bits + 2) << (mantissa_bits - 1);

    static unsigned exponent_of(std::uint64_t v) noexcept
    {
        const auto width = static_cast<unsigned>(std::bit_width(v));
        return width > mantissa_bits ? width - mantissa_bits : 0;
    }
    static std::size_t index_of(std::uint64_t v) noexcept
    {
        const unsigned exponent = exponent_of(v);
        return (std::size_t{exponent} << (mantissa_bits - 1)) + static_cast<std::size_t>(v >> exponent);
    }
    static std::uint64_t highest_of(std::size_t index) noexcept
    {
        if (index < (1U << mantissa_bits))
            return index;
        const std::size_t exponent = (index >> (mantissa_bits - 1)) - 1;
        const std::uint64_t mantissa = index - (exponent << (mantissa_bits - 1));
        return ((mantissa + 1) << exponent) - 1;
    }

    std::array<std::uint64_t, buckets> counts_{};
    std::uint64_t total_ = 0;
    std::uint64_t max_ = 0;
};

} // namespace chargifyd::simulate
