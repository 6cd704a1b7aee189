#include "chargify/key_index.hpp"

#include <gtest/gtest.h>

namespace chargifyd::chargify {
namespace {

TEST(siphash, agrees_with_other_implementations)
{
    // CPython 3.11 hashes bytes with SipHash-1-3; PYTHONHASHSEED=0 makes its key zero.
    std::string counted;
    for (char c = 0; c < 63; ++c)
        counted += c;
    EXPECT_EQ(siphash13(0, 0, "a"), 0x407448d2b89b1813U);
    EXPECT_EQ(siphash13(0, 0, "payload"), 0x5e805c3762185b4cU);
    EXPECT_EQ(siphash13(0, 0, "12345678"), 0x3489982430560a87U);
    EXPECT_EQ(siphash13(0, 0, "public_signup_pages"), 0xb0dd7ab332517102U);
    EXPECT_EQ(siphash13(0, 0, counted), 0x385d3e39e5f37359U);
}

TEST(siphash, depends_on_both_halves_of_its_key)
{
    EXPECT_NE(siphash13(1, 0, "a"), siphash13(0, 0, "a"));
    EXPECT_NE(siphash13(0, 1, "a"), siphash13(0, 0, "a"));
    EXPECT_NE(siphash13(1, 0, "a"), siphash13(0, 1, "a"));
}

form::node node_of(form::index parent, std::string_view key)
{
    form::node n;
    n.parent = parent;
    n.key = key;
    return n;
}

TEST(key_index, finds_by_parent_and_key)
{
    std::vector<form::node> nodes{node_of(form::none, "")};
    key_index index(nodes);
    const auto add = [&nodes, &index](form::index parent, std::string_view key) {
        const auto next = static_cast<form::index>(nodes.size());
        EXPECT_EQ(index.find_or_put(parent, key, next), next);
        nodes.push_back(node_of(parent, key));
    };
    add(0, "a");
    add(0, "b");
    add(1, "a");
    EXPECT_EQ(index.find_or_put(0, "a", 4), 1U);
    EXPECT_EQ(index.find_or_put(0, "b", 4), 2U);
    EXPECT_EQ(index.find_or_put(1, "a", 4), 3U);
    EXPECT_EQ(index.find_or_put(2, "a", 4), 4U);
}

TEST(key_index, puts_a_node_in_the_place_of_its_like)
{
    const std::vector<form::node> nodes{node_of(form::none, ""), node_of(0, "a"), node_of(0, "a"),
                                        node_of(1, "a")};
    key_index index(nodes);
    EXPECT_EQ(index.put(1), form::none);
    EXPECT_EQ(index.put(2), 1U);
    EXPECT_EQ(index.put(1), 2U);
    EXPECT_EQ(index.put(3), form::none);
    EXPECT_EQ(index.find_or_put(0, "a", 4), 1U);
}

TEST(key_index, keeps_everything_while_it_and_the_nodes_grow)
{
    std::vector<std::string> keys;
    for (int i = 0; i < 5000; ++i)
        keys.push_back("key" + std::to_string(i));
    std::vector<form::node> nodes{node_of(form::none, "")};
    key_index index(nodes);
    for (const std::string& key : keys) {
        const auto next = static_cast<form::index>(nodes.size());
        ASSERT_EQ(index.find_or_put(0, key, next), next);
        nodes.push_back(node_of(0, key));
    }
    for (std::size_t i = 0; i < keys.size(); ++i)
        ASSERT_EQ(index.find_or_put(0, keys[i], form::none), i + 1);
}

} // namespace
} // namespace chargifyd::chargify
