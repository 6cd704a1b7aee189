#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

/// libFuzzer's interface, which every harness defines: the bytes are one input. Returns 0.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

/// What the harnesses share.
namespace chargifyd::fuzz {

/// Ends the process when a promise is broken, which makes the input a finding.
inline void require(bool kept, const char* promise)
{
    if (kept)
        return;
    std::fprintf(stderr, "broken promise: %s\n", promise);
    std::abort();
}

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) noexcept
{
    return {reinterpret_cast<const char*>(data), size};
}

/// An input read as a series of decisions. When it is used up every decision is 0.
class decisions {
public:
    explicit decisions(std::string_view input) noexcept
        : left_(input)
    {}

    bool empty() const noexcept { return left_.empty(); }
    std::uint8_t byte() noexcept
    {
        const std::string_view one = bytes(1);
        return one.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(one.front());
    }
    /// Below `end`, which is above 0. Two bytes.
    std::size_t below(std::size_t end) noexcept
    {
        const std::size_t high = byte();
        return (high * 256 + byte()) % end;
    }
    /// Fewer than `count` at the end of the input.
    std::string_view bytes(std::size_t count) noexcept
    {
        const std::string_view taken = left_.substr(0, count);
        left_.remove_prefix(taken.size());
        return taken;
    }
    std::string_view rest() noexcept { return bytes(left_.size()); }

private:
    std::string_view left_;
};

} // namespace chargifyd::fuzz
