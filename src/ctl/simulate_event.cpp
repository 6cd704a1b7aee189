#include "ctl/command_tree.hpp"
#include "ctl/commands.hpp"
#include "ctl/play.hpp"
#include "ctl/simulate.hpp"

#include "chargifyd/chargify/events.hpp"
#include "chargifyd/chargify/timestamp.hpp"
#include "chargifyd/simulate/event.hpp"

#include <CLI/CLI.hpp>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <fstream>
#include <numeric>

namespace chargifyd::ctl {

namespace {

struct event_command {
    std::shared_ptr<target_options> to;
    std::string key;
    simulate::scene_options with;
    std::string at;
    bool older = false;
    bool print = false;
    std::filesystem::path folder;
};

bool is_key(const std::string& text)
{
    return !text.empty() &&
           text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos;
}

std::vector<std::string> keys_of(context& ctx, const std::string& key)
{
    if (!is_key(key))
        throw failure(exit_code::usage, "name the event, such as payment_success, or all");
    std::vector<std::string> keys;
    if (key == "all")
        for (const chargify::event_info& event : chargify::event_catalogue())
            keys.emplace_back(event.key);
    else
        keys.push_back(key);
    if (key != "all" && chargify::find_event(key) == nullptr)
        ctx.note(fmt::format("Chargify is not known to send {}: it says only whom it concerns", key));
    return keys;
}

simulate::scene_options scene_of(const event_command& what)
{
    simulate::scene_options with = what.with;
    with.site = what.to->site_name();
    with.style = what.older ? simulate::body_style::older : simulate::body_style::current;
    if (!what.at.empty()) {
        const auto at = chargify::parse_timestamp(what.at);
        if (!at)
            throw failure(exit_code::usage, "--at wants a time such as 2026-07-01T12:00:00Z");
        with.at = *at;
    }
    return with;
}

/// Given ids count on from one event to the next.
std::vector<simulate::webhook> make_events(context& ctx, const event_command& what)
{
    simulate::scene_options with = scene_of(what);
    std::vector<simulate::webhook> all;
    for (const std::string& key : keys_of(ctx, what.key)) {
        all.push_back(simulate::event_webhook(key, simulate::invented_scene(key, with)));
        with.webhook_id += with.webhook_id == 0 ? 0 : 1;
        with.event_id += with.event_id == 0 ? 0 : 1;
    }
    return all;
}

std::vector<simulate::webhook> make_panel(context& ctx, const event_command& what)
{
    constexpr std::int64_t first = 7'000'000'000;
    std::int64_t id = what.with.webhook_id == 0 ? first : what.with.webhook_id;
    std::vector<simulate::webhook> all;
    for (const std::string& key : keys_of(ctx, what.key))
        all.push_back(simulate::event_webhook(key, simulate::panel_scene(key, what.to->site_name(), id++)));
    return all;
}

/// One file for each, without a line end: the bytes that would be sent.
void write_files(const std::filesystem::path& folder, const std::vector<simulate::webhook>& all)
{
    std::error_code wrong;
    std::filesystem::create_directories(folder, wrong);
    for (const simulate::webhook& w : all) {
        const std::filesystem::path file = folder / (w.event + ".form");
        std::ofstream out(file, std::ios::binary);
        out << w.body;
        out.close();
        if (!out)
            throw failure(exit_code::failed, "cannot write " + file.string());
    }
}

exit_code send_or_write(context& ctx, const event_command& what, const std::vector<simulate::webhook>& all)
{
    std::vector<std::size_t> order(all.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    if (!what.folder.empty()) {
        write_files(what.folder, all);
        return exit_code::done;
    }
    if (what.print) {
        print_bodies(ctx, all, order);
        return exit_code::done;
    }
    if (what.to->url.empty())
        throw failure(exit_code::usage, "give the URL to post to, or --print");
    auto sender = value_or_fail(simulate::sender::make(make_target(ctx, *what.to)));
    return play(ctx, std::move(sender), all, delivery_queue(std::move(order), false, 1));
}

void add_common(CLI::App& command, event_command& what)
{
    std::vector<std::string> keys = event_choices();
    keys.emplace_back("all");
    offer(*command.add_option("KEY", what.key, "The event, or all of them")->type_name("")->required(), keys);
    add_target_options(command, what.to);
    command.add_option("--id", what.with.webhook_id, "The webhook's id, of the first if there are several")
        ->type_name("ID")
        ->check(CLI::PositiveNumber);
    CLI::Option* print =
        command.add_flag("--print", what.print, "Write the bodies, one to a line, and send nothing");
    command
        .add_option("--output", what.folder, "Write each body to KEY.form in this folder, and send nothing")
        ->type_name("DIR")
        ->excludes(print);
}

void add_scene_options(CLI::App& command, event_command& what)
{
    command.add_option("--seed", what.with.seed, "Decides names, amounts, ids and variants (1)")
        ->type_name("S");
    command.add_option("--event-id", what.with.event_id, "payload[event_id]")
        ->type_name("ID")
        ->check(CLI::PositiveNumber);
    command.add_option("--subscription", what.with.subscription_id, "The subscription's id")
        ->type_name("ID")
        ->check(CLI::PositiveNumber);
    command.add_option("--customer", what.with.customer_id, "The customer's id")
        ->type_name("ID")
        ->check(CLI::PositiveNumber);
    offer(*command.add_option("--state", what.with.state, "The subscription's state")->type_name("STATE"),
          state_choices());
    command.add_option("--at", what.at, "When it happens (2027-03-01T15:00:00Z)")->type_name("TIME");
    command.add_flag("--older", what.older, "Write the older form, where Chargify has had two");
}

} // namespace

void add_simulate_event(CLI::App& simulate_command, context& ctx, const std::shared_ptr<target_options>& to)
{
    const auto what = std::make_shared<event_command>();
    what->to = to;
    CLI::App& command = add_command(
        simulate_command, ctx, "event", "Send one event of any kind, or one of each",
        "Exit status: 0 everything was acknowledged, 1 something was not.\n\n"
        "Examples:\n"
        "  chargifyctl simulate event payment_failure --insecure https://localhost/webhooks/acme\n"
        "  chargifyctl simulate event subscription_state_change --subscription 42 --state canceled --print\n"
        "  chargifyctl simulate event all --output bodies",
        [what](context& c) { return send_or_write(c, *what, make_events(c, *what)); });
    add_common(command, *what);
    add_scene_options(command, *what);
}

void add_simulate_panel(CLI::App& simulate_command, context& ctx, const std::shared_ptr<target_options>& to)
{
    const auto what = std::make_shared<event_command>();
    what->to = to;
    CLI::App& command = add_command(
        simulate_command, ctx, "panel", "Send what Chargify's webhook testing panel sends",
        "Every id in them is 0: a receiver acknowledges them and keeps no state.\n"
        "Exit status: 0 everything was acknowledged, 1 something was not.\n\n"
        "Examples:\n"
        "  chargifyctl simulate panel renewal_success --insecure https://localhost/webhooks/acme\n"
        "  chargifyctl simulate panel all --print",
        [what](context& c) { return send_or_write(c, *what, make_panel(c, *what)); });
    add_common(command, *what);
}

} // namespace chargifyd::ctl
