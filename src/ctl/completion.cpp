#include "ctl/completion.hpp"

#include "ctl/commands.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <functional>
#include <memory>

namespace chargifyd::ctl {

namespace {

std::string joined(const std::vector<std::string>& words)
{
    std::string out;
    for (const std::string& w : words)
        out += (out.empty() ? "" : " ") + w;
    return out;
}

std::string replaced(std::string text, char what, const std::string& by)
{
    for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size())
        text.replace(at, 1, by);
    return text;
}

/// In single quotes, for bash and zsh.
std::string in_quotes(const std::string& text)
{
    return "'" + replaced(text, '\'', "'\\''") + "'";
}

/// Calls `each` with a command and the names that lead to it (none for the program), outermost first.
using visitor = std::function<void(const described_command&, const std::string& path)>;
void walk(const described_command& c, const std::string& path, const visitor& each)
{
    each(c, path);
    for (const described_command& nested : c.commands)
        walk(nested, path.empty() ? nested.name : path + " " + nested.name, each);
}

std::vector<std::string> names_of(const described_command& c)
{
    std::vector<std::string> names;
    for (const described_command& nested : c.commands)
        names.push_back(nested.name);
    return names;
}

// -- bash

/// The word that tells the script how to complete a value: `@file`, `@directory`, or the choices themselves.
std::string bash_value(const described_option& o)
{
    switch (kind_of_value(o)) {
    case value_kind::file:
        return "@file";
    case value_kind::directory:
        return "@directory";
    case value_kind::other:
        return joined(o.choices);
    }
    return {};
}

std::string bash_facts(const described_command& tree)
{
    std::string commands;
    std::string values;
    walk(tree, "", [&](const described_command& c, const std::string& path) {
        std::string options;
        for (const described_option& o : c.options) {
            options += (options.empty() ? "" : " ") + joined(o.names);
            for (const std::string& name : o.names)
                if (!o.value.empty())
                    values += "        " + in_quotes(path + ":" + name) +
                              ") values=" + in_quotes(bash_value(o)) + " ;;\n";
        }
        for (std::size_t i = 0; i < c.arguments.size(); ++i)
            values += "        " + in_quotes(path + ":" + std::to_string(i)) +
                      ") values=" + in_quotes(bash_value(c.arguments[i])) + " ;;\n";
        commands += "        " + in_quotes(path) + ") commands=" + in_quotes(joined(names_of(c))) +
                    "\n            options=" + in_quotes(options) + " ;;\n";
    });
    return "# Sets commands and options of the command $1.\n"
           "__chargifyctl_command()\n{\n    commands= options=\n    case $1 in\n" +
           commands +
           "    esac\n}\n\n"
           "# Sets what may be the value of an option or argument, as COMMAND:OPTION or COMMAND:NUMBER; "
           "fails when "
           "there is none.\n"
           "__chargifyctl_values()\n{\n    values=\n    case $1 in\n" +
           values + "        *) return 1 ;;\n    esac\n}\n\n";
}

constexpr const char* bash_code = R"(_chargifyctl()
{
    local cur=${COMP_WORDS[COMP_CWORD]} previous= path= arguments=0 commands options values word i
    __chargifyctl_command ""
    for ((i = 1; i < COMP_CWORD; ++i)); do
        word=${COMP_WORDS[i]}
        if [[ $word == '=' ]]; then
            continue
        elif [[ -n $previous ]]; then
            previous=
        elif [[ $word == -* ]]; then
            __chargifyctl_values "$path:$word" && previous=$word
        elif [[ " $commands " == *" $word "* ]]; then
            path=${path:+$path }$word arguments=0
            __chargifyctl_command "$path"
        else
            arguments=$((arguments + 1))
        fi
    done
    [[ $cur == '=' ]] && cur=
    COMPREPLY=()
    if [[ -z $previous && $cur == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
        return
    fi
    __chargifyctl_values "$path:${previous:-$arguments}"
    case $values in
        @file)
            compopt -o filenames 2>/dev/null
            mapfile -t COMPREPLY < <(compgen -f -- "$cur")
            ;;
        @directory)
            compopt -o filenames 2>/dev/null
            mapfile -t COMPREPLY < <(compgen -d -- "$cur")
            ;;
        *)
            mapfile -t COMPREPLY < <(compgen -W "$values" -- "$cur")
            ;;
    esac
    if [[ -z $previous ]]; then
        mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -W "$commands" -- "$cur")
    fi
}

