#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <queue>
#include <vector>

/// In which order, how often and when webhooks are sent. Pure: no clock, no I/O; the same seed gives the same
/// plan on every machine.
namespace chargifyd::ctl {

struct plan_options {
    std::uint64_t seed = 1;
    double duplicate_percent = 0; ///< 0 to 100: that share of the webhooks is sent twice
    bool reorder = false;         ///< every order is equally likely; otherwise as they are numbered
};

/// Numbers of webhooks (0 to count - 1) in the order in which to send them. A duplicate comes at a random
/// place after its original, unless everything is reordered.
std::vector<std::size_t> plan_order(std::size_t count, const plan_options& with);

/// How long Chargify waits after the latest of `attempts` failed attempts: 10 s, 15 s, 90 s, 180 s, then it
/// gives up.
std::optional<std::chrono::milliseconds> retry_wait(unsigned attempts);

/// Hands out what is to be sent next. A webhook that waits for its retry does not hold up the others.
class delivery_queue {
public:
    using time_point = std::chrono::steady_clock::time_point;

    struct delivery {
        std::size_t webhook = 0;
        unsigned attempt = 1;
    };

    /// `speed` divides the waits; `retry` false: one attempt each.
    delivery_queue(std::vector<std::size_t> order, bool retry, double speed);

    /// A retry that is due, else the next new webhook, else nothing.
    std::optional<delivery> take(time_point now);
    /// When the next retry is due, while there is one.
    std::optional<time_point> next_retry() const;
    /// Books the next attempt after a failed one, and says how long it waits; nothing when there is none.
    std::optional<std::chrono::milliseconds> failed(const delivery& what, time_point now);

private:
    struct booking {
        time_point due;
        std::uint64_t number = 0; ///< first come, first served among those due at once
        delivery what;
        bool operator>(const booking& other) const
        {
            return due != other.due ? due > other.due : number > other.number;
        }
    };

    std::vector<std::size_t> order_;
    std::size_t next_ = 0;
    std::priority_queue<booking, std::vector<booking>, std::greater<>> retries_;
    std::uint64_t bookings_ = 0;
    bool retry_;
    double speed_;
};

} // namespace chargifyd::ctl
