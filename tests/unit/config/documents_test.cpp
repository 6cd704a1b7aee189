#include "reading.hpp"

#include "chargifyd/base/file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

/// The shipped example and the documentation say what the program does.
namespace chargifyd::config {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::filesystem::path source_folder = CHARGIFYD_SOURCE_DIR;
constexpr std::string_view default_mark = "  # default";

std::string text_of(const char* file)
{
    return read_small_file(source_folder / file).value();
}

std::vector<std::string> lines_of(const std::string& text)
{
    std::istringstream from(text);
    std::vector<std::string> all;
    for (std::string line; std::getline(from, line);)
        all.push_back(line);
    return all;
}

struct value {
    std::string text;
    bool is_default = false;
};

/// "ingress.threads" to its value; the site's keys as "site.name".
std::map<std::string, value> by_key(const std::vector<std::string>& effective)
{
    std::map<std::string, value> all;
    for (const std::string& line : effective) {
        const std::size_t equals = line.find(" = ");
        std::string key = line.substr(0, equals);
        if (key.starts_with("site.acme."))
            key.erase(5, 5);
        value v{line.substr(equals + 3), line.ends_with(default_mark)};
        if (v.is_default)
            v.text.resize(v.text.size() - default_mark.size());
        all[key] = v;
    }
    return all;
}

/// Everything that has a default is left to it.
std::string smallest(const reading& r)
{
    const std::string there = r.dir.path().string();
    return "[ingress]\nhttps = [\"[::]:443\"]\ncertificate = \"" + there + "/cert.pem\"\nprivate_key = \"" +
           there + "/key.pem\"\n[[site]]\nname = \"acme\"\nshared_key_files = [\"" + there + "/key\"]\n";
}

/// The shipped example with its commented keys in force and its files replaced by ones that exist.
std::string whole_example(const reading& r)
{
    std::string text;
    for (const std::string& line : lines_of(text_of("config/chargifyd.toml"))) {
        const bool commented_key =
            line.size() > 1 && line[0] == '#' && std::islower(static_cast<unsigned char>(line[1])) != 0;
        text += (commented_key ? line.substr(1) : line) + "\n";
    }
    for (const auto& [shipped, here] : std::map<std::string, std::string>{
             {"tls/fullchain.pem", "cert.pem"}, {"tls/privkey.pem", "key.pem"}, {"keys/acme", "key"}}) {
        const std::string path = "/etc/chargifyd/" + shipped;
        text.replace(text.find(path), path.size(), (r.dir.path() / here).string());
    }
    return text;
}

/// The keys of docs/configuration.md, "ingress.threads", with the text of the column "default".
std::map<std::string, std::string> documented_defaults()
{
    std::map<std::string, std::string> all;
    std::string section;
    for (const std::string& line : lines_of(text_of("docs/configuration.md"))) {
        if (line.starts_with("## ")) {
            section = line.substr(3);
            std::erase_if(section, [](char c) { return c == '[' || c == ']'; });
            section = line.find('[') == std::string::npos ? "" : section + ".";
        }
        if (!line.starts_with("| `"))
            continue;
        std::vector<std::string> cells;
        std::istringstream row(line);
        for (std::string cell; std::getline(row, cell, '|');)
            cells.push_back(cell);
        for (std::string& cell : cells)
            std::erase(cell, '`');
        all[section + cells.at(1).substr(1, cells.at(1).size() - 2)] =
            cells.at(3).substr(1, cells.at(3).size() - 2);
    }
    return all;
}

TEST(documents, the_shipped_example_is_right_apart_from_the_files_it_names)
{
    for (const mistake& m : load(source_folder / "config/chargifyd.toml").mistakes)
        EXPECT_THAT(m.text, HasSubstr("cannot be used: ")) << m.line;
}

TEST(documents, the_shipped_example_shows_every_key_with_its_default)
{
    const reading r;
    const loaded example = r.parse(whole_example(r));
    ASSERT_THAT(reading::lines(example.mistakes), IsEmpty());
    EXPECT_THAT(reading::lines(example.warnings), IsEmpty());
    const std::map<std::string, value> shown = by_key(example.value.effective);
    const std::map<std::string, value> defaults = by_key(r.parse(smallest(r)).value.effective);
    ASSERT_FALSE(defaults.empty());
    for (const auto& [key, without_file] : defaults) {
        EXPECT_FALSE(shown.at(key).is_default) << key << " is not in the example";
        EXPECT_EQ(shown.at(key).text, without_file.text) << key;
    }
}

TEST(documents, every_key_is_documented_with_its_default)
{
    const reading r;
    const std::map<std::string, std::string> documented = documented_defaults();
    const std::map<std::string, value> keys = by_key(r.parse(smallest(r)).value.effective);
    for (const auto& [key, in_force] : keys) {
        ASSERT_TRUE(documented.contains(key)) << key << " is not in docs/configuration.md";
        if (in_force.is_default) {
            EXPECT_EQ(documented.at(key), in_force.text) << key;
        }
    }
    for (const auto& [key, text] : documented)
        EXPECT_TRUE(keys.contains(key)) << key << " is documented and does not exist";
}

} // namespace
} // namespace chargifyd::config
