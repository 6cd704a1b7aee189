#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace chargifyd::ingress {

/// What one request is called in log lines and in its answer. Holds no memory of its own.
class request_id {
public:
    static constexpr std::size_t longest = 64;

    /// Whether a proxy's name for a request can be taken over: 1 to 64 letters, digits, `.`, `_` and `-`.
    static bool is_good(std::string_view name) noexcept;

    /// At most `longest` characters.
    void assign(std::string_view name) noexcept;
    void clear() noexcept { size_ = 0; }
    bool empty() const noexcept { return size_ == 0; }
    std::string_view view() const noexcept { return {text_.data(), size_}; }

private:
    std::array<char, longest> text_{};
    std::size_t size_ = 0;
};

/// Makes names that no other daemon, and no other start of this one, gives: a random part and a number. Any
/// thread.
class request_id_source {
public:
    request_id_source();

    void name(request_id& unnamed) noexcept;

private:
    const std::string prefix_;
    std::atomic<std::uint64_t> next_{1};
};

} // namespace chargifyd::ingress
