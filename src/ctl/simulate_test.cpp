#include "ctl/commands.hpp"
#include "ctl/play.hpp"
#include "ctl/simulate.hpp"

#include "chargifyd/simulate/body.hpp"

#include <CLI/CLI.hpp>

namespace chargifyd::ctl {

void add_simulate_test(CLI::App& simulate_command, context& ctx, const std::shared_ptr<target_options>& to)
{
    const auto id = std::make_shared<std::int64_t>(123456);
    const auto work = [to, id](context& c) {
        auto sender = value_or_fail(simulate::sender::make(make_target(c, *to)));
        return play(c, std::move(sender), {simulate::test_webhook(*id)}, delivery_queue({0}, false, 1));
    };
    CLI::App& command = add_command(simulate_command, ctx, "test", "Send what Chargify's test button sends",
                                    "Exit status: 0 it was acknowledged, 1 it was not.\n\n"
                                    "Examples:\n"
                                    "  chargifyctl simulate test https://hooks.example.com/webhooks/acme",
                                    work);
    add_target_options(command, to);
    command.add_option("--id", *id, "The webhook's id (123456)")->type_name("ID")->check(CLI::PositiveNumber);
}

} // namespace chargifyd::ctl
