#pragma once

#include "config/findings.hpp"
#include "config/table.hpp"

#include "chargifyd/config/settings.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace chargifyd::config {

/// Reads every [[site]] of `top`, with its keys. Relative key files are relative to `folder`.
std::vector<site_settings> read_sites(table& top, const std::filesystem::path& folder, findings& to);

/// What is wrong with a site's name and how to mend it; empty when it can be a Chargify subdomain.
std::string site_name_problem(std::string_view name);

} // namespace chargifyd::config
