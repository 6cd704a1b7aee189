#include "ctl/command_tree.hpp"
#include "ctl/commands.hpp"
#include "ctl/simulate.hpp"

#include <CLI/CLI.hpp>
#include <spdlog/fmt/fmt.h>

#include <map>
#include <sys/resource.h>

namespace chargifyd::ctl {

namespace {

struct load_command {
    std::shared_ptr<target_options> to;
    simulate::load_options with;
    double duration_seconds = 10;
    bool no_keep_alive = false;
};

const std::map<std::string, simulate::load_mix> mixes{{"payments", simulate::load_mix::payments},
                                                      {"renewals", simulate::load_mix::renewals},
                                                      {"signups", simulate::load_mix::signups},
                                                      {"usage", simulate::load_mix::usage},
                                                      {"all", simulate::load_mix::all}};

/// A descriptor for each connection: as many as the system lets this process have.
void raise_descriptor_limit() noexcept
{
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

double milliseconds(std::chrono::microseconds t)
{
    return static_cast<double>(t.count()) / 1000;
}

cell count(std::uint64_t n)
{
    return static_cast<std::int64_t>(n);
}

void write_report(context& ctx, const simulate::load_report& r)
{
    const double per_second = r.seconds > 0 ? static_cast<double>(r.acknowledged) / r.seconds : 0;
    write_object(ctx.out(),
                 {{"sent", kind::integer},
                  {"acknowledged", kind::integer},
                  {"refused", kind::integer},
                  {"failed", kind::integer},
                  {"missed", kind::integer},
                  {"resumed", kind::integer},
                  {"seconds", kind::real},
                  {"acknowledged_per_second", kind::real},
                  {"p50_ms", kind::real},
                  {"p99_ms", kind::real},
                  {"p999_ms", kind::real},
                  {"max_ms", kind::real},
                  {"late_p99_ms", kind::real},
                  {"late_max_ms", kind::real},
                  {"cpu_seconds", kind::real},
                  {"failure"}},
                 {count(r.sent), count(r.acknowledged), count(r.refused), count(r.failed), count(r.missed),
                  count(r.resumed), r.seconds, per_second, milliseconds(r.p50), milliseconds(r.p99),
                  milliseconds(r.p999), milliseconds(r.max), milliseconds(r.late_p99),
                  milliseconds(r.late_max), r.cpu_seconds, r.failure.empty() ? cell() : cell(r.failure)});
}

exit_code load(context& ctx, const load_command& what)
{
    const simulate::target to = make_target(ctx, *what.to);
    simulate::load_options with = what.with;
    with.duration = milliseconds_of(what.duration_seconds);
    with.keep_alive = !what.no_keep_alive;
    with.site = what.to->site_name();
    raise_descriptor_limit();
    const simulate::load_report r = value_or_fail(simulate::run_load(to, with));
    write_report(ctx, r);
    if (r.cpu_seconds > 0.9 * r.seconds * with.threads)
        ctx.note("the sending threads were busy all the time: the numbers may be theirs, not the server's; "
                 "try --threads");
    if (r.missed > 0)
        ctx.note(fmt::format(
            "{} webhooks were due but no connection was free: the latencies are better than the truth",
            r.missed));
    return r.acknowledged == r.sent + r.missed ? exit_code::done : exit_code::failed;
}

void add_load_options(CLI::App& command, load_command& what)
{
    command.add_option("--connections", what.with.connections, "Connections (64)")
        ->type_name("N")
        ->check(CLI::Range(1, 100000));
    command.add_option("--duration", what.duration_seconds, "Stop after this time (10) ...")
        ->type_name("SECONDS")
        ->check(CLI::Range(0.001, 86400.0));
    command
        .add_option("--webhooks", what.with.webhooks,
                    "... or after this many webhooks (0: only after the time)")
        ->type_name("N");
    command
        .add_option(
            "--rate", what.with.rate,
            "Offer this many webhooks per second, whether or not the server keeps up, and count latency from "
            "when each was due (0: each connection sends as soon as it is answered)")
        ->type_name("R")
        ->check(CLI::Range(0.0, 10000000.0));
    CLI::Option* bytes = command.add_option("--body-bytes", what.with.body_bytes, "Size of a body (4096)")
                             ->type_name("B")
                             ->check(CLI::Range(2000, 16 * 1024 * 1024));
    CLI::Option* const mix =
        command
            .add_option(
                "--mix", what.with.mix,
                "Send renewals, signups, usage or all kinds of events, with the sizes they have, instead of "
                "payments")
            ->type_name("MIX")
            ->transform(CLI::CheckedTransformer(mixes, CLI::ignore_case))
            ->excludes(bytes);
    offer(*mix, {"payments", "renewals", "signups", "usage", "all"});
    command
        .add_option("--subscriptions", what.with.subscriptions,
                    "How many subscriptions they speak of (10000)")
        ->type_name("N")
        ->check(CLI::Range(1, 1000000000));
    command
        .add_option("--first", what.with.first, "Number of the first webhook, to go on where a run ended (1)")
        ->type_name("N");
    CLI::Option* const anew =
        command.add_flag("--no-keep-alive", what.no_keep_alive, "Open a connection for each webhook");
    command
        .add_flag("--resume", what.with.resume, "Have each of them resume the TLS session of the one before")
        ->needs(anew);
    command.add_option("--threads", what.with.threads, "Sending threads (1)")
        ->type_name("T")
        ->check(CLI::Range(1, 256));
}

} // namespace

void add_simulate_load(CLI::App& simulate_command, context& ctx, const std::shared_ptr<target_options>& to)
{
    const auto what = std::make_shared<load_command>();
    what->to = to;
    CLI::App& command = add_command(
        simulate_command, ctx, "load", "Send many webhooks at once, and report rates and latencies",
        "Latencies are of answered webhooks. sent = acknowledged + refused + failed; missed were due but not "
        "sent.\n"
        "Exit status: 0 everything was acknowledged, 1 something was not.\n\n"
        "Examples:\n"
        "  chargifyctl simulate load --insecure --duration 30 https://localhost/webhooks/acme\n"
        "  chargifyctl simulate load --mix renewals --key-file key http://127.0.0.1:8080/webhooks/acme\n"
        "  chargifyctl simulate load --rate 2000 --connections 200 --key-file key "
        "http://127.0.0.1:8080/webhooks/acme",
        [what](context& c) { return load(c, *what); });
    add_target_options(command, to);
    add_load_options(command, *what);
}

} // namespace chargifyd::ctl
