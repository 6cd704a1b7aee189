#include "ctl/commands.hpp"
#include "ctl/state_rows.hpp"

#include <CLI/CLI.hpp>

#include <memory>

namespace chargifyd::ctl {

namespace {

exit_code list_or_show(context& ctx, const state::subscription_filter& with)
{
    state::state_reader state = open_state(ctx);
    if (with.id)
        write_one(ctx, state, state::show_subscription(with), "no subscription " + std::to_string(*with.id));
    else
        write_rows(ctx, state, state::list_subscriptions(with));
    return exit_code::done;
}

exit_code history(context& ctx, const state::subscription_filter& with)
{
    state::state_reader state = open_state(ctx);
    if (write_rows(ctx, state, state::subscription_history(with)) == 0)
        throw failure(exit_code::not_found, "nothing is known of a subscription " + std::to_string(*with.id));
    return exit_code::done;
}

} // namespace

void add_subscriptions(CLI::App& app, context& ctx)
{
    const auto with = std::make_shared<state::subscription_filter>();
    CLI::App& command = add_command(app, ctx, "subscriptions", "List subscriptions, or show one",
                                    "Examples:\n"
                                    "  chargifyctl subscriptions --state past_due\n"
                                    "  chargifyctl subscriptions --customer user-42\n"
                                    "  chargifyctl subscriptions 15100141\n"
                                    "  chargifyctl subscriptions history 15100141",
                                    [with](context& c) { return list_or_show(c, *with); });
    command.add_option("ID", with->id, "Show this subscription, every column")->type_name("");
    command.add_option("--state", with->state, "Only in this state")->type_name("STATE");
    command.add_option("--customer", with->customer_reference, "Only of the customer with this reference")
        ->type_name("REFERENCE");
    command.add_option("--site", with->site, "Only of this site")->type_name("SITE");
    command.add_option("--limit", with->limit, "At most so many (default: all)")->type_name("N");

    const auto past = std::make_shared<state::subscription_filter>();
    CLI::App& of_one = add_command(command, ctx, "history", "What happened to a subscription, oldest first",
                                   "Example:\n  chargifyctl subscriptions history 15100141",
                                   [past](context& c) { return history(c, *past); });
    of_one.add_option("ID", past->id, "The subscription")->type_name("")->required();
    of_one.add_option("--site", past->site, "Of this site")->type_name("SITE");
}

} // namespace chargifyd::ctl
