#include "samples.hpp"

#include "chargifyd/chargify/form.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace chargifyd::chargify {
namespace {

form parsed(std::string_view body, const form_limits& limits = {})
{
    auto read = form::parse(body, limits);
    EXPECT_TRUE(read) << body << ": " << (read ? "" : read.error().message);
    return read ? std::move(*read) : form();
}

std::string problem(std::string_view body, const form_limits& limits = {})
{
    const auto read = form::parse(body, limits);
    if (read)
        return "parsed";
    EXPECT_EQ(read.error().code, errc::invalid);
    return read.error().message;
}

/// The tree as text: `key=value` for a leaf, `key{…}` for a branch. For small trees.
std::string shown(const form& tree, form::index at = form::root)
{
    std::string out;
    for (auto i = tree.at(at).first_child; i != form::none; i = tree.at(i).next_sibling) {
        out += out.empty() ? "" : " ";
        out += tree.at(i).key;
        out += tree.at(i).is_branch ? "{" + shown(tree, i) + "}" : "=" + std::string(tree.at(i).value);
    }
    return out;
}

std::string shown(std::string_view body)
{
    return shown(parsed(body));
}

std::string shown_or_problem(std::string_view body)
{
    const auto read = form::parse(body);
    return read ? shown(*read) : read.error().message;
}

TEST(form, keeps_pairs_in_order_as_a_tree)
{
    EXPECT_EQ(shown("a=1&a=2"), "a=1 a=2");
    EXPECT_EQ(shown("a[b]=1&a[c]=2"), "a{b=1 c=2}");
    EXPECT_EQ(shown("a[b]=1&x=0&a[c]=2"), "a{b=1 c=2} x=0");
    EXPECT_EQ(shown("a[0][x]=1&a[1][x]=2&a[0][y]=3"), "a{0{x=1 y=3} 1{x=2}}");
    EXPECT_EQ(shown("a[]=1&a[]=2"), "a{=1 =2}");
    EXPECT_EQ(shown("a[][x]=1&a[][x]=2"), "a{{x=1 x=2}}");
    EXPECT_EQ(shown("a=1&a[b]=2&a=3"), "a=1 a{b=2} a=3");
    EXPECT_EQ(shown("a[b]=1&a[b][c]=2&a[b]=3"), "a{b=1 b{c=2} b=3}");
    EXPECT_EQ(shown(""), "");
}

TEST(form, the_same_key_under_another_parent_is_another_branch)
{
    EXPECT_EQ(shown("a[x][k]=1&b[x][k]=2&a[x][l]=3"), "a{x{k=1 l=3}} b{x{k=2}}");
    EXPECT_EQ(shown("a[z]=0&a[x][k]=1&b[z]=0&b[x][k]=2&a[x][k]=3"), "a{z=0 x{k=1 k=3}} b{z=0 x{k=2}}");
    EXPECT_EQ(shown("a[b][c]=1&a[d]=2&a[b][e]=3&x=4&a[b][f]=5"), "a{b{c=1 e=3 f=5} d=2} x=4");
    EXPECT_EQ(shown("a[a][a]=1&a[a]=2&a=3&a[a][a]=4"), "a{a{a=1 a=4} a=2} a=3");
}

TEST(form, finds_branches_again_however_many_there_are)
{
    std::string body;
    for (int round = 0; round < 2; ++round)
        for (int i = 0; i < 300; ++i)
            body += "a[" + std::to_string(i) + "][r" + std::to_string(round) + "]=" + std::to_string(i) + "&";
    const form tree = parsed(body);
    EXPECT_EQ(tree.size(), 1U + 1U + 300U + 600U);
    const form::index a = tree.branch(form::root, "a");
    for (int i = 0; i < 300; ++i) {
        const form::index branch = tree.branch(a, std::to_string(i));
        ASSERT_EQ(tree.integer(branch, "r0"), i);
        ASSERT_EQ(tree.integer(branch, "r1"), i);
    }
}

TEST(form, splits_before_it_decodes)
{
    EXPECT_EQ(shown("a=1%262%3D3&b=x"), "a=1&2=3 b=x");
    EXPECT_EQ(shown("a=b=c&d==&e"), "a=b=c d== e=");
    EXPECT_EQ(parsed("a=b=c").value(form::root, "a"), "b=c");
    EXPECT_EQ(parsed("a%3Db=1").value(form::root, "a=b"), "1");
    EXPECT_EQ(shown("a;b=1;c=2"), "a;b=1;c=2");
}

TEST(form, decodes_what_any_library_writes)
{
    EXPECT_EQ(shown("a%5Bb%5D=1&a%5bc%5d=2&a[d]=3"), "a{b=1 c=2 d=3}");
    EXPECT_EQ(shown("a=x+y%20z w"), "a=x y z w");
    EXPECT_EQ(shown("a=%2B%25%26%3d%3D"), "a=+%&==");
    EXPECT_EQ(shown("a=%c3%AB"), "a=\xc3\xab");
    EXPECT_EQ(shown("a[b+c]=1&a[b%20c]=2"), "a{b c=1 b c=2}");
    EXPECT_EQ(shown("a%255Bb=1"), "a%5Bb=1");
    EXPECT_EQ(parsed("a=%00x").value(form::root, "a"), std::string_view("\0x", 2));
    EXPECT_EQ(parsed("a=\n").value(form::root, "a"), "\n");
}

TEST(form, skips_empty_pairs_only)
{
    EXPECT_EQ(shown("&&a=1&&b=2&"), "a=1 b=2");
    EXPECT_EQ(shown("&"), "");
    EXPECT_EQ(shown("="), "=");
    EXPECT_EQ(shown("a&=b"), "a= =b");
    EXPECT_EQ(shown("a[b]"), "a{b=}");
}

TEST(form, brackets_that_do_not_pair_up_are_part_of_the_name)
{
    for (const char* key : {"a[b", "a]b", "a[b]c", "a[b]c[d]", "a[b[c]]", "a[b][c", "a[b]]", "a]", "a[",
                            "[a]", "[]", "[", "]", "]a[", "[a][b]", "a][b]", "a]b[c]", "a[b]]c[d]"})
        EXPECT_EQ(shown(std::string(key) + "=1"), std::string(key) + "=1");
    EXPECT_EQ(shown("a[[b]]=1&a[b]=2"), "a[[b]]=1 a{b=2}");
}

/// A key that begins like the one before it is read in another way: what stands before it must make no
/// difference.
TEST(form, keys_read_the_same_whatever_key_stands_before_them)
{
    const std::vector<std::string> keys{
        "a[b]",      "a%5Bb%5D",   "a%5bb%5d",  "a[c]",       "a[b%20c]",   "a[b+c]", "a[]",     "a%5B%5D",
        "a[b",       "a[b]c",      "a[[b]]",    "a[b]]",      "a%255Bb%5D", "a[%5B]", "a[b][c]", "a[b]%5Bd]",
        "a[b][]",    "a[c][c]",    "a[%62][c]", "a[b][c][d]", "%61[b][e]",  "a",      "ab[b]",   "A[b]",
        "a[b%5D[f]", "a[b][%5B",   "a[b][c%5",  "a[b][%5D]",  "a[b][g%5D",  "[a]",    "a[b%",    "a[b][h]=%4",
        "a[b%5D=+%", "a[b][c]%5D", "a[b%5B",    "%5B%5D"};
    // This key begins like none of the others, and what was known of a beginning is forgotten.
    const std::string between = "~[x]=0&";
    const auto apart = [&](const std::string& first, const std::string& second) {
        std::string seen = shown_or_problem(first + "=1&" + between + second + "=2");
        const std::string its_own = " ~{x=0}";
        if (const auto at = seen.find(its_own); at != std::string::npos)
            seen.erase(at, its_own.size());
        return seen;
    };
    for (const std::string& first : keys) {
        for (const std::string& second : keys) {
            const std::string whole = first + "=1&" + second + "=2";
            std::string expected = apart(first, second);
            if (const auto at = expected.rfind("at byte "); at != std::string::npos) {
                const std::size_t place = std::stoul(expected.substr(at + 8));
                const bool in_second = place > first.size() + 2;
                expected =
                    expected.substr(0, at + 8) + std::to_string(place - (in_second ? between.size() : 0));
            }
            EXPECT_EQ(shown_or_problem(whole), expected) << whole;
        }
    }
}

TEST(form, limits_hold_for_keys_that_begin_alike)
{
    const form_limits limits{8, 2, 8, 4};
    EXPECT_EQ(problem("a[b][c]=1&a[b][cd]=2", limits), "parsed");
    EXPECT_EQ(problem("a[b][c]=1&a[b][cde]=2", limits),
              "the body is not a form: a key of more than 8 bytes at byte 10");
    EXPECT_EQ(problem("a[b]=1&a[c]=12345", limits),
              "the body is not a form: a value of more than 4 bytes at byte 12");
    EXPECT_EQ(problem("a[b]=1&a[c]=%", limits),
              "the body is not a form: an invalid percent escape at byte 12");
}

TEST(form, refuses_invalid_escapes_and_says_where)
{
    EXPECT_EQ(problem("a=%"), "the body is not a form: an invalid percent escape at byte 2");
    EXPECT_EQ(problem("a=%A"), "the body is not a form: an invalid percent escape at byte 2");
    EXPECT_EQ(problem("a=%A&b=1"), "the body is not a form: an invalid percent escape at byte 2");
    EXPECT_EQ(problem("a=1&b=xy%ZZ"), "the body is not a form: an invalid percent escape at byte 8");
    EXPECT_EQ(problem("a=%4"), "the body is not a form: an invalid percent escape at byte 2");
    EXPECT_EQ(problem("a=%G0"), "the body is not a form: an invalid percent escape at byte 2");
    EXPECT_EQ(problem("a=%0G"), "the body is not a form: an invalid percent escape at byte 2");
    EXPECT_EQ(problem("a=%-1"), "the body is not a form: an invalid percent escape at byte 2");
    EXPECT_EQ(problem("%5=1"), "the body is not a form: an invalid percent escape at byte 0");
    EXPECT_EQ(problem("secret%"), "the body is not a form: an invalid percent escape at byte 6");
}

TEST(form, holds_as_much_as_its_limits_say_and_no_more)
{
    const form_limits limits{3, 2, 8, 4};
    EXPECT_EQ(problem("a&b&c", limits), "parsed");
    EXPECT_EQ(problem("&a&&b&&c&", limits), "parsed");
    EXPECT_EQ(problem("a&b&c&d", limits), "the body is not a form: more than 3 pairs");
    EXPECT_EQ(problem("a[b][c]=1", limits), "parsed");
    EXPECT_EQ(problem("x&a[][][]", limits),
              "the body is not a form: a key of more than 2 bracketed parts at byte 2");
    EXPECT_EQ(problem("a[[[[[[[", limits), "parsed");
    EXPECT_EQ(problem("12345678=1", limits), "parsed");
    EXPECT_EQ(problem("%31%32%33%34%35%36%37%38=1", limits), "parsed");
    EXPECT_EQ(problem("123456789=1", limits), "the body is not a form: a key of more than 8 bytes at byte 0");
    EXPECT_EQ(problem("a=1234", limits), "parsed");
    EXPECT_EQ(problem("a=%31%32%33%34", limits), "parsed");
    EXPECT_EQ(problem("a=12345", limits), "the body is not a form: a value of more than 4 bytes at byte 2");
}

TEST(form, has_limits_that_real_bodies_stay_within)
{
    const form_limits limits;
    std::string deep = "a";
    for (std::size_t i = 0; i < limits.max_depth; ++i)
        deep += "[b]";
    EXPECT_EQ(problem(deep), "parsed");
    EXPECT_NE(problem(deep + "[b]"), "parsed");
    EXPECT_NE(problem(std::string(limits.max_key_bytes + 1, 'a')), "parsed");
    EXPECT_NE(problem("a=" + std::string(limits.max_value_bytes + 1, 'a')), "parsed");
    std::string many(2 * limits.max_pairs - 1, '&');
    for (std::size_t i = 0; i < many.size(); i += 2)
        many[i] = 'a';
    EXPECT_EQ(problem(many), "parsed");
    EXPECT_NE(problem(many + "&a"), "parsed");
}

TEST(form, look_ups_take_the_last_leaf)
{
    const form tree = parsed("a=1&a=2&b=&c[d]=4&c=5&c[d]=6&e=7&e=&f=8&f[g]=9");
    EXPECT_EQ(tree.value(form::root, "a"), "2");
    EXPECT_EQ(tree.value(form::root, "b"), "");
    EXPECT_EQ(tree.value(form::root, "c"), "5");
    EXPECT_EQ(tree.value(form::root, "f"), "8");
    EXPECT_EQ(tree.value(form::root, "z"), std::nullopt);
    EXPECT_EQ(tree.value(tree.branch(form::root, "c"), "d"), "6");
    EXPECT_EQ(tree.value(form::none, "a"), std::nullopt);
    EXPECT_EQ(tree.text(form::root, "a"), "2");
    EXPECT_EQ(tree.text(form::root, "b"), std::nullopt);
    EXPECT_EQ(tree.text(form::root, "e"), std::nullopt);
    EXPECT_EQ(tree.text(form::none, "a"), std::nullopt);
    EXPECT_EQ(tree.branch(form::root, "a"), form::none);
    EXPECT_EQ(tree.branch(form::none, "c"), form::none);
}

TEST(form, reads_whole_integers_only)
{
    const auto integer = [](const std::string& text) { return parsed("n=" + text).integer(form::root, "n"); };
    EXPECT_EQ(integer("0"), 0);
    EXPECT_EQ(integer("-17"), -17);
    EXPECT_EQ(integer("%2B17"), 17);
    EXPECT_EQ(integer("007"), 7);
    EXPECT_EQ(integer("9223372036854775807"), INT64_MAX);
    EXPECT_EQ(integer("-9223372036854775808"), INT64_MIN);
    for (const char* text : {"", "9223372036854775808", "-9223372036854775809", "1.0", "64.00", "1e3", "0x1",
                             "%201", "1%20", "--1", "%2B-1", "-%2B1", "%2B", "-", "nil", "1,000", "1%00"})
        EXPECT_EQ(integer(text), std::nullopt) << text;
    EXPECT_EQ(parsed("").integer(form::root, "n"), std::nullopt);
    EXPECT_EQ(parsed("").integer(form::none, "n"), std::nullopt);
}

TEST(form, its_text_survives_a_move_and_the_body)
{
    std::string body = "a[b]=value&c=another%20value";
    form first = parsed(body);
    const std::string_view before = *first.value(form::root, "c");
    body.assign(body.size(), '#');
    form second = std::move(first);
    form third;
    third = std::move(second);
    EXPECT_EQ(shown(third), "a{b=value} c=another value");
    EXPECT_EQ(before, "another value");
    EXPECT_EQ(before.data(), third.value(form::root, "c")->data());
}

TEST(form, a_new_one_is_empty)
{
    const form empty;
    EXPECT_EQ(empty.size(), 1U);
    EXPECT_TRUE(empty.at(form::root).is_branch);
    EXPECT_EQ(empty.branch(form::root, "a"), form::none);
}

TEST(form, bodies_made_to_be_slow_are_read_like_any_other)
{
    // One mebibyte each. Were a look-up a walk over the siblings, these would take minutes under a sanitizer.
    constexpr std::size_t size = 1 << 20;
    std::string distinct;
    std::string nested;
    std::size_t pairs = 0;
    for (; pairs < 65536 && distinct.size() + 16 < size; ++pairs)
        distinct += "a[" + std::to_string(pairs) + "][x]&";
    const form wide = parsed(distinct);
    EXPECT_EQ(wide.size(), 2 + 2 * pairs);

    std::size_t rows = 0;
    for (; rows < 65536 && nested.size() + 128 < size; ++rows)
        nested += std::to_string(rows) +
                  "[b][c][d][e][f][g][h][i][j][k][l][m][n][o][p][q][r][s][t][u][v][w][x][y][z]&";
    EXPECT_EQ(parsed(nested).size(), 1 + 26 * rows);

    std::string mixed;
    for (std::size_t i = 0; i < 32000; ++i)
        mixed += "a=1&a[" + std::to_string(i % 2) + "][" + std::to_string(i) + "][x]=1&";
    EXPECT_EQ(parsed(mixed).size(), 1U + 1U + 32000U + 2U + 2U * 32000U);

    EXPECT_EQ(parsed(std::string(65536 - 1, '&') + "a").size(), 2U);
    EXPECT_NE(problem(std::string(size, 'a')), "parsed");
    EXPECT_NE(problem(std::string(size, '[')), "parsed");
    EXPECT_NE(problem(std::string(size, '%')), "parsed");
    std::string names;
    for (std::size_t i = 0; i < 65536; ++i)
        names += "k&";
    EXPECT_EQ(parsed(names).size(), 65537U);
}

TEST(form, reads_every_captured_body)
{
    const auto bodies = captured_bodies();
    if (bodies.empty())
        GTEST_SKIP() << "CHARGIFYD_SAMPLES names no captured bodies";
    for (const auto& [name, body] : bodies) {
        const form tree = parsed(body);
        EXPECT_TRUE(tree.text(form::root, "event")) << name;
        EXPECT_NE(tree.branch(form::root, "payload"), form::none) << name;
        EXPECT_FALSE(tree.to_json(form::root).empty()) << name;
    }
}

} // namespace
} // namespace chargifyd::chargify
