#pragma once

#include "run_ctl.hpp"

#include <regex>
#include <string>
#include <vector>

namespace chargifyd::ctl {

/// A command as its --help tells it, read from the text: a second opinion about the tree.
struct helped {
    std::vector<std::string> path;
    std::vector<std::string> options; ///< `--limit`
};

inline std::vector<std::string> matches(const std::string& text, const std::regex& what)
{
    std::vector<std::string> found;
    for (auto m = std::sregex_iterator(text.begin(), text.end(), what); m != std::sregex_iterator(); ++m)
        found.push_back((*m)[1]);
    return found;
}

inline void read_help(const std::vector<std::string>& path, std::vector<helped>& into)
{
    std::vector<std::string> line = path;
    line.emplace_back("--help");
    std::string text = run_ctl(line).out;
    helped found{path, matches(text, std::regex("\n  (?:-h,)?(--[a-z-]+)"))};
    into.push_back(found);
    const auto commands = text.find("\nCommands:\n");
    if (commands == std::string::npos)
        return;
    text = text.substr(commands + 1);
    text = text.substr(0, text.find("\n\n") + 1);
    for (const std::string& name : matches(text, std::regex("\n  ([a-z-]+) "))) {
        std::vector<std::string> nested = path;
        nested.push_back(name);
        read_help(nested, into);
    }
}

inline std::vector<helped> read_all_help()
{
    std::vector<helped> all;
    read_help({}, all);
    return all;
}

} // namespace chargifyd::ctl
