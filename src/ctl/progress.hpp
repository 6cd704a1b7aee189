#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <ostream>
#include <string>

namespace chargifyd::ctl {

/// How far something is, on one line of stderr that is redrawn in place: share, rate and time left. Nothing
/// when stderr is not a terminal. One thread.
class progress_line {
public:
    enum class unit { items, bytes };
    using clock_fn = std::function<std::chrono::steady_clock::time_point()>;

    progress_line(std::ostream& to, std::string what, unit counts = unit::items);
    /// For tests: whether `to` is a terminal, and what time it is.
    progress_line(std::ostream& to, std::string what, unit counts, bool terminal, clock_fn clock);
    /// Takes the line away.
    ~progress_line();
    progress_line(const progress_line&) = delete;
    progress_line& operator=(const progress_line&) = delete;

    /// The rate counts from the first call, which may begin above 0. Draws a few times a second, and at the
    /// end.
    void show(std::uint64_t done, std::uint64_t total);

private:
    struct moment {
        std::chrono::steady_clock::time_point at;
        std::uint64_t done = 0;
    };
    std::string rate_and_rest(std::uint64_t done, std::uint64_t total, double seconds) const;
    void draw(const std::string& text);

    std::ostream& to_;
    std::string what_;
    unit counts_;
    bool terminal_;
    clock_fn clock_;
    std::optional<moment> began_;
    std::chrono::steady_clock::time_point drawn_at_{};
    std::size_t drawn_width_ = 0;
};

/// `1.5 GB`, `12 kB`, `0 B`: powers of 1000.
std::string format_bytes(double bytes);
/// `45s`, `3m 20s`, `2h 05m`.
std::string format_wait(std::chrono::seconds wait);

} // namespace chargifyd::ctl
