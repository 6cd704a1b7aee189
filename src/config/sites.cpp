#include "config/sites.hpp"

#include "config/files.hpp"
#include "config/words.hpp"

#include <algorithm>
#include <utility>

namespace chargifyd::config {

namespace {

constexpr std::size_t longest_subdomain = 63;

/// The keys of one site, each with where it stands, until they are checked.
struct found_key {
    secret key;
    std::size_t line;
    std::string_view from; ///< name of the configuration key
};

bool same(const secret& a, const secret& b)
{
    return a.reveal() == b.reveal();
}

void read_key_files(table& t, const std::filesystem::path& folder, std::vector<found_key>& keys)
{
    std::vector<std::string> paths;
    for (const item& entry : t.texts("shared_key_files")) {
        const std::filesystem::path path = named_file(folder, entry.text);
        paths.push_back(path.string());
        const result<readable_file> about = check_readable(path);
        if (!about) {
            t.wrong_at(entry.line, "shared_key_files", unreadable(entry.text, about.error().message));
            continue;
        }
        result<secret> key = read_secret(path);
        if (!key) {
            t.wrong_at(entry.line, "shared_key_files", unreadable(entry.text, key.error().message));
            continue;
        }
        if (key->empty()) {
            t.wrong_at(entry.line, "shared_key_files",
                       "names an empty file, " + in_quotes(path.string()) +
                           "; put the site's Shared Key there");
            continue;
        }
        if (about->open_to_all)
            t.warn_at(entry.line, "shared_key_files", open_to_all(path));
        keys.push_back({*std::move(key), entry.line, "shared_key_files"});
    }
    t.note("shared_key_files", in_brackets(paths));
}

void read_inline_keys(table& t, std::vector<found_key>& keys)
{
    const std::vector<item> given = t.texts("shared_keys");
    for (const item& entry : given) {
        if (trimmed(entry.text).size() != entry.text.size())
            t.wrong_at(entry.line, "shared_keys",
                       "holds a key with white space around it; remove the white space");
        else
            keys.push_back({secret(entry.text), entry.line, "shared_keys"});
    }
    t.note("shared_keys", given.empty() ? "[]" : "(set)");
}

std::vector<secret> read_keys(table& t, const std::filesystem::path& folder, findings& to)
{
    const std::size_t mistakes_before = to.count();
    std::vector<found_key> found;
    read_key_files(t, folder, found);
    read_inline_keys(t, found);
    std::vector<secret> keys;
    for (const found_key& f : found) {
        const auto is_this = [&](const secret& other) { return same(other, f.key); };
        if (f.key.empty())
            t.wrong_at(f.line, f.from, "has an empty key; put the site's Shared Key there");
        else if (std::any_of(keys.begin(), keys.end(), is_this))
            t.wrong_at(f.line, f.from, "has a key that this site has already; remove one of the two");
        else
            keys.push_back(f.key);
    }
    if (keys.empty() && to.count() == mistakes_before)
        t.wrong("shared_key_files", "is missing; name the file that holds the site's Shared Key");
    return keys;
}

std::string read_name(table& t, const std::vector<site_settings>& others)
{
    const bool written = t.has("name");
    const std::optional<item> name = t.text("name");
    if (!written)
        t.wrong("name", "is missing; write the site's Chargify subdomain");
    if (!name)
        return {};
    const auto is_this = [&](const site_settings& other) { return other.name == name->text; };
    if (const std::string problem = site_name_problem(name->text); !problem.empty())
        t.wrong("name", in_quotes(name->text) + " " + problem);
    else if (std::any_of(others.begin(), others.end(), is_this))
        t.wrong("name", in_quotes(name->text) + " is configured twice; put the keys of both tables into one");
    t.show_as("site." + name->text);
    t.note("name", in_quotes(name->text));
    return name->text;
}

/// Whether webhooks that do not verify are kept apart.
bool read_on_bad_signature(table& t)
{
    std::string value = "reject";
    if (const std::optional<item> given = t.text("on_bad_signature")) {
        value = given->text;
        if (value != "reject" && value != "quarantine")
            t.wrong("on_bad_signature",
                    in_quotes(value) + " is not known; set it to \"reject\" or \"quarantine\"");
    }
    t.note("on_bad_signature", in_quotes(value));
    return value == "quarantine";
}

site_settings read_site(const toml::table& values, const std::filesystem::path& folder,
                        const std::vector<site_settings>& others, findings& to)
{
    table t(&values, "site", to);
    site_settings site;
    site.name = read_name(t, others);
    site.shared_keys = read_keys(t, folder, to);
    site.quarantines = read_on_bad_signature(t);
    for (const site_settings& other : others) {
        for (const secret& key : site.shared_keys) {
            if (std::any_of(other.shared_keys.begin(), other.shared_keys.end(),
                            [&](const secret& theirs) { return same(theirs, key); }))
                t.warn_at(t.line("name"), "shared_keys",
                          "shares a key with site " + in_quotes(other.name) +
                              "; each Chargify site has its own");
        }
    }
    t.finish();
    return site;
}

} // namespace

std::vector<site_settings> read_sites(table& top, const std::filesystem::path& folder, findings& to)
{
    std::vector<site_settings> sites;
    const toml::node* const found = top.take("site");
    if (!found) {
        to.mistake(0, "no site is configured; add a [[site]] table with name and shared_key_files");
        return sites;
    }
    const toml::array* const list = found->as_array();
    if (!list || !found->is_array_of_tables()) {
        top.wrong("site", "must be written [[site]], with two pairs of brackets, once for each site");
        return sites;
    }
    for (const toml::node& element : *list)
        sites.push_back(read_site(*element.as_table(), folder, sites, to));
    return sites;
}

std::string site_name_problem(std::string_view name)
{
    if (name.empty())
        return "is empty; write the site's Chargify subdomain";
    const auto is_upper = [](char c) { return c >= 'A' && c <= 'Z'; };
    const auto allowed = [&](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
    if (!std::all_of(name.begin(), name.end(), [&](char c) { return allowed(c) || is_upper(c); }))
        return "is not a subdomain; use letters, digits and hyphens only, without \".chargify.com\"";
    if (std::any_of(name.begin(), name.end(), is_upper)) {
        std::string lower(name);
        std::transform(lower.begin(), lower.end(), lower.begin(),
                       [&](char c) { return is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c; });
        return "has upper-case letters; write " + in_quotes(lower);
    }
    if (name.front() == '-' || name.back() == '-' || name.size() > longest_subdomain)
        return "is not a subdomain; use at most 63 letters and digits, and hyphens between them";
    return {};
}

} // namespace chargifyd::config
