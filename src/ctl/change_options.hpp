#pragma once

#include "ctl/context.hpp"

#include "chargifyd/state/queries_changes.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
} // namespace CLI

namespace chargifyd::ctl {

/// --kind, --since, --until.
void add_change_options(CLI::App& command, state::change_filter& with);
/// A kind that does not exist is wrong usage.
void check_kinds(const std::vector<std::string>& kinds);

/// Whose changes.
struct subject_options {
    std::string site;
    std::string customer_reference;
    std::optional<std::int64_t> customer_id;
    std::optional<std::int64_t> subscription_id;
};
/// Nothing when the options name nobody; a failure when there is none like that, or several.
std::optional<state::change_subject> find_subject(state::state_reader& state, const subject_options& which);

} // namespace chargifyd::ctl
