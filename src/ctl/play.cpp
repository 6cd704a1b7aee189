#include "ctl/play.hpp"

#include <spdlog/fmt/fmt.h>

#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

namespace chargifyd::ctl {

namespace {

using steady = std::chrono::steady_clock;

/// Shares a queue among threads. What waits for its retry keeps nobody from sending the rest.
class shared_queue {
public:
    shared_queue(delivery_queue queue, const std::function<void(const delivered&)>& seen)
        : queue_(std::move(queue))
        , seen_(seen)
    {}

    /// The next to send; nothing when all is done. Waits while others may yet fail or a retry is not due.
    std::optional<delivery_queue::delivery> take()
    {
        std::unique_lock lock(mutex_);
        while (!failure_) {
            if (auto next = queue_.take(steady::now())) {
                ++under_way_;
                return next;
            }
            if (const auto due = queue_.next_retry())
                changed_.wait_until(lock, *due);
            else if (under_way_ == 0)
                return std::nullopt;
            else
                changed_.wait(lock);
        }
        return std::nullopt;
    }

    void account(const delivery_queue::delivery& what, const simulate::webhook& sent,
                 const simulate::attempt& answer)
    {
        const std::scoped_lock lock(mutex_);
        const bool good = answer.status == 200;
        const auto again = good ? std::nullopt : queue_.failed(what, steady::now());
        --under_way_;
        changed_.notify_all();
        if (!failure_)
            seen_({sent, what.attempt, answer, again});
    }

    void fail(std::exception_ptr why)
    {
        const std::scoped_lock lock(mutex_);
        failure_ = std::move(why);
        changed_.notify_all();
    }

    void rethrow() const
    {
        if (failure_)
            std::rethrow_exception(failure_);
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    delivery_queue queue_;
    const std::function<void(const delivered&)>& seen_;
    std::size_t under_way_ = 0;
    std::exception_ptr failure_;
};

void send_all(shared_queue& queue, simulate::sender& over,
              const std::function<simulate::webhook(std::size_t)>& make)
{
    try {
        while (const auto next = queue.take()) {
            const simulate::webhook what = make(next->webhook);
            queue.account(*next, what, over.post(what));
        }
    } catch (...) {
        queue.fail(std::current_exception());
    }
}

std::string outcome_of(const delivered& d)
{
    if (d.acknowledged())
        return "acknowledged";
    const char* what = d.answer.status == 0 ? "no answer" : "refused";
    if (!d.again)
        return what;
    return fmt::format("{}, again in {:g} s", what, std::chrono::duration<double>(*d.again).count());
}

std::vector<cell> cells_of(const delivered& d)
{
    return {d.what.id,
            d.what.event,
            std::int64_t{d.number},
            d.answer.status == 0 ? cell() : cell(std::int64_t{d.answer.status}),
            static_cast<double>(d.answer.took.count()) / 1000,
            outcome_of(d),
            d.answer.failure.empty() ? cell() : cell(d.answer.failure)};
}

} // namespace

void deliver(std::vector<simulate::sender>& over, delivery_queue queue,
             const std::function<simulate::webhook(std::size_t)>& make,
             const std::function<void(const delivered&)>& seen)
{
    shared_queue shared(std::move(queue), seen);
    {
        std::vector<std::jthread> threads;
        for (std::size_t i = 1; i < over.size(); ++i)
            threads.emplace_back([&shared, &line = over[i], &make] { send_all(shared, line, make); });
        send_all(shared, over.front(), make);
    }
    shared.rethrow();
}

exit_code play(context& ctx, simulate::sender to, const std::vector<simulate::webhook>& all,
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
    const auto seen = [&](const delivered& d) {
        rows.row(cells_of(d));
        rows.flush();
        sent += d.number == 1 ? 1 : 0;
        good += d.acknowledged() ? 1 : 0;
    };
    std::vector<simulate::sender> over;
    over.push_back(std::move(to));
    deliver(
        over, std::move(queue), [&all](std::size_t n) { return all[n]; }, seen);
    rows.finish();
    ctx.note(fmt::format("{} of {} acknowledged", good, sent));
    return good == sent ? exit_code::done : exit_code::failed;
}

} // namespace chargifyd::ctl
