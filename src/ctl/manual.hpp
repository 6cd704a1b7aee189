#pragma once

#include "ctl/command_tree.hpp"

#include <string>

namespace chargifyd::ctl {

/// chargifyctl(1), from the tree of its commands; `date` as YYYY-MM-DD.
std::string chargifyctl_page(const described_command& tree, const std::string& date);
/// chargifyd(8).
std::string chargifyd_page(const std::string& date);

} // namespace chargifyd::ctl
