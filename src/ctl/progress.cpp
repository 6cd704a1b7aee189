#include "ctl/progress.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <unistd.h>

namespace chargifyd::ctl {

namespace {

using namespace std::chrono_literals;

constexpr auto redraw_interval = 200ms;
constexpr double least_seconds = 1; ///< before that a rate says nothing

} // namespace

progress_line::progress_line(std::ostream& to, std::string what, unit counts)
    : progress_line(to, std::move(what), counts, ::isatty(STDERR_FILENO) == 1,
                    [] { return std::chrono::steady_clock::now(); })
{}

progress_line::progress_line(std::ostream& to, std::string what, unit counts, bool terminal, clock_fn clock)
    : to_(to)
    , what_(std::move(what))
    , counts_(counts)
    , terminal_(terminal)
    , clock_(std::move(clock))
{}

progress_line::~progress_line()
{
    if (drawn_width_ > 0)
        to_ << '\r' << std::string(drawn_width_, ' ') << '\r' << std::flush;
}

void progress_line::show(std::uint64_t done, std::uint64_t total)
{
    if (!terminal_)
        return;
    const auto now = clock_();
    if (!began_)
        began_ = moment{now, done};
    else if (done < total && now < drawn_at_ + redraw_interval)
        return;
    drawn_at_ = now;
    const std::uint64_t percent = total == 0 ? 100 : std::min(done, total) * 100 / total;
    draw(fmt::format("{} {} %{}", what_, percent,
                     rate_and_rest(done, total, std::chrono::duration<double>(now - began_->at).count())));
}

std::string progress_line::rate_and_rest(std::uint64_t done, std::uint64_t total, double seconds) const
{
    if (seconds < least_seconds || done <= began_->done)
        return {};
    const double rate = static_cast<double>(done - began_->done) / seconds;
    std::string text =
        counts_ == unit::bytes ? fmt::format(", {}/s", format_bytes(rate)) : fmt::format(", {:.0f}/s", rate);
    if (done < total)
        text += fmt::format(", {} left", format_wait(std::chrono::seconds(std::llround(
                                             std::ceil(static_cast<double>(total - done) / rate)))));
    return text;
}

void progress_line::draw(const std::string& text)
{
    const std::size_t blanks = drawn_width_ - std::min(drawn_width_, text.size());
    to_ << '\r' << text << std::string(blanks, ' ') << std::flush;
    drawn_width_ = std::max(drawn_width_, text.size());
}

std::string format_bytes(double bytes)
{
    constexpr std::array<const char*, 5> units = {"B", "kB", "MB", "GB", "TB"};
    std::size_t unit = 0;
    while (bytes >= 999.5 && unit + 1 < units.size()) {
        bytes /= 1000;
        ++unit;
    }
    return unit == 0 || bytes >= 99.95 ? fmt::format("{:.0f} {}", bytes, units[unit])
                                       : fmt::format("{:.1f} {}", bytes, units[unit]);
}

std::string format_wait(std::chrono::seconds wait)
{
    const auto seconds = wait.count();
    if (seconds < 60)
        return fmt::format("{}s", seconds);
    if (seconds < 3600)
        return fmt::format("{}m {:02}s", seconds / 60, seconds % 60);
    return fmt::format("{}h {:02}m", seconds / 3600, seconds / 60 % 60);
}

} // namespace chargifyd::ctl
