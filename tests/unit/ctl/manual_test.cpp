#include "ctl/manual.hpp"
#include "help_tree.hpp"
#include "run_shell.hpp"
#include "temporary_directory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

namespace chargifyd::ctl {
namespace {

using testing::HasSubstr;

std::string roff_option(const std::string& name)
{
    return "\\fB" + std::regex_replace(name, std::regex("-"), "\\-") + "\\fR";
}

class manual : public testing::Test {
protected:
    void SetUp() override { ::setenv("SOURCE_DATE_EPOCH", "1767225600", 1); }
    void TearDown() override { ::unsetenv("SOURCE_DATE_EPOCH"); }

    std::string file(const std::string& name, const std::string& content)
    {
        const auto path = directory / name;
        std::ofstream(path, std::ios::binary) << content;
        return path.string();
    }

    test::temporary_directory directory;
};

TEST_F(manual, has_every_command_and_option_of_the_help)
{
    const std::string page = run_ctl({"man"}).out;
    const std::vector<helped> all = read_all_help();
    ASSERT_GT(all.size(), 30U);
    for (const helped& command : all) {
        std::string heading = "chargifyctl";
        for (const std::string& name : command.path)
            heading += " " + std::regex_replace(name, std::regex("-"), "\\-");
        const auto begins = command.path.empty() ? 0 : page.find(".SS " + heading + "\n");
        ASSERT_NE(begins, std::string::npos) << heading;
        const auto next = command.path.empty() ? std::string::npos : page.find("\n.S", begins + 1);
        const std::string section = page.substr(begins, next - begins);
        const std::string common = page.substr(page.find("\n.SH OPTIONS\n"));
        ASSERT_GE(command.options.size(), 6U) << heading;
        for (const std::string& option : command.options)
            EXPECT_TRUE(section.find(roff_option(option)) != std::string::npos ||
                        common.find(roff_option(option)) != std::string::npos)
                << heading << ' ' << option;
    }
}

TEST_F(manual, has_every_section)
{
    const std::string page = run_ctl({"man"}).out;
    for (const char* name :
         {"NAME", "SYNOPSIS", "DESCRIPTION", "COMMANDS", "OPTIONS", "EXIT STATUS", "FILES", "SEE ALSO"})
        EXPECT_THAT(page, HasSubstr(std::string("\n.SH ") + name + "\n"));
    EXPECT_THAT(page, testing::StartsWith(".TH CHARGIFYCTL 1 2026-01-01 "));
    EXPECT_THAT(page, HasSubstr("\nchargifyctl status\n")) << "an example";
    const std::string daemon = run_ctl({"man", "chargifyd"}).out;
    for (const char* text :
         {"SIGTERM", "SIGHUP", "\\fB\\-\\-config\\fR \\fIFILE\\fR", "EXIT STATUS", "FILES"})
        EXPECT_THAT(daemon, HasSubstr(text));
    EXPECT_EQ(run_ctl({"man", "nonsense"}).status, 2);
}

TEST_F(manual, needs_neither_configuration_nor_state)
{
    EXPECT_EQ(run_ctl({"--config", "/nonexistent/c.toml", "--state-directory", "/nonexistent", "man"}).status,
              0);
}

TEST_F(manual, the_date_is_that_of_the_source)
{
    ::setenv("SOURCE_DATE_EPOCH", "yesterday", 1);
    const outcome o = run_ctl({"man"});
    EXPECT_EQ(o.status, 2);
    EXPECT_THAT(o.err, HasSubstr("SOURCE_DATE_EPOCH"));
}

TEST_F(manual, is_sound_for_those_who_read_it)
{
    for (const std::string name : {"chargifyctl", "chargifyd"}) {
        const std::string page = run_ctl({"man", name}).out;
        EXPECT_TRUE(std::ranges::all_of(page, [](char c) { return c == '\n' || (c >= ' ' && c <= '~'); }));
        const std::string path = file(name + ".8", page);
        for (const std::string command :
             {"groff -ww -z -man -Tutf8 ", "mandoc -Tlint -W warning ",
              "LC_ALL=C.UTF-8 MANROFFSEQ= man --warnings -E UTF-8 -Tutf8 -Z -l "}) {
            if (command.starts_with("LC_ALL") ? !has_program("man")
                                              : !has_program(command.substr(0, command.find(' '))))
                continue;
            const shell_outcome o =
                run_shell(command + path + (command.starts_with("LC_ALL") ? " > /dev/null" : ""));
            EXPECT_EQ(o.status, 0) << command << o.out;
            EXPECT_EQ(o.out, "") << command;
        }
    }
}

} // namespace
} // namespace chargifyd::ctl
