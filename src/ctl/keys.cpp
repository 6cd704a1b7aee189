#include "ctl/keys.hpp"

#include "ctl/input.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>

namespace chargifyd::ctl {

namespace {

std::string site_names(const config::settings& settings)
{
    std::string out;
    for (const config::site_settings& s : settings.sites)
        out += (out.empty() ? "" : ", ") + s.name;
    return out;
}

const config::site_settings& find_site(const config::settings& settings, const std::string& name)
{
    if (name.empty()) {
        if (settings.sites.size() == 1)
            return settings.sites.front();
        throw failure(exit_code::usage,
                      "several sites are configured; choose one with --site: " + site_names(settings));
    }
    const auto is_it = [&name](const config::site_settings& s) { return s.name == name; };
    const auto found = std::find_if(settings.sites.begin(), settings.sites.end(), is_it);
    if (found == settings.sites.end())
        throw failure(exit_code::not_found,
                      "no site " + name + " is configured; there is " + site_names(settings));
    return *found;
}

} // namespace

void add_key_options(CLI::App& command, key_options& into, const std::string& site_help)
{
    CLI::Option* key = command
                           .add_option("--key", into.key,
                                       "The shared key itself; every user of the machine can see "
                                       "it in the process list, so prefer --key-file")
                           ->type_name("KEY");
    command.add_option("--key-file", into.key_file, "File that holds the shared key")
        ->type_name("FILE")
        ->excludes(key);
    command.add_option("--site", into.site, site_help)->type_name("NAME");
}

std::vector<secret> find_keys(context& ctx, const key_options& from)
{
    if (!from.key.empty())
        return {secret(from.key)};
    if (!from.key_file.empty())
        return {value_or_fail(read_key_file(from.key_file))};
    if (!ctx.has_config_file() && from.site.empty())
        throw failure(exit_code::usage, "which key? Give --key-file FILE, or --site NAME and --config FILE");
    return find_site(ctx.settings(), from.site).shared_keys;
}

} // namespace chargifyd::ctl
