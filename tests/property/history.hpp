#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace chargifyd::test {

/// The webhooks of a few subscriptions, in the order in which Chargify made them: every shape of payload,
/// with few distinct values, so that ties, repetitions and returns to an old value are frequent.
///
/// Not a realistic life (that is what the simulator makes), but one that tries the rules of order.
class history {
public:
    explicit history(std::uint64_t seed);

    struct made_webhook {
        std::int64_t id;
        std::int64_t event_id; ///< 0: none
        std::string body;
    };

    const std::vector<made_webhook>& webhooks() const { return webhooks_; }
    /// The same webhook as Chargify would send it once more for the same event, under a new id.
    made_webhook told_again(std::size_t which, std::int64_t new_id) const;

private:
    using pairs = std::vector<std::pair<std::string, std::string>>;

    struct subscription {
        std::int64_t id;
        std::int64_t customer;
        std::string state = "trialing";
        std::int64_t product = 1;
        std::int64_t period = 0;
        std::int64_t period_length = 30;
        bool cancel_at_end = false;
        std::int64_t quantity = 1;
        std::int64_t used = 0;
        std::int64_t card = 1;
    };

    std::int64_t pick(std::int64_t below)
    {
        return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(below));
    }
    bool chance(int percent) { return pick(100) < percent; }
    void step();
    void move(subscription& s);
    void emit(const std::string& event, const pairs& payload);

    pairs full(const subscription& s);
    pairs partial(const subscription& s);
    pairs customer(const subscription& s, const std::string& at, bool whole);
    pairs transaction(const std::string& at, std::int64_t id);
    pairs component(const subscription& s);
    std::string time(std::int64_t seconds) const;

    std::mt19937_64 random_;
    std::int64_t now_ = 1'780'000'000;
    std::int64_t next_webhook_ = 1000;
    std::int64_t next_event_ = 500;
    std::int64_t next_transaction_ = 1;
    bool has_event_ids_ = true;
    std::vector<subscription> subscriptions_;
    std::vector<made_webhook> webhooks_;
};

} // namespace chargifyd::test
