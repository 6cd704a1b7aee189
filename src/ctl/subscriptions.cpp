#include "ctl/command_tree.hpp"
#include "ctl/commands.hpp"
#include "ctl/moments.hpp"
#include "ctl/state_rows.hpp"

#include "chargifyd/state/queries_changes.hpp"

#include <CLI/CLI.hpp>

#include <memory>

namespace chargifyd::ctl {

namespace {

struct subscription_options {
    std::optional<std::int64_t> id;
    state::subscription_filter filter;
    std::string has_access; ///< `yes`, `no`, or empty
    page_options page;
};

exit_code list_or_show(context& ctx, subscription_options with)
{
    state::state_reader state = open_state(ctx);
    if (with.id) {
        const auto which = value_or_fail(state::find_subscription(state, {with.filter.site, with.id, {}}));
        write_with_sections(ctx, state, state::show_subscription(which),
                            state::sections_of_subscription(which));
        return exit_code::done;
    }
    with.filter.updated_since = moment_or_fail(with.filter.updated_since);
    if (!with.has_access.empty())
        with.filter.has_access = with.has_access == "yes";
    write_list(ctx, state, value_or_fail(state::list_subscriptions(state, with.filter)), with.page);
    return exit_code::done;
}

exit_code history(context& ctx, const state::object_name& which)
{
    state::state_reader state = open_state(ctx);
    const auto subject = value_or_fail(state::find_subscription_subject(state, which));
    write_list(ctx, state, state::list_changes_of(subject, {}), {}, {"at", "seq", "kind", "text"});
    return exit_code::done;
}

} // namespace

void add_subscriptions(CLI::App& app, context& ctx)
{
    const auto with = std::make_shared<subscription_options>();
    CLI::App& command = add_command(app, ctx, "subscriptions", "List subscriptions, or show one",
                                    "Examples:\n"
                                    "  chargifyctl subscriptions --state past_due\n"
                                    "  chargifyctl subscriptions --customer user-42\n"
                                    "  chargifyctl subscriptions --product pro --has-access no\n"
                                    "  chargifyctl subscriptions --updated-since 2h\n"
                                    "  chargifyctl subscriptions 15100141\n"
                                    "  chargifyctl subscriptions history 15100141",
                                    [with](context& c) { return list_or_show(c, *with); });
    command.add_option("ID", with->id, "Show this subscription, every column")->type_name("");
    offer(*command.add_option("--state", with->filter.state, "Only in this state")->type_name("STATE"),
          state_choices());
    command.add_option("--product", with->filter.product, "Only of the product with this handle")
        ->type_name("HANDLE");
    command
        .add_option("--customer", with->filter.customer_reference, "Only of the customer with this reference")
        ->type_name("REFERENCE");
    command.add_option("--reference", with->filter.reference, "Only with this reference of its own")
        ->type_name("REFERENCE");
    command.add_option("--has-access", with->has_access, "Only with access, or only without: yes or no")
        ->check(CLI::IsMember({"yes", "no"}))
        ->type_name("YES|NO");
    command
        .add_option("--updated-since", with->filter.updated_since,
                    std::string("Only changed at Chargify since then: ") + moment_help)
        ->type_name("TIME");
    command.add_option("--site", with->filter.site, "Only of this site")->type_name("SITE");
    add_page_options(command, with->page);

    const auto past = std::make_shared<state::object_name>();
    CLI::App& of_one = add_command(command, ctx, "history", "What happened to a subscription, oldest first",
                                   "Example:\n  chargifyctl subscriptions history 15100141",
                                   [past](context& c) { return history(c, *past); });
    of_one.add_option("ID", past->id, "The subscription")->type_name("")->required();
    of_one.add_option("--site", past->site, "Of this site")->type_name("SITE");
}

} // namespace chargifyd::ctl
