#include "ctl/completion.hpp"
#include "help_tree.hpp"
#include "run_shell.hpp"
#include "temporary_directory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace chargifyd::ctl {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::Not;
using testing::UnorderedElementsAre;

class completion : public testing::Test {
protected:
    std::string file(const std::string& name, const std::string& content)
    {
        const auto path = directory / name;
        std::ofstream(path, std::ios::binary) << content;
        return path.string();
    }

    /// What bash offers for the last word.
    std::vector<std::string> offered(const std::vector<std::string>& words)
    {
        std::string line = "COMP_WORDS=(chargifyctl";
        for (const std::string& w : words)
            line += " '" + w + "'";
        const std::string script =
            file("ask.sh", "set -u\nsource '" + script_ +
                               "'\n[[ $(complete -p chargifyctl) == *_chargifyctl* ]] || exit 3\n" + line +
                               ")\nCOMP_CWORD=" + std::to_string(words.size()) + "\ncd '" +
                               (directory / "").string() +
                               "'\n_chargifyctl\nfor w in \"${COMPREPLY[@]}\"; do echo \"$w\"; done\n");
        const shell_outcome o = run_shell("bash " + script);
        EXPECT_EQ(o.status, 0) << o.out;
        std::vector<std::string> found;
        std::istringstream lines(o.out);
        for (std::string l; std::getline(lines, l);)
            found.push_back(l);
        return found;
    }

    test::temporary_directory directory;
    std::string script_ = file("bash_completion", run_ctl({"completion", "bash"}).out);
};

TEST_F(completion, bash_offers_every_command_and_option_of_the_help)
{
    std::string script = "source '" + script_ + "'\n";
    const std::vector<helped> all = read_all_help();
    ASSERT_GT(all.size(), 30U);
    for (const helped& command : all) {
        std::string words = "chargifyctl";
        for (const std::string& name : command.path)
            words += " " + name;
        script += "COMP_WORDS=(" + words + " --)\nCOMP_CWORD=" + std::to_string(command.path.size() + 1) +
                  "\n_chargifyctl\nfor option in";
        for (const std::string& option : command.options)
            script += " " + option;
        script += "; do [[ \" ${COMPREPLY[*]} \" == *\" $option \"* ]] || echo '" + words +
                  "' lacks $option; done\n";
        if (command.path.empty())
            continue;
        script += "COMP_WORDS[COMP_CWORD-1]=" + command.path.back() +
                  "\nCOMP_CWORD=" + std::to_string(command.path.size()) +
                  "\n_chargifyctl\n[[ \" ${COMPREPLY[*]} \" == *\" " + command.path.back() +
                  " \"* ]] || echo '" + words + "' is not offered\n";
    }
    const shell_outcome o = run_shell("bash " + file("all.sh", script));
    EXPECT_EQ(o.status, 0);
    EXPECT_EQ(o.out, "");
}

TEST_F(completion, bash_goes_by_what_is_on_the_line)
{
    EXPECT_THAT(offered({"stat"}), ElementsAre("status"));
    EXPECT_THAT(offered({"events", "s"}), ElementsAre("show"));
    EXPECT_THAT(offered({"--json", "--config", "events", "ev"}), ElementsAre("events"))
        << "a value is no command";
    EXPECT_THAT(offered({"events", "--outcome", "un"}), UnorderedElementsAre("unchanged", "unknown"));
    EXPECT_THAT(offered({"events", "--outcome", "=", "sta"}), ElementsAre("stale"));
    EXPECT_THAT(offered({"events", "--outcome", "="}), Contains("dead"));
    EXPECT_THAT(offered({"subscriptions", "--state", "past"}), ElementsAre("past_due"));
    EXPECT_THAT(offered({"completion", ""}), UnorderedElementsAre("bash", "zsh", "fish"));
    EXPECT_THAT(offered({"simulate", "event", "signup_s"}), ElementsAre("signup_success"));
    EXPECT_THAT(offered({"simulate", "load", "--mix", "re"}), ElementsAre("renewals"));
    EXPECT_THAT(offered({"changes", "--kind", "payment"}), Contains("payment"));
    EXPECT_THAT(offered({"status", "x"}), IsEmpty());
    EXPECT_THAT(offered({"events", "--limit", ""}), IsEmpty());
}

TEST_F(completion, bash_offers_files)
{
    file("a body.form", "");
    std::filesystem::create_directory(directory / "a folder");
    EXPECT_THAT(offered({"sign", "a"}), IsSupersetOf({"a body.form", "a folder"}));
    EXPECT_THAT(offered({"sign", "--key-file", "a b"}), ElementsAre("a body.form"));
    EXPECT_THAT(offered({"--state-directory", "a"}), ElementsAre("a folder"));
}

TEST_F(completion, every_script_names_every_option)
{
    for (const std::string shell : {"bash", "zsh", "fish"}) {
        const outcome o = run_ctl({"--config", "/nonexistent/c.toml", "completion", shell});
        EXPECT_EQ(o.status, 0) << o.err;
        for (const helped& command : read_all_help()) {
            EXPECT_THAT(o.out, HasSubstr(command.path.empty() ? "chargifyctl" : command.path.back()));
            for (const std::string& option : command.options)
                EXPECT_THAT(o.out, HasSubstr(shell == "fish" ? " -l " + option.substr(2) : option)) << shell;
        }
    }
    EXPECT_EQ(run_ctl({"completion", "tcsh"}).status, 2);
    EXPECT_EQ(run_ctl({"completion"}).status, 2);
}

TEST_F(completion, scripts_are_sound_for_their_shells)
{
    EXPECT_EQ(run_shell("bash -n " + script_).out, "");
    for (const std::string shell : {"zsh", "fish"}) {
        if (!has_program(shell))
            continue;
        const shell_outcome o = run_shell(shell + " -n " + file(shell, run_ctl({"completion", shell}).out));
        EXPECT_EQ(o.status, 0) << o.out;
        EXPECT_EQ(o.out, "");
    }
    if (!has_program("fish"))
        return;
    const shell_outcome o =
        run_shell("fish --no-config -c 'source " + (directory / "fish").string() +
                  "; complete -C \"chargifyctl events --outcome un\"; complete -C \"chargifyctl events s\"'");
    EXPECT_THAT(o.out, HasSubstr("unchanged"));
    EXPECT_THAT(o.out, HasSubstr("show"));
    EXPECT_THAT(o.out, Not(HasSubstr("status")));
}

} // namespace
} // namespace chargifyd::ctl
