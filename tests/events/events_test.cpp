#include "fixture.hpp"

#include "chargifyd/chargify/events.hpp"
#include "chargifyd/chargify/form.hpp"
#include "chargifyd/state/forget.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <vector>

/// Each event lands as documented: the bodies and rows in tests/data/events, and the table in docs/events.md.
/// CHARGIFYD_WRITE_FIXTURES=1 writes the files and prints the table's lines instead of checking them.
namespace chargifyd::test {
namespace {

namespace fs = std::filesystem;

const fs::path folder = CHARGIFYD_EVENT_FIXTURES;

bool writes_fixtures()
{
    return std::getenv("CHARGIFYD_WRITE_FIXTURES") != nullptr;
}

std::string read_file(const fs::path& name)
{
    std::ifstream in(name, std::ios::binary);
    std::ostringstream all;
    all << in.rdbuf();
    return all.str();
}

void write_file(const fs::path& name, const std::string& content)
{
    fs::create_directories(name.parent_path());
    std::ofstream(name, std::ios::binary) << content;
}

struct variant {
    const char* name;
    bool older;
};
constexpr variant variants[] = {{"", false}, {".older", true}};

/// The whole subscription became larger in the course of time; two examples of that are enough.
bool has_older_form(const chargify::event_info& event)
{
    if (event.shape == chargify::payload_shape::subscription)
        return event.key == "signup_success" || event.key == "payment_success";
    return invent(event.key, true).event != invent(event.key, false).event;
}

std::string joined(const std::set<std::string>& words)
{
    std::string all;
    for (const std::string& word : words)
        all += (all.empty() ? "`" : ", `") + word + "`";
    return all.empty() ? "–" : all;
}

/// `| key | summary | tables | kinds |` as the page must have it.
std::string table_line(const chargify::event_info& event, const std::set<std::string>& tables,
                       const std::set<std::string>& kinds)
{
    return "| `" + std::string(event.key) + "` | " + std::string(event.summary) + " | " + joined(tables) +
           " | " + joined(kinds) + " |";
}

class event_test : public ::testing::TestWithParam<chargify::event_info> {};

TEST_P(event_test, lands_as_documented)
{
    const chargify::event_info& event = GetParam();
    const std::string key(event.key);
    const std::string page = read_file(CHARGIFYD_EVENTS_PAGE);
    std::set<std::string> tables;
    std::set<std::string> kinds;
    for (const variant& v : variants) {
        const fs::path before_file = folder / (key + v.name + ".before.form");
        const fs::path body_file = folder / (key + v.name + ".form");
        const fs::path rows_file = folder / (key + v.name + ".rows");
        if (writes_fixtures()) {
            const event_bodies made = invent(key, v.older);
            if (v.older && !has_older_form(event))
                continue;
            write_file(body_file, made.event);
            if (!made.before.empty())
                write_file(before_file, made.before);
            write_file(rows_file, apply(made).rows);
        }
        if (v.older && !fs::exists(body_file))
            continue; // this event never had another form
        const event_bodies bodies{read_file(before_file), read_file(body_file)};
        ASSERT_NE(bodies.event, "") << body_file;
        const event_effect effect = apply(bodies);
        EXPECT_EQ(effect.rows, read_file(rows_file)) << rows_file;
        tables.insert(effect.tables.begin(), effect.tables.end());
        kinds.insert(effect.kinds.begin(), effect.kinds.end());
    }
    const std::string line = table_line(event, tables, kinds);
    if (writes_fixtures())
        std::cout << line << "\n";
    else
        EXPECT_NE(page.find("\n" + line + "\n"), std::string::npos) << "docs/events.md lacks\n" << line;
}

/// What simulated people are called, live in and pay with, and what they typed.
std::vector<std::string> personal_values(const std::string& body)
{
    std::vector<std::string> all;
    const auto tree = *chargify::form::parse(body);
    for (chargify::form::index i = 1; i < tree.size(); ++i) {
        const auto& leaf = tree.at(i);
        constexpr std::string_view keys[] = {"email",           "first_name",        "last_name", "phone",
                                             "address",         "reference",         "memo",      "new_value",
                                             "billing_address", "masked_card_number"};
        const bool told = std::ranges::find(keys, leaf.key) != std::end(keys);
        if (!leaf.is_branch && told && leaf.value.size() > 3)
            all.emplace_back(leaf.value);
    }
    return all;
}

TEST_P(event_test, can_forget_its_people)
{
    const std::string key(GetParam().key);
    for (const variant& v : variants) {
        event_bodies bodies{read_file(folder / (key + v.name + ".before.form")),
                            read_file(folder / (key + v.name + ".form"))};
        if (bodies.event.empty())
            continue;
        const std::string before = impersonal_rows(bodies);
        const std::vector<std::string> told = personal_values(bodies.event);
        state::blank_personal(bodies.before);
        state::blank_personal(bodies.event);
        EXPECT_EQ(impersonal_rows(bodies), before);
        const std::string left = apply(bodies).all_rows;
        for (const std::string& value : told)
            EXPECT_EQ(left.find("=" + value), std::string::npos) << value;
    }
}

INSTANTIATE_TEST_SUITE_P(catalogue, event_test,
                         ::testing::ValuesIn(chargify::event_catalogue().begin(),
                                             chargify::event_catalogue().end()),
                         [](const auto& event) { return std::string(event.param.key); });

TEST(events_page, has_no_line_about_an_event_that_is_not_known)
{
    std::istringstream page(read_file(CHARGIFYD_EVENTS_PAGE));
    int found = 0;
    bool in_table = false;
    for (std::string line; std::getline(page, line);) {
        in_table = line.starts_with("| event |") || (in_table && line.starts_with("|"));
        if (!in_table || !line.starts_with("| `"))
            continue;
        const std::string key = line.substr(3, line.find('`', 3) - 3);
        EXPECT_NE(chargify::find_event(key), nullptr) << key;
        ++found;
    }
    EXPECT_EQ(found, static_cast<int>(chargify::event_catalogue().size()));
}

} // namespace
} // namespace chargifyd::test
