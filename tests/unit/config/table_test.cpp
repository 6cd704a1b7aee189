#include "config/table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace chargifyd::config {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// A table "t" read from text, and what comes of it.
class table_of {
public:
    explicit table_of(const std::string& text)
        : values_(toml::parse(text))
        , read(&values_, "t", found_)
    {}

    /// Mistakes as "line text".
    std::vector<std::string> mistakes()
    {
        loaded out;
        std::move(found_).finish(out);
        std::vector<std::string> all;
        for (const mistake& m : out.mistakes)
            all.push_back(std::to_string(m.line) + " " + m.text);
        return all;
    }
    std::vector<std::string> effective()
    {
        loaded out;
        std::move(found_).finish(out);
        return out.value.effective;
    }

private:
    toml::table values_;
    findings found_;

public:
    table read;
};

TEST(table, gives_a_text_and_its_line)
{
    table_of t("\na = \"x\"\n");
    const auto got = t.read.text("a");
    ASSERT_TRUE(got);
    EXPECT_EQ(got->text, "x");
    EXPECT_EQ(got->line, 2U);
    EXPECT_FALSE(t.read.text("b"));
    EXPECT_THAT(t.mistakes(), IsEmpty());
}

TEST(table, refuses_other_types_for_a_text)
{
    table_of t("a = 1\nb = [\"x\"]\nc = true\nd = 1.5\ne = 2020-01-01\nf = {}");
    for (const char* key : {"a", "b", "c", "d", "e", "f"})
        EXPECT_FALSE(t.read.text(key)) << key;
    EXPECT_THAT(t.mistakes(),
                ElementsAre("1 t.a must be a text, not a whole number; write it in double quotes",
                            "2 t.b must be a text, not a list; write it in double quotes",
                            "3 t.c must be a text, not true or false; write it in double quotes",
                            "4 t.d must be a text, not a fraction; write it in double quotes",
                            "5 t.e must be a text, not a date; write it in double quotes",
                            "6 t.f must be a text, not a table; write it in double quotes"));
}

TEST(table, gives_each_text_of_a_list_with_its_line)
{
    table_of t("a = [\n  \"x\",\n  \"y\",\n]");
    const std::vector<item> got = t.read.texts("a");
    ASSERT_EQ(got.size(), 2U);
    EXPECT_EQ(got[1].text, "y");
    EXPECT_EQ(got[1].line, 3U);
    EXPECT_THAT(t.read.texts("b"), IsEmpty());
}

TEST(table, points_at_the_wrong_element_of_a_list)
{
    table_of t("a = [\n\"x\",\n5\n]\nb = \"x\"");
    EXPECT_EQ(t.read.texts("a").size(), 1U);
    EXPECT_THAT(t.read.texts("b"), IsEmpty());
    EXPECT_THAT(t.mistakes(), ElementsAre("3 t.a must hold texts, not a whole number; write [\"…\"]",
                                          "5 t.b must be a list, not a text; write [\"…\"]"));
}

TEST(table, keeps_the_default_of_a_missing_or_wrong_number)
{
    table_of t("low = 0\nhigh = 11\ntext = \"5\"\nfraction = 5.0\ngood = 10");
    for (const char* key : {"low", "high", "text", "fraction", "missing"}) {
        unsigned value = 7;
        t.read.number(key, value, 1, 10);
        EXPECT_EQ(value, 7U) << key;
    }
    unsigned value = 7;
    t.read.number("good", value, 1, 10);
    EXPECT_EQ(value, 10U);
    EXPECT_THAT(
        t.mistakes(),
        ElementsAre("1 t.low is 0, out of range; write a number from 1 to 10",
                    "2 t.high is 11, out of range; write a number from 1 to 10",
                    "3 t.text must be a whole number, not a text; write a number from 1 to 10",
                    "4 t.fraction must be a whole number, not a fraction; write a number from 1 to 10"));
}

TEST(table, takes_both_ends_of_a_range)
{
    table_of t("least = 1\nmost = 10");
    unsigned value = 0;
    t.read.number("least", value, 1, 10);
    EXPECT_EQ(value, 1U);
    t.read.number("most", value, 1, 10);
    EXPECT_EQ(value, 10U);
    EXPECT_THAT(t.mistakes(), IsEmpty());
}

TEST(table, reads_time_limits_in_seconds)
{
    table_of t("a = 3600\nb = 0\nc = 3601");
    std::chrono::milliseconds a{5000};
    t.read.seconds("a", a);
    EXPECT_EQ(a, std::chrono::hours(1));
    std::chrono::milliseconds b{5000};
    t.read.seconds("b", b);
    EXPECT_EQ(b, std::chrono::seconds(5));
    t.read.seconds("c", b);
    EXPECT_EQ(b, std::chrono::seconds(5));
    EXPECT_THAT(t.mistakes(), ElementsAre("2 t.b is 0, out of range; write a number from 1 to 3600",
                                          "3 t.c is 3601, out of range; write a number from 1 to 3600"));
}

TEST(table, reads_flags)
{
    table_of t("yes = true\nno = false\nword = \"true\"");
    bool value = false;
    t.read.flag("yes", value);
    EXPECT_TRUE(value);
    t.read.flag("no", value);
    EXPECT_FALSE(value);
    t.read.flag("word", value);
    EXPECT_FALSE(value);
    EXPECT_THAT(t.mistakes(),
                ElementsAre("3 t.word must be true or false, not a text; write it without quotes"));
}

TEST(table, notes_what_is_in_force)
{
    table_of t("a = 3\nc = true");
    unsigned a = 7;
    t.read.number("a", a, 1, 10);
    unsigned b = 7;
    t.read.number("b", b, 1, 10);
    bool c = false;
    t.read.show_as("t.x");
    t.read.flag("c", c);
    EXPECT_THAT(t.effective(), ElementsAre("t.a = 3", "t.b = 7  # default", "t.x.c = true"));
}

TEST(table, reports_what_nobody_asked_for)
{
    table_of t("a = 1\nbb = 2\n[sub]\nx = 1\n[[list]]\n");
    unsigned a = 0;
    t.read.number("a", a, 0, 10);
    t.read.finish();
    EXPECT_THAT(t.mistakes(), ElementsAre("2 unknown key \"bb\" in [t]; remove it",
                                          "3 unknown table \"sub\" in [t]; remove it",
                                          "5 unknown table \"list\" in [t]; remove it"));
}

TEST(table, can_be_missing)
{
    findings found;
    table t(nullptr, "t", found);
    unsigned value = 7;
    t.number("a", value, 1, 10);
    EXPECT_EQ(value, 7U);
    EXPECT_FALSE(t.text("b"));
    EXPECT_THAT(t.texts("c"), IsEmpty());
    EXPECT_THAT(t.keys(), IsEmpty());
    EXPECT_FALSE(t.has("a"));
    EXPECT_EQ(t.line("a"), 0U);
    t.finish();
    EXPECT_EQ(found.count(), 0U);
}

TEST(table, gives_the_line_of_the_table_for_a_missing_key)
{
    const toml::table file = toml::parse("\n\n[t]\na = 1\n");
    findings found;
    const table t(file["t"].as_table(), "t", found);
    EXPECT_EQ(t.line("a"), 4U);
    EXPECT_EQ(t.line("b"), 3U);
    EXPECT_THAT(t.keys(), ElementsAre("a"));
}

} // namespace
} // namespace chargifyd::config
