#include "ctl/roff.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <sstream>

namespace chargifyd::ctl {
namespace {

using testing::HasSubstr;

TEST(roff, text_is_no_markup)
{
    EXPECT_EQ(roff_text(R"(a\b --x 'y' "z" `c` ^ ~/d)"),
              R"(a\eb \-\-x \(aqy\(aq \(dqz\(dq \(gac\(ga \(ha \(ti/d)");
    EXPECT_EQ(roff_text("...or"), "\\&...or");
    EXPECT_EQ(roff_text("'or"), "\\(aqor");
}

TEST(roff, no_line_of_text_begins_a_request)
{
    roff_page page("x", 8, "2026-01-01", "x 1");
    page.section("NAME");
    page.paragraph(".ab 'cd . ' .ef");
    page.verbatim({".TH", "'br", "\\fB"});
    page.item({"--a"}, "N", ".b");
    std::istringstream lines(page.text());
    for (std::string line; std::getline(lines, line);) {
        EXPECT_FALSE(line.starts_with('\'')) << line;
        if (line.starts_with('.')) {
            EXPECT_THAT((std::set<std::string>{".TH", ".SH", ".PP", ".TP", ".in", ".nf", ".fi"}),
                        testing::Contains(line.substr(0, 3)))
                << line;
        }
    }
    EXPECT_EQ(page.text().find("\n.TH\n"), std::string::npos);
}

TEST(roff, fills_lines_and_ends_them_with_sentences)
{
    roff_page page("x", 8, "2026-01-01", "x 1");
    page.section("A");
    std::string words;
    for (int i = 0; i < 100; ++i)
        words += "word ";
    page.paragraph("One. Two. " + words);
    EXPECT_THAT(page.text(), HasSubstr(".SH A\nOne.\nTwo.\nword"));
    std::istringstream lines(page.text());
    for (std::string line; std::getline(lines, line);)
        EXPECT_LE(line.size(), 80U);
}

TEST(roff, writes_items)
{
    roff_page page("x", 8, "2026-01-01", "x 1");
    page.item({"-n", "--limit"}, "N", "At most");
    EXPECT_THAT(page.text(), HasSubstr(".TP\n\\fB\\-n\\fR, \\fB\\-\\-limit\\fR \\fIN\\fR\nAt most\n"));
}

} // namespace
} // namespace chargifyd::ctl
