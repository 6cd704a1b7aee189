#pragma once

#include "chargifyd/simulate/event.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace chargifyd::simulate {

/// What differs between two webhooks of one kind.
struct body_numbers {
    enum index : std::size_t {
        webhook,
        event,
        payment,
        charge,
        statement,
        other, ///< refund, allocation, invoice
        subscription,
        customer,
        profile,
        count
    };
    std::array<std::int64_t, count> ids{};
    std::chrono::sys_seconds at{}; ///< when it happens, and the subscription's `updated_at`
};

/// A body that is written once and copied with other numbers many times: far cheaper than writing each anew.
/// Const functions from any thread.
class marked_body {
public:
    /// The event told of a scene whose ids and time do not matter. `fit` may change the text, but neither
    /// marks nor what stands around them.
    marked_body(std::string_view event, scene of,
                std::string (*fit)(std::string body, std::size_t bytes) = nullptr, std::size_t bytes = 0);

    const std::string& event() const noexcept { return event_; }
    std::string fill(const body_numbers& with) const;

private:
    struct piece {
        std::string before;
        std::size_t then; ///< which of the ids comes here, or the time in one of its forms, or nothing
    };

    void cut(std::string_view text);

    std::string event_;
    std::size_t length_ = 0;
    std::vector<piece> pieces_;
};

} // namespace chargifyd::simulate
