#include "ctl/change_options.hpp"

#include "ctl/command_tree.hpp"
#include "ctl/moments.hpp"

#include "chargifyd/state/words.hpp"

#include <CLI/CLI.hpp>

namespace chargifyd::ctl {

void add_change_options(CLI::App& command, state::change_filter& with)
{
    const auto kinds = state::change_kinds();
    offer(*command.add_option("--kind", with.kinds, "Only of this kind; may be repeated")->type_name("KIND"),
          {kinds.begin(), kinds.end()});
    command.add_option("--since", with.since, std::string("Only since then: ") + moment_help)
        ->type_name("TIME");
    command.add_option("--until", with.until, "Only before then")->type_name("TIME");
}

void check_kinds(const std::vector<std::string>& kinds)
{
    for (const std::string& kind : kinds) {
        if (state::is_change_kind(kind))
            continue;
        std::string all;
        for (const std::string_view known : state::change_kinds())
            all += (all.empty() ? "" : ", ") + std::string(known);
        throw failure(exit_code::usage, "there is no kind '" + kind + "'; the kinds are " + all);
    }
}

std::optional<state::change_subject> find_subject(state::state_reader& state, const subject_options& which)
{
    if (which.subscription_id)
        return value_or_fail(
            state::find_subscription_subject(state, {which.site, which.subscription_id, {}}));
    if (!which.customer_id && which.customer_reference.empty())
        return std::nullopt;
    const auto found =
        value_or_fail(state::find_customer(state, {which.site, which.customer_id, which.customer_reference}));
    return state::change_subject{found.site, {}, found.id};
}

} // namespace chargifyd::ctl
