#pragma once

#include <mutex>
#include <utility>

namespace chargifyd {

/// Data that can only be reached with its lock held.
template <class T>
class guarded {
public:
    template <class F>
    decltype(auto) with(F&& use)
    {
        const std::lock_guard hold(mutex_);
        return std::forward<F>(use)(value_);
    }

private:
    std::mutex mutex_;
    T value_{};
};

} // namespace chargifyd
