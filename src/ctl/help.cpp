#include "ctl/help.hpp"

#include <sstream>

namespace chargifyd::ctl {

namespace {

constexpr std::size_t first_column = 26;
constexpr std::size_t second_column = 54;

std::string wrapped(const std::string& text, std::size_t width)
{
    std::istringstream words(text);
    std::string out;
    std::string word;
    std::size_t used = 0;
    while (words >> word) {
        const bool fits = used + 1 + word.size() <= width;
        if (used > 0)
            out += fits ? ' ' : '\n';
        used = used > 0 && fits ? used + 1 + word.size() : word.size();
        out += word;
    }
    return out;
}

} // namespace

help_formatter::help_formatter()
{
    column_width(first_column);
    label("SUBCOMMAND", "COMMAND");
    label("Subcommands", "Commands");
    label("Positionals", "Arguments");
}

std::string help_formatter::make_option_opts(const CLI::Option* option) const
{
    const std::string type = option->get_type_name();
    const std::string word = type.substr(0, type.find(':')); // what follows is the range, for error messages
    return option->get_type_size() == 0 || word.empty() ? std::string() : " " + word;
}

std::string help_formatter::make_option_desc(const CLI::Option* option) const
{
    return wrapped(option->get_description(), second_column);
}

} // namespace chargifyd::ctl
