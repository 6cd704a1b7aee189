#include "simulate/connection.hpp"
#include "simulate/histogram.hpp"
#include "simulate/request.hpp"

#include "chargifyd/simulate/sender.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <atomic>
#include <cmath>
#include <limits>
#include <thread>
#include <time.h>

namespace chargifyd::simulate {

namespace {

using steady = std::chrono::steady_clock;
using timer = net::basic_waitable_timer<steady, net::wait_traits<steady>, executor>;
using namespace std::chrono_literals;

constexpr auto as_result = net::as_tuple(net::use_awaitable_t<executor>{});

/// Closed loop: a connection that failed waits, so that a server that is away is not asked without pause.
constexpr auto pause_after_failure = 100ms;

double process_cpu_seconds() noexcept
{
    timespec now{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

/// How many webhooks the options allow at most.
std::uint64_t most_webhooks(const load_options& with) noexcept
{
    auto most = with.webhooks == 0 ? std::numeric_limits<std::uint64_t>::max() : with.webhooks;
    if (with.rate > 0) {
        const double due = std::ceil(with.rate * std::chrono::duration<double>(with.duration).count());
        if (due < static_cast<double>(most))
            most = static_cast<std::uint64_t>(due);
    }
    return most;
}

/// What all threads of one run share.
class course {
public:
    course(const load_options& options, const destination& where, request_writer w,
           std::chrono::milliseconds patience, const std::function<void(std::int64_t)>& on_acked)
        : with(options)
        , to(where)
        , writer(std::move(w))
        , timeout(patience)
        , acked(on_acked)
        , most(most_webhooks(options))
    {}

    void start() noexcept
    {
        began = steady::now();
        ends = began + with.duration;
    }

    /// The next webhook's number, counted from 0, or nothing when time or count are up.
    std::optional<std::uint64_t> take() noexcept
    {
        if (steady::now() >= ends)
            return std::nullopt;
        const std::uint64_t n = next_.fetch_add(1, std::memory_order_relaxed);
        return n < most ? std::optional(n) : std::nullopt;
    }

    bool is_open_loop() const noexcept { return with.rate > 0; }

    /// Open loop: when webhook `n` is to be sent.
    steady::time_point due(std::uint64_t n) const noexcept
    {
        const std::chrono::duration<double> since(static_cast<double>(n) / with.rate);
        return began + std::chrono::duration_cast<steady::duration>(since);
    }

    const load_options& with;
    const destination& to;
    const request_writer writer;
    const std::chrono::milliseconds timeout;
    const std::function<void(std::int64_t)>& acked;
    const std::uint64_t most;
    steady::time_point began;
    steady::time_point ends;

private:
    std::atomic<std::uint64_t> next_{0};
};

/// One connection and what it needs between two webhooks.
struct lane {
    lane(net::io_context& on, const destination& to)
        : line(on.get_executor(), to)
        , pace(on)
    {}

    connection line;
    timer pace;
    std::string request;
    steady::time_point deadline = steady::time_point::max();
};

/// One thread's share of the connections. Everything here runs on that thread.
class worker {
public:
    worker(course& shared, std::size_t connections)
        : shared_(shared)
        , sweep_(context_)
    {
        for (std::size_t i = 0; i < connections; ++i)
            lanes_.push_back(std::make_unique<lane>(context_, shared.to));
    }

    /// Opens the connections, or only one to see whether anybody is there.
    void open_all()
    {
        for (const auto& l : lanes_) {
            run_coroutine(open(*l));
            if (!shared_.with.keep_alive)
                break;
        }
        run();
    }

    void play_all()
    {
        for (const auto& l : lanes_)
            run_coroutine(play(*l));
        run();
        for (const auto& l : lanes_)
            counts.resumed += l->line.resumed();
    }

    std::size_t opened() const noexcept { return opened_; }

    load_report counts;
    histogram latencies;
    histogram lateness;
    steady::time_point last_end = steady::time_point::min();
    std::exception_ptr failure;

private:
    void run_coroutine(task<void> what);
    void run();
    task<void> open(lane& l);
    task<void> play(lane& l);
    void sweep();
    void account(const reply& r, std::int64_t id, steady::time_point since);

    course& shared_;
    net::io_context context_{1};
    timer sweep_;
    std::vector<std::unique_ptr<lane>> lanes_;
    std::size_t active_ = 0;
    std::size_t opened_ = 0;
};

void worker::run_coroutine(task<void> what)
{
    ++active_;
    net::co_spawn(context_.get_executor(), std::move(what), [this](std::exception_ptr e) {
        if (e && !failure)
            failure = e;
        if (--active_ == 0 || e) {
            sweep_.cancel();
            if (e)
                context_.stop();
        }
    });
}

void worker::run()
{
    context_.restart();
    sweep();
    context_.run();
}

/// Deadlines are looked at now and then for all lanes together: a timer of its own for each webhook would
/// cost more than the webhook.
void worker::sweep()
{
    sweep_.expires_after(std::clamp<steady::duration>(shared_.timeout / 10, 1ms, 50ms));
    sweep_.async_wait([this](const boost::system::error_code& ec) {
        if (ec || active_ == 0)
            return;
        const auto now = steady::now();
        for (const auto& l : lanes_) {
            if (now >= l->deadline)
                l->line.abort();
        }
        sweep();
    });
}

task<void> worker::open(lane& l)
{
    l.deadline = steady::now() + shared_.timeout;
    const reply r = co_await l.line.open();
    l.deadline = steady::time_point::max();
    if (r.failed == phase::none)
        ++opened_;
    else if (counts.failure.empty())
        counts.failure = describe(r, shared_.to.where);
    if (!shared_.with.keep_alive)
        l.line.close();
}

task<void> worker::play(lane& l)
{
    while (const auto n = shared_.take()) {
        auto since = steady::now();
        if (shared_.is_open_loop()) {
            const auto due = shared_.due(*n);
            if (due > since) {
                l.pace.expires_at(due);
                co_await l.pace.async_wait(as_result);
                lateness.record(std::chrono::duration_cast<std::chrono::microseconds>(steady::now() - due));
            }
            since = due;
        }
        const load_options& with = shared_.with;
        const webhook what =
            mixed_webhook(with.mix, with.site, with.first + *n, with.subscriptions, with.body_bytes);
        shared_.writer.write(l.request, what.id, what.body);
        ++counts.sent;
        l.deadline = steady::now() + shared_.timeout;
        const reply r = co_await l.line.post(l.request);
        l.deadline = steady::time_point::max();
        if (!with.keep_alive)
            l.line.close();
        account(r, what.id, since);
        if (r.status == 0 && !shared_.is_open_loop()) {
            l.pace.expires_after(pause_after_failure);
            co_await l.pace.async_wait(as_result);
        }
    }
}

void worker::account(const reply& r, std::int64_t id, steady::time_point since)
{
    last_end = steady::now();
    if (r.status == 0) {
        ++counts.failed;
        if (counts.failure.empty())
            counts.failure = describe(r, shared_.to.where);
        return;
    }
    latencies.record(std::chrono::duration_cast<std::chrono::microseconds>(last_end - since));
    if (r.status != 200) {
        ++counts.refused;
        return;
    }
    ++counts.acknowledged;
    if (shared_.acked)
        shared_.acked(id);
}

result<void> check(const load_options& with)
{
    const auto invalid = [](const char* what) { return make_error(errc::invalid, what); };
    if (with.connections < 1 || with.connections > 100000)
        return invalid("a load needs 1 to 100000 connections");
    if (with.threads < 1 || with.threads > 256)
        return invalid("a load needs 1 to 256 threads");
    if (with.duration <= 0ms)
        return invalid("a load needs a duration above zero");
    if (!std::isfinite(with.rate) || with.rate < 0)
        return invalid("the rate of a load is zero or a number of webhooks per second");
    if (with.subscriptions < 1)
        return invalid("a load speaks of at least one subscription");
    if (with.resume && with.keep_alive)
        return invalid("sessions are resumed by new connections: not while connections are kept");
    return {};
}

std::vector<std::unique_ptr<worker>> make_workers(course& shared)
{
    const std::size_t threads = std::min<std::size_t>(shared.with.threads, shared.with.connections);
    std::vector<std::unique_ptr<worker>> out;
    for (std::size_t i = 0; i < threads; ++i) {
        const std::size_t extra = i < shared.with.connections % threads ? 1 : 0;
        out.push_back(std::make_unique<worker>(shared, shared.with.connections / threads + extra));
    }
    return out;
}

/// Runs one part of the work on a thread for each worker, to its end.
void on_all(const std::vector<std::unique_ptr<worker>>& workers, void (worker::*part)())
{
    {
        std::vector<std::jthread> threads;
        for (const auto& w : workers)
            threads.emplace_back([&w, part] { (w.get()->*part)(); });
    }
    for (const auto& w : workers) {
        if (w->failure)
            std::rethrow_exception(w->failure);
    }
}

load_report summarize(const course& shared, const std::vector<std::unique_ptr<worker>>& workers)
{
    load_report out;
    histogram latencies;
    histogram lateness;
    auto last_end = shared.began;
    for (const auto& w : workers) {
        out.sent += w->counts.sent;
        out.acknowledged += w->counts.acknowledged;
        out.refused += w->counts.refused;
        out.failed += w->counts.failed;
        out.resumed += w->counts.resumed;
        if (out.failure.empty())
            out.failure = w->counts.failure;
        latencies.merge(w->latencies);
        lateness.merge(w->lateness);
        last_end = std::max(last_end, w->last_end);
    }
    if (shared.is_open_loop())
        out.missed = shared.most - out.sent;
    out.seconds = std::chrono::duration<double>(last_end - shared.began).count();
    out.p50 = latencies.quantile(0.5);
    out.p99 = latencies.quantile(0.99);
    out.p999 = latencies.quantile(0.999);
    out.max = latencies.max();
    out.late_p99 = lateness.quantile(0.99);
    out.late_max = lateness.max();
    return out;
}

} // namespace

result<load_report> run_load(const target& to, const load_options& with,
                             const std::function<void(std::int64_t id)>& acked)
{
    if (const auto sound = check(with); !sound)
        return sound.error();
    auto where = parse_endpoint(to.url);
    if (!where)
        return where.error();
    auto tls = make_tls_context(to, *where);
    if (!tls)
        return tls.error();
    auto addresses = resolve(*where);
    if (!addresses)
        return addresses.error();
    destination goal;
    goal.where = std::move(*where);
    goal.tls = std::move(*tls);
    goal.addresses = std::move(*addresses);
    goal.resume = with.resume;

    course shared(with, goal, request_writer(goal.where, to.shared_key, with.keep_alive), to.timeout, acked);
    const auto workers = make_workers(shared);
    on_all(workers, &worker::open_all);
    std::size_t opened = 0;
    for (const auto& w : workers)
        opened += w->opened();
    if (opened == 0)
        return make_error(errc::unavailable, workers.front()->counts.failure);

    const double cpu_before = process_cpu_seconds();
    shared.start();
    on_all(workers, &worker::play_all);
    load_report out = summarize(shared, workers);
    out.cpu_seconds = process_cpu_seconds() - cpu_before;
    return out;
}

} // namespace chargifyd::simulate
