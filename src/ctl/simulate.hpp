#pragma once

#include "ctl/context.hpp"
#include "ctl/keys.hpp"

#include "chargifyd/simulate/sender.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
} // namespace CLI

namespace chargifyd::ctl {

/// Where simulated webhooks go: the options that `simulate` and its sub-commands share.
struct target_options {
    key_options key;
    std::string url;
    std::filesystem::path ca_file;
    bool insecure = false;
    double timeout_seconds = 15;

    /// --site, else the last part of `/webhooks/NAME` in the URL, else `acme`.
    std::string site_name() const;
};

void add_target_options(CLI::App& command, const std::shared_ptr<target_options>& into);

/// The target, with the key that signs. Throws failure.
simulate::target make_target(context& ctx, const target_options& from);

/// Bodies, one to a line: they hold no line end. As rows when a form was asked for.
void print_bodies(context& ctx, const std::vector<simulate::webhook>& all,
                  const std::vector<std::size_t>& order);

/// The NAME of a URL whose path is `/webhooks/NAME`, or nothing.
std::string site_in_url(std::string_view url);

/// Whole milliseconds, rounded up.
std::chrono::milliseconds milliseconds_of(double seconds);

// Sub-commands of `simulate`.
void add_simulate_event(CLI::App& simulate, context& ctx, const std::shared_ptr<target_options>& to);
void add_simulate_panel(CLI::App& simulate, context& ctx, const std::shared_ptr<target_options>& to);
void add_simulate_storm(CLI::App& simulate, context& ctx, const std::shared_ptr<target_options>& to);
void add_simulate_test(CLI::App& simulate, context& ctx, const std::shared_ptr<target_options>& to);
void add_simulate_load(CLI::App& simulate, context& ctx, const std::shared_ptr<target_options>& to);

} // namespace chargifyd::ctl
