#include "ctl/simulate.hpp"

#include "ctl/commands.hpp"
#include "ctl/delivery.hpp"
#include "ctl/play.hpp"

#include "chargifyd/simulate/body.hpp"

#include <CLI/CLI.hpp>

#include <cmath>

namespace chargifyd::ctl {

namespace {

struct simulate_options {
    std::shared_ptr<target_options> to = std::make_shared<target_options>();
    unsigned lives = 1;
    bool together = false;
    plan_options plan;
    bool retry = false;
    double retry_speed = 1;
    bool print = false;
};

std::vector<simulate::webhook> make_lives(const simulate_options& with)
{
    if (with.together) {
        simulate::population_options all;
        all.seed = with.plan.seed;
        all.subscriptions = with.lives;
        all.site = with.to->site_name();
        return simulate::population(all);
    }
    std::vector<simulate::webhook> all;
    simulate::life_options life;
    life.site = with.to->site_name();
    for (unsigned i = 0; i < with.lives; ++i) {
        life.seed = with.plan.seed + i;
        for (simulate::webhook& w : simulate::subscription_life(life))
            all.push_back(std::move(w));
    }
    return all;
}

exit_code simulate_lives(context& ctx, const simulate_options& with)
{
    if (!with.print && with.to->url.empty())
        throw failure(exit_code::usage, "give the URL to post to, or --print");
    const std::vector<simulate::webhook> all = make_lives(with);
    std::vector<std::size_t> order = plan_order(all.size(), with.plan);
    if (with.print) {
        print_bodies(ctx, all, order);
        return exit_code::done;
    }
    auto to = value_or_fail(simulate::sender::make(make_target(ctx, *with.to)));
    return play(ctx, std::move(to), all, delivery_queue(std::move(order), with.retry, with.retry_speed));
}

void add_life_options(CLI::App& command, simulate_options& with)
{
    command.add_option("--lives", with.lives, "How many subscriptions live, one after the other (1)")
        ->type_name("N")
        ->check(CLI::Range(1U, 1000U));
    command.add_flag("--together", with.together,
                     "Let them live side by side, a signup every six hours, in the order of time");
    command.add_option("--seed", with.plan.seed, "Decides names, ids, amounts, duplicates and order (1)")
        ->type_name("S");
    command.add_option("--duplicates", with.plan.duplicate_percent, "Send this share of the webhooks twice")
        ->type_name("PERCENT")
        ->check(CLI::Range(0.0, 100.0));
    command.add_flag("--reorder", with.plan.reorder, "Shuffle all webhooks");
    command.add_flag(
        "--retry", with.retry,
        "Try a webhook that was not acknowledged again, as Chargify does: after 10, 15, 90 and 180 seconds");
    command.add_option("--retry-speed", with.retry_speed, "Divide these waits (1)")
        ->type_name("X")
        ->check(CLI::Range(0.001, 1000000.0));
    command.add_flag("--print", with.print, "Write the bodies, one to a line, and send nothing");
}

} // namespace

void print_bodies(context& ctx, const std::vector<simulate::webhook>& all,
                  const std::vector<std::size_t>& order)
{
    if (!ctx.common.json && !ctx.common.csv) {
        for (const std::size_t i : order)
            ctx.out().line(all[i].body);
        return;
    }
    row_writer rows(ctx.out(), {{"webhook_id", kind::integer}, {"event"}, {"body"}});
    for (const std::size_t i : order)
        rows.row({all[i].id, all[i].event, all[i].body});
    rows.finish();
}

std::string site_in_url(std::string_view url)
{
    constexpr std::string_view route = "/webhooks/";
    url = url.substr(0, url.find_first_of("?#"));
    const auto at = url.rfind(route);
    if (at == std::string_view::npos)
        return {};
    const std::string_view name = url.substr(at + route.size());
    return name.find('/') == std::string_view::npos ? std::string(name) : std::string();
}

std::string target_options::site_name() const
{
    if (!key.site.empty())
        return key.site;
    const std::string in_url = site_in_url(url);
    return in_url.empty() ? "acme" : in_url;
}

std::chrono::milliseconds milliseconds_of(double seconds)
{
    return std::chrono::ceil<std::chrono::milliseconds>(std::chrono::duration<double>(seconds));
}

void add_target_options(CLI::App& command, const std::shared_ptr<target_options>& into)
{
    command.add_option("URL", into->url, "Where to post, as https://HOST[:PORT]/webhooks/SITE")
        ->type_name("");
    add_key_options(
        command, into->key,
        "The Chargify site that sends: its name goes into the bodies, and its configured key signs "
        "(default: the site in the URL)");
    CLI::Option* insecure = command.add_flag("--insecure", into->insecure, "Accept any certificate");
    command.add_option("--ca", into->ca_file, "Certificates to trust instead of the system's, as PEM")
        ->type_name("FILE")
        ->excludes(insecure);
    command.add_option("--timeout", into->timeout_seconds, "Wait this long for each answer (15)")
        ->type_name("SECONDS")
        ->check(CLI::Range(0.001, 3600.0));
}

simulate::target make_target(context& ctx, const target_options& from)
{
    if (from.url.empty())
        throw failure(exit_code::usage, "give the URL to post to");
    key_options key = from.key;
    if (key.site.empty())
        key.site = site_in_url(from.url);
    simulate::target to;
    to.url = from.url;
    to.shared_key = find_keys(ctx, key).front();
    to.ca_file = from.ca_file;
    to.insecure = from.insecure;
    to.timeout = milliseconds_of(from.timeout_seconds);
    return to;
}

void add_simulate(CLI::App& app, context& ctx)
{
    const auto with = std::make_shared<simulate_options>();
    CLI::App& command =
        add_command(app, ctx, "simulate", "Send signed webhooks, as Chargify does",
                    "Exit status: 0 everything was acknowledged, 1 something was not.\n\n"
                    "Examples:\n"
                    "  chargifyctl simulate --insecure https://localhost/webhooks/acme\n"
                    "  chargifyctl simulate --lives 20 --duplicates 30 --reorder --key-file key "
                    "http://127.0.0.1:8080/webhooks/acme\n"
                    "  chargifyctl simulate --print --lives 8 --together > bodies.txt\n"
                    "  chargifyctl simulate event all --insecure https://localhost/webhooks/acme\n"
                    "  chargifyctl simulate test https://hooks.example.com/webhooks/acme",
                    [with](context& c) { return simulate_lives(c, *with); });
    command.require_subcommand(0, 1);
    add_target_options(command, with->to);
    add_life_options(command, *with);
    add_simulate_event(command, ctx, with->to);
    add_simulate_panel(command, ctx, with->to);
    add_simulate_test(command, ctx, with->to);
    add_simulate_storm(command, ctx, with->to);
    add_simulate_load(command, ctx, with->to);
}

} // namespace chargifyd::ctl
