#pragma once

#include "ctl/command_tree.hpp"

#include <string>

/// Scripts that complete commands, options, values and file names. They hold everything they offer: to
/// complete starts no program.
namespace chargifyd::ctl {

std::string bash_completion(const described_command& tree);
std::string zsh_completion(const described_command& tree);
std::string fish_completion(const described_command& tree);

} // namespace chargifyd::ctl
