#pragma once

#include <chrono>
#include <functional>
#include <stdexcept>
#include <thread>

namespace chargifyd::test {

/// Returns once the condition holds; throws when it never does.
inline void wait_until(const std::function<bool()>& condition)
{
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!condition()) {
        if (std::chrono::steady_clock::now() > deadline)
            throw std::runtime_error("what was waited for never happened");
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
}

} // namespace chargifyd::test
