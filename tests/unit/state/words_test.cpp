#include "chargifyd/state/words.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <set>

namespace chargifyd::state {
namespace {

using ::testing::HasSubstr;

/// A change, told from the columns that matter.
std::string told(const std::map<std::string, value>& row)
{
    std::vector<result_column> columns;
    std::vector<value> values;
    for (const auto& [name, v] : row) {
        columns.push_back({name, column_kind::text});
        values.push_back(v);
    }
    return describe(fact(columns, values));
}

std::string text(const char* t)
{
    return t;
}

const value one = std::int64_t{15100141};

TEST(words, tell_what_happened)
{
    EXPECT_EQ(told({{"kind", text("renewal")},
                    {"subscription_id", one},
                    {"new_value", text("2026-04-01T10:00:00Z")}}),
              "subscription 15100141 renewed until 2026-04-01");
    EXPECT_EQ(told({{"kind", text("payment")},
                    {"subscription_id", one},
                    {"amount_in_cents", std::int64_t{6400}},
                    {"currency", text("USD")}}),
              "paid 64.00 USD for subscription 15100141");
    EXPECT_EQ(told({{"kind", text("card_updated")},
                    {"old_value", text("visa 1111 04/2026")},
                    {"new_value", text("visa 4242 09/2029")}}),
              "card changed from visa 1111 04/2026 to visa 4242 09/2029");
    const auto canceled = [](const char* now) {
        return told({{"kind", text("cancellation")}, {"subscription_id", one}, {"new_value", text(now)}});
    };
    EXPECT_EQ(canceled("canceled"), "subscription 15100141 was canceled");
    EXPECT_EQ(canceled("removed"), "subscription 15100141 is no longer to be canceled");
    EXPECT_EQ(canceled("scheduled"), "subscription 15100141 is to be canceled at the end of its period");
    EXPECT_EQ(canceled("2026-04-01T10:00:00Z"), "subscription 15100141 is to be canceled on 2026-04-01");
}

TEST(words, are_whole_without_any_value)
{
    for (const std::string_view kind : change_kinds()) {
        const std::string words = told({{"kind", std::string(kind)}});
        EXPECT_GT(words.size(), 5U) << kind;
    }
    EXPECT_EQ(told({{"kind", text("comet")}, {"subscription_id", one}, {"new_value", text("x")}}),
              "subscription 15100141: comet to x");
}

// The rows that each event of Chargify makes are kept as data: no kind among them may be without words.
TEST(words, there_are_some_for_every_kind_that_webhooks_make)
{
    std::set<std::string> made;
    for (const auto& entry : std::filesystem::directory_iterator(CHARGIFYD_TEST_DATA "/events")) {
        if (entry.path().extension() != ".rows")
            continue;
        std::ifstream file(entry.path());
        for (std::string line; std::getline(file, line);) {
            if (line.rfind("changes|", 0) != 0)
                continue;
            const std::size_t at = line.find("|kind=");
            ASSERT_NE(at, std::string::npos) << line;
            made.insert(line.substr(at + 6, line.find('|', at + 6) - at - 6));
        }
    }
    EXPECT_GT(made.size(), 20U);
    for (const std::string& kind : made)
        EXPECT_TRUE(is_change_kind(kind)) << kind;
}

TEST(format_money, is_exact)
{
    EXPECT_EQ(format_money(6400, "USD"), "64.00 USD");
    EXPECT_EQ(format_money(5, std::nullopt), "0.05");
    EXPECT_EQ(format_money(-5, "EUR"), "-0.05 EUR");
    EXPECT_EQ(format_money(std::numeric_limits<std::int64_t>::min(), ""), "-92233720368547758.08");
}

} // namespace
} // namespace chargifyd::state