complete -F _chargifyctl chargifyctl
)";

// -- zsh

/// As text inside of a specification of _arguments in single quotes.
std::string zsh_text(std::string text)
{
    for (const char c : {'\\', '[', ']', ':'})
        text = replaced(std::move(text), c, std::string("\\") + c);
    return replaced(std::move(text), '\'', "'\\''");
}

std::string zsh_value(const described_option& o)
{
    switch (kind_of_value(o)) {
    case value_kind::file:
        return "_files";
    case value_kind::directory:
        return "_files -/";
    case value_kind::other:
        return o.choices.empty() ? " " : "(" + joined(o.choices) + ")";
    }
    return {};
}

std::string zsh_function(const std::string& path)
{
    return "_chargifyctl" + (path.empty() ? "" : "_" + replaced(replaced(path, ' ', "_"), '-', "_"));
}

std::string zsh_option(const described_option& o)
{
    std::string names;
    for (const std::string& n : o.names)
        names += (names.empty() ? "" : ",") + n;
    if (o.names.size() > 1)
        names = "{" + names + "}";
    const std::string value = o.value.empty() ? "" : ":" + zsh_text(o.value) + ":" + zsh_text(zsh_value(o));
    return "        '*'" + names + "'[" + zsh_text(o.text) + "]" + value + "' \\\n";
}

std::string zsh_command(const described_command& c, const std::string& path)
{
    const std::string name = zsh_function(path);
    std::string out = name + "() {\n    local context state state_descr line\n    typeset -A opt_args\n"
                             "    _arguments -C -S \\\n";
    for (const described_option& o : c.options)
        out += zsh_option(o);
    if (c.commands.empty()) {
        for (const described_option& a : c.arguments)
            out += "        '" + std::string(a.required ? ":" : "::") + zsh_text(a.value) + ":" +
                   zsh_text(zsh_value(a)) + "' \\\n";
        return out + "        && return 0\n    return 1\n}\n\n";
    }
    out += "        '1:command:" + name +
           "_commands' '*::arguments:->arguments'\n"
           "    local found=$?\n    [[ $state == arguments ]] || return found\n"
           "    case $line[1] in\n";
    for (const described_command& nested : c.commands)
        out += "        " + nested.name + ") " +
               zsh_function(path.empty() ? nested.name : path + " " + nested.name) + " ;;\n";
    out += "        *) return 1 ;;\n    esac\n}\n\n" + name + "_commands() {\n    local -a commands=(\n";
    for (const described_command& nested : c.commands)
        out += "        '" + zsh_text(nested.name) + ":" + replaced(nested.summary, '\'', "'\\''") + "'\n";
    out += "    )\n    _describe -t commands command commands\n";
    for (const described_option& a : c.arguments)
        if (!a.choices.empty())
            out += "    compadd -- " + joined(a.choices) + "\n";
    return out + "}\n\n";
}

// -- fish

std::string fish_quoted(const std::string& text)
{
    return "'" + replaced(replaced(text, '\\', "\\\\"), '\'', "\\'") + "'";
}

std::string fish_value(const described_option& o)
{
    switch (kind_of_value(o)) {
    case value_kind::file:
        return " -r -F";
    case value_kind::directory:
        return " -x -a '(__fish_complete_directories)'";
    case value_kind::other:
        return o.choices.empty() ? " -x" : " -x -a " + fish_quoted(joined(o.choices));
    }
    return {};
}

