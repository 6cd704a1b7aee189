#pragma once

#include <spdlog/sinks/base_sink.h>

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

namespace chargifyd::log {

/// Writes lines to a descriptor and never waits for its reader: a log that nobody takes must not hold up
/// webhooks. Lines for which there is no room are dropped and, when there is room again, counted in a line of
/// their own.
class stderr_sink final : public spdlog::sinks::base_sink<std::mutex> {
public:
    /// `lost` makes the text of that line. The descriptor stays the caller's.
    stderr_sink(int descriptor, std::function<std::string(std::uint64_t lines)> lost);

protected:
    void sink_it_(const spdlog::details::log_msg& message) override;
    void flush_() override {}

private:
    bool write(const spdlog::details::log_msg& message);
    bool put(std::string_view bytes);

    const int descriptor_;
    const std::function<std::string(std::uint64_t)> lost_text_;
    std::uint64_t lost_ = 0;
    bool broken_off_ = false; ///< the last line lacks its end
};

} // namespace chargifyd::log
