#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
} // namespace CLI

/// The command line as data: what --help shows, for the manual page and the completions.
namespace chargifyd::ctl {

/// An option or an argument.
struct described_option {
    std::vector<std::string> names; ///< `-h`, `--help`; of an argument its word alone
    std::string value;              ///< the word for its value; empty: it takes none
    std::string text;
    std::vector<std::string> choices; ///< what may be offered as its value; empty: nothing is known
    bool required = false;
    bool common = false; ///< every command has it
};

struct described_command {
    std::string name;
    std::string summary;
    std::vector<std::string> notes; ///< paragraphs
    std::vector<std::string> examples;
    std::vector<described_option> arguments;
    std::vector<described_option> options;
    std::vector<described_command> commands;
    bool needs_command = false;
};

described_command describe(CLI::App& command);

/// Names values that completion may offer; others are taken as well.
void offer(CLI::Option& option, const std::vector<std::string>& choices);

/// The known events, the known states and the outcomes of a webhook, to offer them.
std::vector<std::string> event_choices();
std::vector<std::string> state_choices();
std::vector<std::string> outcome_choices();

/// What a value is, told by its word.
enum class value_kind { file, directory, other };
value_kind kind_of_value(const described_option& option);

inline constexpr const char* common_group = "Common options";

} // namespace chargifyd::ctl
