#include "state/hash_reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace chargifyd::state {
namespace {

using chargify::form;
using ::testing::ElementsAre;
using ::testing::Pair;

value decimal(std::string_view text)
{
    return convert(column_kind::decimal, text).value_or(value("refused"));
}

TEST(convert, decimals_have_one_form)
{
    EXPECT_EQ(decimal("3"), value("3"));
    EXPECT_EQ(decimal("3.0"), value("3"));
    EXPECT_EQ(decimal("003.10"), value("3.1"));
    EXPECT_EQ(decimal("+1.50"), value("1.5"));
    EXPECT_EQ(decimal(".5"), value("0.5"));
    EXPECT_EQ(decimal("5."), value("5"));
    EXPECT_EQ(decimal("-0.00"), value("0"));
    EXPECT_EQ(decimal("-2.25"), value("-2.25"));
    EXPECT_EQ(decimal("99999999999999999999.5"), value("99999999999999999999.5"));
    for (const char* const bad : {"", "-", ".", "1.2.3", "1e3", "0x1", " 1", "1,5", "NaN",
                                  "11111111111111111111111111111111111111111"})
        EXPECT_EQ(decimal(bad), value("refused")) << bad;
}

TEST(convert, integers_are_whole_and_fit)
{
    EXPECT_EQ(convert(column_kind::integer, "-9223372036854775808"),
              value(std::numeric_limits<std::int64_t>::min()));
    EXPECT_EQ(convert(column_kind::integer, "+7"), value(std::int64_t{7}));
    for (const char* const bad : {"", "-", "9223372036854775808", "-9223372036854775809", "1.0", "1 ", "a"})
        EXPECT_EQ(convert(column_kind::integer, bad), std::nullopt) << bad;
}

TEST(convert, flags_and_times)
{
    EXPECT_EQ(convert(column_kind::flag, "true"), value(std::int64_t{1}));
    EXPECT_EQ(convert(column_kind::flag, "0"), value(std::int64_t{0}));
    EXPECT_EQ(convert(column_kind::flag, "yes"), std::nullopt);
    EXPECT_EQ(convert(column_kind::time, "2016-11-08 16:22:18 -0500"), value("2016-11-08T21:22:18Z"));
    EXPECT_EQ(convert(column_kind::time, "soon"), std::nullopt);
}

class hash_reader_test : public ::testing::Test {
protected:
    void read(const std::string& body, bool full)
    {
        tree_ = std::move(*form::parse(body));
        seen_ = {};
        seen_.kind = object_kind::transaction;
        seen_.full = full;
        hash_reader reader(tree_, seen_);
        reader.read(tree_.branch(form::root, "t"), {"skipped"});
        reader.finish();
    }
    value column(std::string_view name) { return seen_.columns.at(*table_of(seen_.kind).find(name)); }

    form tree_;
    observation seen_;
};

TEST_F(hash_reader_test, fills_columns_and_keeps_the_rest)
{
    read("t[id]=5&t[amount_in_cents]=100&t[success]=true&t[kind]=&t[new_field]=x&t[deep][a]=1&t[skipped]=2",
         true);
    EXPECT_EQ(column("amount_in_cents"), value(std::int64_t{100}));
    EXPECT_EQ(column("success"), value(std::int64_t{1}));
    EXPECT_EQ(column("kind"), value());
    EXPECT_EQ(seen_.attributes, R"({"new_field":"x","deep":{"a":"1"}})");
}

TEST_F(hash_reader_test, what_does_not_fit_is_kept_as_received)
{
    read("t[amount_in_cents]=12.50&t[success]=maybe", true);
    EXPECT_EQ(column("amount_in_cents"), value());
    EXPECT_EQ(seen_.attributes, R"({"amount_in_cents":"12.50","success":"maybe"})");
}

TEST_F(hash_reader_test, a_patch_names_only_what_is_not_empty)
{
    read("t[amount_in_cents]=&t[memo]=m&t[a]=&t[b]=1", false);
    EXPECT_EQ(column("amount_in_cents"), value());
    EXPECT_EQ(column("memo"), value("m"));
    EXPECT_THAT(seen_.extras, ElementsAre(Pair("b", "\"1\"")));
}

// P7: what lets its holder act for a customer goes no further than the journal.
TEST_F(hash_reader_test, tokens_and_card_numbers_are_passed_over_at_any_depth)
{
    read("t[vault_token]=canary&t[customer_vault_token]=canary&t[self_service_page_token]=canary&"
         "t[full_number]=canary&t[cvv]=canary&t[a][b][vault_token]=canary&t[a][b][c]=1&t[memo]=m",
         true);
    EXPECT_EQ(seen_.attributes, R"({"a":{"b":{"c":"1"}}})");
    EXPECT_EQ(column("memo"), value("m"));
}

TEST_F(hash_reader_test, of_a_repeated_key_the_last_wins)
{
    read("t[memo]=1&t[memo]=2&t[x]=1&t[x]=2", true);
    EXPECT_EQ(column("memo"), value("2"));
    EXPECT_EQ(seen_.attributes, R"({"x":"2"})");
}

} // namespace
} // namespace chargifyd::state
