#include "ctl/play.hpp"

#include <spdlog/fmt/fmt.h>

#include <thread>

namespace chargifyd::ctl {

namespace {

using steady = std::chrono::steady_clock;

constexpr unsigned acknowledged = 200;

std::string outcome_of(unsigned status, const std::optional<std::chrono::milliseconds>& wait)
{
    if (status == acknowledged)
        return "acknowledged";
    const char* what = status == 0 ? "no answer" : "refused";
    if (!wait)
        return what;
    return fmt::format("{}, again in {:g} s", what, std::chrono::duration<double>(*wait).count());
}

std::vector<cell> cells_of(const simulate::webhook& w, unsigned number, const simulate::attempt& a,
                           const std::string& outcome)
{
    return {w.id,
            w.event,
            std::int64_t{number},
            a.status == 0 ? cell() : cell(std::int64_t{a.status}),
            static_cast<double>(a.took.count()) / 1000,
            outcome,
            a.failure.empty() ? cell() : cell(a.failure)};
}

} // namespace

exit_code play(context& ctx, simulate::sender& to, const std::vector<simulate::webhook>& all,
               delivery_queue queue)
{
    row_writer rows(ctx.out(), {{"webhook_id", kind::integer, 10},
                                {"event", kind::text, 27},
                                {"attempt", kind::integer},
                                {"status", kind::integer},
                                {"ms", kind::real, 9},
                                {"outcome", kind::text, 12},
                                {"failure"}});
    std::size_t sent = 0;
    std::size_t good = 0;
    for (;;) {
        const auto next = queue.take(steady::now());
        if (!next) {
            const auto due = queue.next_retry();
            if (!due)
                break;
            std::this_thread::sleep_until(*due);
            continue;
        }
        const simulate::webhook& w = all[next->webhook];
        const simulate::attempt a = to.post(w);
        const bool ok = a.status == acknowledged;
        const auto wait = ok ? std::nullopt : queue.failed(*next, steady::now());
        rows.row(cells_of(w, next->attempt, a, outcome_of(a.status, wait)));
        rows.flush();
        if (next->attempt == 1)
            ++sent;
        if (ok)
            ++good;
    }
    rows.finish();
    ctx.note(fmt::format("{} of {} acknowledged", good, sent));
    return good == sent ? exit_code::done : exit_code::failed;
}

} // namespace chargifyd::ctl
