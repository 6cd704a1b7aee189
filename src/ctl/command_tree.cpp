#include "ctl/command_tree.hpp"

#include "chargifyd/chargify/events.hpp"
#include "chargifyd/chargify/states.hpp"

#include <CLI/CLI.hpp>

#include <sstream>
#include <string_view>
#include <utility>

namespace chargifyd::ctl {

namespace {

constexpr const char* choices_name = "choices";

std::vector<std::string> split(std::string_view text, char at)
{
    std::vector<std::string> parts;
    std::istringstream from{std::string(text)};
    for (std::string part; std::getline(from, part, at);)
        parts.push_back(part);
    return parts;
}

/// The names in an option's validators: those of `offer`, and those of CLI::IsMember, both `{a,b}`.
std::vector<std::string> choices_of(CLI::Option& option)
{
    std::string listed;
    try {
        listed = option.get_validator(choices_name)->get_description();
    } catch (const CLI::OptionNotFound&) {
        const std::string type = option.get_type_name();
        const auto brace = type.find(":{");
        listed = brace == std::string::npos ? "" : type.substr(brace + 1);
    }
    if (listed.size() < 2 || listed.front() != '{' || listed.back() != '}')
        return {};
    return split(std::string_view(listed).substr(1, listed.size() - 2), ',');
}

described_option describe(CLI::Option& option)
{
    described_option out;
    out.text = option.get_description();
    out.required = option.get_required();
    out.common = option.get_group() == common_group;
    out.choices = choices_of(option);
    if (option.get_positional()) {
        out.names = {option.get_name(true)};
        out.value = out.names.front();
        return out;
    }
    for (const std::string& name : option.get_snames())
        out.names.push_back("-" + name);
    for (const std::string& name : option.get_lnames())
        out.names.push_back("--" + name);
    const std::string type = option.get_type_name();
    if (option.get_type_size() != 0)
        out.value = type.substr(0, type.find(':')); // what follows is the range
    return out;
}

/// Paragraphs, then the examples behind a line that says so.
void read_footer(const std::string& footer, described_command& into)
{
    bool examples = false;
    std::string paragraph;
    for (const std::string& line : split(footer + "\n\n", '\n')) {
        if (line == "Example:" || line == "Examples:") {
            examples = true;
        } else if (examples && !line.empty()) {
            into.examples.push_back(line.substr(std::min(line.size(), line.find_first_not_of(' '))));
        } else if (!line.empty()) {
            paragraph += (paragraph.empty() ? "" : " ") + line;
        } else if (!paragraph.empty()) {
            into.notes.push_back(std::exchange(paragraph, {}));
        }
    }
}

} // namespace

described_command describe(CLI::App& command)
{
    const CLI::Option* const help = command.get_help_ptr();
    described_command out;
    out.name = command.get_name();
    out.summary = command.get_description();
    out.needs_command = command.get_require_subcommand_min() > 0;
    read_footer(command.get_footer(), out);
    for (CLI::Option* option : command.get_options([](CLI::Option*) { return true; })) {
        described_option described = describe(*option);
        described.common = described.common || option == help;
        (option->get_positional() ? out.arguments : out.options).push_back(std::move(described));
    }
    for (CLI::App* nested : command.get_subcommands([](CLI::App*) { return true; }))
        out.commands.push_back(describe(*nested));
    return out;
}

void offer(CLI::Option& option, const std::vector<std::string>& choices)
{
    std::string listed;
    for (const std::string& choice : choices)
        listed += (listed.empty() ? "" : ",") + choice;
    CLI::Validator any([](std::string&) { return std::string(); }, "{" + listed + "}", choices_name);
    option.check(any);
}

std::vector<std::string> event_choices()
{
    std::vector<std::string> all;
    for (const chargify::event_info& e : chargify::event_catalogue())
        all.emplace_back(e.key);
    return all;
}

std::vector<std::string> state_choices()
{
    std::vector<std::string> all;
    for (const chargify::state_info& s : chargify::state_catalogue())
        all.emplace_back(s.name);
    return all;
}

std::vector<std::string> outcome_choices()
{
    return {"applied", "unchanged", "stale", "test", "unknown", "dead"};
}

value_kind kind_of_value(const described_option& option)
{
    if (option.value.ends_with("FILE"))
        return value_kind::file;
    return option.value.ends_with("DIR") ? value_kind::directory : value_kind::other;
}

} // namespace chargifyd::ctl
