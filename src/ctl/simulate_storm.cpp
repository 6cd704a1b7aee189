#include "ctl/commands.hpp"
#include "ctl/delivery.hpp"
#include "ctl/play.hpp"
#include "ctl/simulate.hpp"

#include "chargifyd/simulate/storm.hpp"

#include <CLI/CLI.hpp>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <map>

namespace chargifyd::ctl {

namespace {

struct storm_command {
    std::shared_ptr<target_options> to;
    std::uint64_t subscriptions = 1000;
    unsigned connections = 32;
    double retry_speed = 1;
    plan_options plan;
};

/// What came of all attempts.
class tally {
public:
    void add(const delivered& d)
    {
        ++attempts_;
        first_ += d.acknowledged() && d.number == 1 ? 1 : 0;
        acknowledged_ += d.acknowledged() ? 1 : 0;
        given_up_ += !d.acknowledged() && !d.again ? 1 : 0;
        ++statuses_[d.answer.status];
        if (d.answer.status != 0)
            latencies_.push_back(d.answer.took);
        else if (failure_.empty())
            failure_ = d.answer.failure;
    }

    bool all_acknowledged() const noexcept { return given_up_ == 0; }
    void write(context& ctx, std::uint64_t subscriptions, std::uint64_t webhooks, double seconds);

private:
    /// `{"200":12,"503":1}`; attempts without an answer under `none`.
    std::string answers() const
    {
        std::string out = "{";
        for (const auto& [status, count] : statuses_)
            out += fmt::format("{}\"{}\":{}", out.size() > 1 ? "," : "",
                               status == 0 ? "none" : std::to_string(status), count);
        return out + "}";
    }

    double quantile_ms(double fraction) const
    {
        if (latencies_.empty())
            return 0;
        const auto rank =
            static_cast<std::size_t>(std::ceil(fraction * static_cast<double>(latencies_.size())));
        return static_cast<double>(latencies_[std::max<std::size_t>(rank, 1) - 1].count()) / 1000;
    }

    std::uint64_t attempts_ = 0, first_ = 0, acknowledged_ = 0, given_up_ = 0;
    std::map<unsigned, std::uint64_t> statuses_;
    std::vector<std::chrono::microseconds> latencies_;
    std::string failure_;
};

cell count(std::uint64_t n)
{
    return static_cast<std::int64_t>(n);
}

void tally::write(context& ctx, std::uint64_t subscriptions, std::uint64_t webhooks, double seconds)
{
    std::ranges::sort(latencies_);
    write_object(ctx.out(),
                 {{"subscriptions", kind::integer},
                  {"webhooks", kind::integer},
                  {"attempts", kind::integer},
                  {"answers", kind::json},
                  {"acknowledged_at_once", kind::integer},
                  {"acknowledged", kind::integer},
                  {"given_up", kind::integer},
                  {"seconds", kind::real},
                  {"p50_ms", kind::real},
                  {"p99_ms", kind::real},
                  {"p999_ms", kind::real},
                  {"max_ms", kind::real},
                  {"failure"}},
                 {count(subscriptions), count(webhooks), count(attempts_), answers(), count(first_),
                  count(acknowledged_), count(given_up_), seconds, quantile_ms(0.5), quantile_ms(0.99),
                  quantile_ms(0.999), quantile_ms(1), failure_.empty() ? cell() : cell(failure_)});
}

exit_code storm(context& ctx, const storm_command& what)
{
    const simulate::target to = make_target(ctx, *what.to);
    std::vector<simulate::sender> over;
    for (unsigned i = 0; i < what.connections; ++i)
        over.push_back(value_or_fail(simulate::sender::make(to)));
    const simulate::renewal_storm webhooks(what.to->site_name(), what.subscriptions, what.plan.seed);
    std::vector<std::size_t> order = plan_order(webhooks.size(), what.plan);
    const std::size_t to_send = order.size();
    tally t;
    const auto began = std::chrono::steady_clock::now();
    deliver(
        over, delivery_queue(std::move(order), true, what.retry_speed),
        [&webhooks](std::size_t n) { return webhooks.at(n); }, [&t](const delivered& d) { t.add(d); });
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    t.write(ctx, what.subscriptions, to_send, took.count());
    return t.all_acknowledged() ? exit_code::done : exit_code::failed;
}

void add_storm_options(CLI::App& command, storm_command& what)
{
    command.add_option("--subscriptions", what.subscriptions, "How many subscriptions renew (1000)")
        ->type_name("N")
        ->check(CLI::Range(1, 1000000));
    command.add_option("--connections", what.connections, "Connections at once (32)")
        ->type_name("N")
        ->check(CLI::Range(1, 512));
    command
        .add_option("--seed", what.plan.seed, "Which hour: another seed is a later renewal of the same (1)")
        ->type_name("S");
    command.add_option("--duplicates", what.plan.duplicate_percent, "Send this share of the webhooks twice")
        ->type_name("PERCENT")
        ->check(CLI::Range(0.0, 100.0));
    command
        .add_option("--retry-speed", what.retry_speed,
                    "Divide the waits of 10, 15, 90 and 180 seconds before another attempt (1)")
        ->type_name("X")
        ->check(CLI::Range(0.001, 1000000.0));
}

} // namespace

void add_simulate_storm(CLI::App& simulate_command, context& ctx, const std::shared_ptr<target_options>& to)
{
    const auto what = std::make_shared<storm_command>();
    what->to = to;
    CLI::App& command = add_command(
        simulate_command, ctx, "storm", "Send a renewal hour: many subscriptions renew at once",
        "Three to six webhooks for each subscription, over many connections, with Chargify's attempts.\n"
        "Exit status: 0 everything was acknowledged in the end, 1 something was given up.\n\n"
        "Examples:\n"
        "  chargifyctl simulate storm --insecure --subscriptions 5000 https://localhost/webhooks/acme\n"
        "  chargifyctl simulate storm --retry-speed 10 --key-file key http://127.0.0.1:8080/webhooks/acme",
        [what](context& c) { return storm(c, *what); });
    add_target_options(command, to);
    add_storm_options(command, *what);
}

} // namespace chargifyd::ctl
