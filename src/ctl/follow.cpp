#include "ctl/follow.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

namespace chargifyd::ctl {

namespace {

using namespace std::chrono_literals;

constexpr auto interval = 500ms;
constexpr std::uint64_t page_rows = 1000;

/// Shows what comes after a number, and returns the last one shown.
std::int64_t show(state::state_reader& state, state_rows& rows, const followed& what, std::int64_t after)
{
    const state::list list = what.list(state);
    std::size_t place = 0;
    std::int64_t last = after;
    std::optional<std::string> position = std::to_string(after);
    while (position) {
        position = value_or_fail(read_page(
            state, list, *position, page_rows,
            [&](std::span<const state::result_column> columns) {
                rows.columns(columns);
                place = static_cast<std::size_t>(
                    std::ranges::find(columns, what.number, &state::result_column::name) - columns.begin());
            },
            [&](std::span<const state::value> row) {
                rows.row(row);
                last = std::get<std::int64_t>(row[place]);
            }));
    }
    return last;
}

} // namespace

void follow(state::state_reader& state, state_rows& rows, const followed& what, std::int64_t after)
{
    for (;;) {
        // Taken before the look, which thus sees everything up to there.
        const std::int64_t newest = what.newest(state);
        after = std::max(newest, show(state, rows, what, after));
        rows.flush();
        std::this_thread::sleep_for(interval);
    }
}

} // namespace chargifyd::ctl
