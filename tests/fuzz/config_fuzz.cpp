#include "fuzz.hpp"
#include "temporary_directory.hpp"

#include "chargifyd/config/settings.hpp"

#include <toml++/toml.h>

#include <fstream>
#include <string>

/// The input is a configuration file, in a folder that holds what the examples name. Promises: it is read
/// without an exception; it gives settings or mistakes, each mistake with its line unless its table is not
/// there; what is taken is within its limits; no key is quoted.
namespace chargifyd::config {
namespace {

using fuzz::require;

const std::filesystem::path& folder()
{
    static const test::temporary_directory made;
    static const bool filled = [] {
        for (const char* const name : {"shared.key", "token", "fullchain.pem", "privkey.pem"})
            std::ofstream(made / name) << "canary-of-" << name << '\n';
        return true;
    }();
    require(filled, "the folder is filled");
    return made.path();
}

std::size_t count(std::string_view text, std::string_view wanted)
{
    std::size_t n = 0;
    for (auto at = text.find(wanted); at != std::string_view::npos; at = text.find(wanted, at + 1))
        ++n;
    return n;
}

/// The table that a mistake without a line speaks of: the first word, up to its dot.
std::string table_of(const std::string& text)
{
    return text.substr(0, text.find_first_of(". "));
}

void check_lines(const std::vector<mistake>& all, const std::string& text)
{
    const std::size_t lines = count(text, "\n") + 1;
    std::size_t before = 0;
    for (const mistake& m : all) {
        require(!m.text.empty(), "every mistake says what is wrong");
        require(m.line >= before, "mistakes stand in the order of their lines");
        require(m.line <= lines, "every line is in the file");
        before = m.line;
        if (m.line > 0)
            continue;
        const toml::table root = toml::parse(text);
        require(!root[table_of(m.text)].is_table() || m.text.starts_with("no site"),
                "a mistake has a line when its table has one");
    }
}

/// A key that stands once in the file, and long enough that nothing else is like it.
void check_secrecy(const loaded& read, const std::string& text)
{
    std::string said;
    for (const auto* const list : {&read.mistakes, &read.warnings})
        for (const mistake& m : *list)
            said += m.text + "\n";
    for (const std::string& line : read.value.effective)
        said += line + "\n";
    require(said.find("canary-of-") == std::string::npos || text.find("canary-of-") != std::string::npos,
            "no content of a file is quoted");
    for (const site_settings& site : read.value.sites) {
        for (const secret& key : site.shared_keys) {
            const std::string_view bytes = key.reveal();
            require(bytes.size() < 8 || count(text, bytes) != 1 || said.find(bytes) == std::string::npos,
                    "no key is quoted");
        }
    }
}

void check_settings(const settings& s)
{
    require(!s.effective.empty(), "settings can be shown");
    require(!s.sites.empty(), "there is a site");
    for (const site_settings& site : s.sites) {
        require(!site.name.empty() && site.name.size() <= 63, "a site has a name");
        require(!site.shared_keys.empty(), "a site has a key");
        for (const secret& key : site.shared_keys)
            require(!key.empty(), "no key is empty");
    }
    require(!s.ingress.https.empty() || !s.ingress.http.empty(), "something is listened on");
    require(s.ingress.max_body_bytes >= 1024 && s.ingress.max_body_bytes <= 64U * 1024 * 1024,
            "bodies have a limit");
    require(s.ingress.max_header_bytes >= 1024 && s.ingress.max_header_bytes <= 1024U * 1024,
            "heads have a limit");
    require(s.journal.queue_bytes >= s.ingress.max_body_bytes, "the largest webhook fits the queue");
    require(s.ingress.header_timeout.count() > 0 && s.ingress.body_timeout.count() > 0,
            "deadlines are ahead");
    require(s.pipeline.retention.count() >= 0, "retention is not negative");
}

void fuzz_one(const std::string& text)
{
    const loaded read = parse(text, folder() / "chargifyd.toml");
    check_lines(read.mistakes, text);
    check_lines(read.warnings, text);
    check_secrecy(read, text);
    if (read.mistakes.empty())
        check_settings(read.value);
}

} // namespace
} // namespace chargifyd::config

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    chargifyd::config::fuzz_one(std::string(chargifyd::fuzz::text_of(data, size)));
    return 0;
}