void add_fish_command(std::string& out, const described_command& c, const std::string& path)
{
    const std::string here =
        "complete -c chargifyctl -n " + fish_quoted("__chargifyctl_at " + fish_quoted(path));
    for (const described_option& o : c.options) {
        out += here;
        for (const std::string& name : o.names)
            out += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
        out += (o.value.empty() ? "" : fish_value(o)) + " -d " + fish_quoted(o.text) + "\n";
    }
    for (const described_command& nested : c.commands)
        out += here + " -a " + nested.name + " -d " + fish_quoted(nested.summary) + "\n";
    for (const described_option& a : c.arguments) {
        const value_kind kind = kind_of_value(a);
        if (kind == value_kind::file)
            out += here + " -F\n";
        else if (kind == value_kind::directory)
            out += here + " -a '(__fish_complete_directories)'\n";
        else if (!a.choices.empty())
            out += here + " -a " + fish_quoted(joined(a.choices)) + "\n";
    }
}

std::string fish_code(const described_command& tree)
{
    std::string commands;
    std::string values;
    walk(tree, "", [&](const described_command& c, const std::string& path) {
        if (!path.empty())
            commands += " " + fish_quoted(path);
        for (const described_option& o : c.options)
            for (const std::string& name : o.names)
                if (!o.value.empty())
                    values += " " + fish_quoted(path + ":" + name);
    });
    return "set -g __chargifyctl_commands" + commands + "\nset -g __chargifyctl_values" + values + R"(

# Whether the command on the line is $argv[1].
function __chargifyctl_at
    set -l path
    set -l skip 0
    set -l words (commandline -opc)
    for word in $words[2..-1]
        if test $skip = 1
            set skip 0
        else if string match -q -- '-*' $word
            contains -- "$path:$word" $__chargifyctl_values; and set skip 1
        else if contains -- (string trim -- "$path $word") $__chargifyctl_commands
            set path (string trim -- "$path $word")
        end
    end
    test "$path" = "$argv[1]"
end

complete -c chargifyctl -f
)";
}

} // namespace

std::string bash_completion(const described_command& tree)
{
    return "# bash completion of chargifyctl\n\n" + bash_facts(tree) + bash_code;
}

std::string zsh_completion(const described_command& tree)
{
    std::string out = "#compdef chargifyctl\n\n";
    walk(tree, "", [&](const described_command& c, const std::string& path) { out += zsh_command(c, path); });
    return out + "if [[ $funcstack[1] == _chargifyctl ]]; then\n    _chargifyctl \"$@\"\n"
                 "else\n    compdef _chargifyctl chargifyctl\nfi\n";
}

std::string fish_completion(const described_command& tree)
{
    std::string out = "# fish completion of chargifyctl\n\n" + fish_code(tree);
    walk(tree, "",
         [&](const described_command& c, const std::string& path) { add_fish_command(out, c, path); });
    return out;
}

void add_completion(CLI::App& app, context& ctx)
{
    const auto shell = std::make_shared<std::string>();
    CLI::App& command =
        add_command(app, ctx, "completion", "Print a completion script for a shell",
                    "Needs neither configuration nor state.\n\n"
                    "Examples:\n"
                    "  source <(chargifyctl completion bash)\n"
                    "  chargifyctl completion fish > ~/.config/fish/completions/chargifyctl.fish",
                    [shell, &app](context& c) {
                        const described_command tree = describe(app);
                        c.out().write(*shell == "bash"  ? bash_completion(tree)
                                      : *shell == "zsh" ? zsh_completion(tree)
                                                        : fish_completion(tree));
                        return exit_code::done;
                    });
    command.add_option("SHELL", *shell, "bash, zsh or fish")
        ->type_name("")
        ->required()
        ->check(CLI::IsMember({"bash", "zsh", "fish"}));
}

} // namespace chargifyd::ctl
