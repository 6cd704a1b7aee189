#pragma once

#include "ctl/context.hpp"

#include "chargifyd/base/secret.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace CLI {
class App;
} // namespace CLI

namespace chargifyd::ctl {

/// Where the shared key comes from.
struct key_options {
    std::string key;
    std::filesystem::path key_file;
    std::string site;

    bool names_a_key() const { return !key.empty() || !key_file.empty(); }
};

/// `site_help`: what --site means to the command.
void add_key_options(CLI::App& command, key_options& into, const std::string& site_help);

/// The keys to use: --key; --key-file; else those of the configured site --site, or of the only configured
/// site. At least one, none empty; the first signs. Throws failure.
std::vector<secret> find_keys(context& ctx, const key_options& from);

} // namespace chargifyd::ctl
