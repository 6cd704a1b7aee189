#include "chargifyd/config/settings.hpp"

#include "config/files.hpp"

#include "chargifyd/base/file.hpp"

#include <algorithm>

namespace chargifyd::config {

std::vector<ingress::site> settings::ingress_sites() const
{
    std::vector<ingress::site> all;
    all.reserve(sites.size());
    for (const site_settings& site : sites)
        all.push_back({site.name, chargify::verifier(site.shared_keys), site.quarantines});
    return all;
}

loaded load(const std::filesystem::path& file)
{
    loaded out;
    const result<readable_file> about = check_readable(file);
    if (!about) {
        out.mistakes.push_back(
            {0, "cannot be read: " + about.error().message + "; name another file with --config"});
        return out;
    }
    const result<std::string> text = read_small_file(file);
    if (!text) {
        out.mistakes.push_back({0, "is no configuration: " + text.error().message});
        return out;
    }
    out = parse(*text, file);
    const bool secrets_inside =
        std::any_of(out.value.effective.begin(), out.value.effective.end(),
                    [](const std::string& line) { return line.ends_with("= (set)"); });
    if (secrets_inside && about->open_to_all)
        out.warnings.insert(out.warnings.begin(),
                            {0, "holds shared keys and every user of this machine may read it; "
                                "move the keys into files of their own, or chmod o-r it"});
    return out;
}

std::string format_mistake(const std::filesystem::path& file, const mistake& m)
{
    std::string line = file.string() + ":";
    if (m.line != 0)
        line += std::to_string(m.line) + ":";
    return line + " " + m.text;
}

} // namespace chargifyd::config
