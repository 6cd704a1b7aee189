#pragma once

#include "ctl/context.hpp"

#include <string>

namespace CLI {
class App;
} // namespace CLI

namespace chargifyd::ctl {

/// Puts a command on the line: its work runs after the whole line was understood. `examples` ends its help.
CLI::App& add_command(CLI::App& parent, context& ctx, const std::string& name, const std::string& summary,
                      const std::string& examples, context::work work);

// Each adds one command. A new command is a file, a line here and a line in application.cpp.
void add_access(CLI::App& app, context& ctx);
void add_backup(CLI::App& app, context& ctx);
void add_changes(CLI::App& app, context& ctx);
void add_check(CLI::App& app, context& ctx);
void add_completion(CLI::App& app, context& ctx);
void add_config(CLI::App& app, context& ctx);
void add_customers(CLI::App& app, context& ctx);
void add_dead(CLI::App& app, context& ctx);
void add_doctor(CLI::App& app, context& ctx);
void add_events(CLI::App& app, context& ctx);
void add_forget(CLI::App& app, context& ctx);
void add_man(CLI::App& app, context& ctx);
void add_past_due(CLI::App& app, context& ctx);
void add_quarantine(CLI::App& app, context& ctx);
void add_rebuild(CLI::App& app, context& ctx);
void add_renewals(CLI::App& app, context& ctx);
void add_restore(CLI::App& app, context& ctx);
void add_revenue(CLI::App& app, context& ctx);
void add_sign(CLI::App& app, context& ctx);
void add_simulate(CLI::App& app, context& ctx);
void add_status(CLI::App& app, context& ctx);
void add_subscriptions(CLI::App& app, context& ctx);
void add_timeline(CLI::App& app, context& ctx);
void add_verify(CLI::App& app, context& ctx);

} // namespace chargifyd::ctl
