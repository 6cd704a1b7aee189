#include "config/findings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace chargifyd::config {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

loaded finished(findings found)
{
    loaded out;
    std::move(found).finish(out);
    return out;
}

std::string only_text(findings found)
{
    const loaded out = finished(std::move(found));
    return out.mistakes.size() == 1 ? out.mistakes.front().text : "not one mistake";
}

findings with_keys()
{
    findings found;
    found.known("", "state_directory");
    found.known("", "ingress");
    found.known("ingress", "https");
    found.known("ingress", "threads");
    found.known("site", "name");
    return found;
}

TEST(findings, stand_in_the_order_of_the_lines)
{
    findings found;
    found.mistake(7, "c");
    found.mistake(2, "b");
    found.mistake(0, "a");
    found.mistake(7, "d");
    found.warning(9, "late");
    found.warning(1, "early");
    const loaded out = finished(found);
    std::vector<std::string> mistakes;
    for (const mistake& m : out.mistakes)
        mistakes.push_back(m.text);
    EXPECT_THAT(mistakes, ElementsAre("a", "b", "c", "d"));
    ASSERT_EQ(out.warnings.size(), 2U);
    EXPECT_EQ(out.warnings[0].text, "early");
}

TEST(findings, list_effective_values_and_mark_defaults)
{
    findings found;
    found.effective("ingress.threads", "0", false);
    found.effective("log.level", "\"debug\"", true);
    EXPECT_THAT(finished(found).value.effective,
                ElementsAre("ingress.threads = 0  # default", "log.level = \"debug\""));
}

TEST(findings, have_no_effective_values_when_there_are_mistakes)
{
    findings found;
    found.effective("ingress.threads", "0", false);
    found.mistake(1, "wrong");
    EXPECT_THAT(finished(found).value.effective, IsEmpty());
}

TEST(findings, suggest_the_nearest_key_of_the_same_table)
{
    findings found = with_keys();
    found.unknown("ingress", "thread", 3, false);
    EXPECT_EQ(only_text(found), "unknown key \"thread\" in [ingress]; did you mean threads?");
}

TEST(findings, suggest_the_table_a_key_belongs_to)
{
    findings found = with_keys();
    found.unknown("log", "threads", 3, false);
    EXPECT_EQ(only_text(found), "unknown key \"threads\" in [log]; it belongs in [ingress]");
    found = with_keys();
    found.unknown("", "name", 3, false);
    EXPECT_EQ(only_text(found), "unknown key \"name\" at the top of the file; it belongs in [[site]]");
    found = with_keys();
    found.unknown("log", "state_directory", 3, false);
    EXPECT_EQ(only_text(found),
              "unknown key \"state_directory\" in [log]; it belongs at the top of the file, before "
              "the first table");
}

TEST(findings, know_tables_too)
{
    findings found = with_keys();
    found.unknown("", "ingres", 3, true);
    EXPECT_EQ(only_text(found), "unknown table \"ingres\" at the top of the file; did you mean ingress?");
    found = with_keys();
    found.unknown("", "delivery", 3, true);
    EXPECT_EQ(only_text(found), "unknown table \"delivery\" at the top of the file; remove it");
}

TEST(findings, escape_what_the_file_calls_a_key)
{
    findings found = with_keys();
    found.unknown("ingress", "\x1b[2J\n", 3, false);
    EXPECT_EQ(only_text(found), "unknown key \"\\x1b[2J\\x0a\" in [ingress]; remove it");
}

TEST(findings, count_mistakes_so_far)
{
    findings found;
    EXPECT_EQ(found.count(), 0U);
    found.mistake(1, "a");
    found.warning(1, "b");
    EXPECT_EQ(found.count(), 1U);
}

} // namespace
} // namespace chargifyd::config
