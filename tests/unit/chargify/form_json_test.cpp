#include "chargifyd/chargify/form.hpp"

#include <gtest/gtest.h>

namespace chargifyd::chargify {
namespace {

bool is_token(std::string_view key)
{
    return key == "vault_token" || key == "customer_vault_token";
}

std::string json(std::string_view body, bool (*skip)(std::string_view) = nullptr)
{
    const auto tree = form::parse(body);
    EXPECT_TRUE(tree) << body;
    return tree ? tree->to_json(form::root, skip) : "";
}

std::string literal(std::string_view text)
{
    std::string out;
    form::append_json_string(out, text);
    return out;
}

TEST(form_json, a_branch_is_an_object_of_strings)
{
    EXPECT_EQ(json("a=1&b[c]=x&b[d][e]=true"), R"({"a":"1","b":{"c":"x","d":{"e":"true"}}})");
    EXPECT_EQ(json(""), "{}");
}

TEST(form_json, empty_is_null)
{
    EXPECT_EQ(json("a=&b[c]=&d"), R"({"a":null,"b":{"c":null},"d":null})");
}

TEST(form_json, starts_anywhere)
{
    const auto tree = form::parse("a[b]=1&c=2&d=");
    ASSERT_TRUE(tree);
    EXPECT_EQ(tree->to_json(tree->branch(form::root, "a")), R"({"b":"1"})");
    EXPECT_EQ(tree->to_json(tree->at(tree->branch(form::root, "a")).next_sibling), R"("2")");
    EXPECT_EQ(tree->to_json(tree->at(form::root).last_child), "null");
    EXPECT_EQ(tree->to_json(form::none), "null");
}

TEST(form_json, numbered_keys_are_an_array)
{
    EXPECT_EQ(json("a[0]=x&a[1]=y"), R"({"a":["x","y"]})");
    EXPECT_EQ(json("a[0][k]=1&a[0][l]=2&a[1][k]=3"), R"({"a":[{"k":"1","l":"2"},{"k":"3"}]})");
    EXPECT_EQ(json("a[0][k]=1&a[1]=y&a[2]="), R"({"a":[{"k":"1"},"y",null]})");
}

TEST(form_json, numbers_that_do_not_count_up_from_zero_are_keys)
{
    EXPECT_EQ(json("a[0]=x&a[2]=y"), R"({"a":{"0":"x","2":"y"}})");
    EXPECT_EQ(json("a[1]=x&a[2]=y"), R"({"a":{"1":"x","2":"y"}})");
    EXPECT_EQ(json("a[1]=x&a[0]=y"), R"({"a":{"1":"x","0":"y"}})");
    EXPECT_EQ(json("a[00]=x&a[01]=y"), R"({"a":{"00":"x","01":"y"}})");
    EXPECT_EQ(json("a[0]=x&a[b]=y"), R"({"a":{"0":"x","b":"y"}})");
}

TEST(form_json, empty_keys_are_an_array)
{
    EXPECT_EQ(json("a[]=x"), R"({"a":["x"]})");
    EXPECT_EQ(json("a[]=x&a[]=y&a[]="), R"({"a":["x","y",null]})");
    EXPECT_EQ(json("a[][]=x&a[][]=y"), R"({"a":[["x","y"]]})");
    EXPECT_EQ(json("a[][k]=1&a[][l]=2"), R"({"a":[{"k":"1","l":"2"}]})");
    EXPECT_EQ(json("a[][k]=1&a[][l]=2&a[][k]=3"), R"({"a":[{"k":"1","l":"2"},{"k":"3"}]})");
    EXPECT_EQ(json("a[]=x&a[][k]=1&a[][k]=2"), R"({"a":["x",{"k":"1"},{"k":"2"}]})");
}

TEST(form_json, repeated_keys_are_an_array_of_objects)
{
    EXPECT_EQ(
        json("product[public_signup_pages][id]=281054&product[public_signup_pages][url]=u1"
             "&product[public_signup_pages][id]=281240&product[public_signup_pages][url]=u2"
             "&product[public_signup_pages][id]=282694&product[public_signup_pages][url]=u3&product[id]=1"),
        R"({"product":{"public_signup_pages":[{"id":"281054","url":"u1"},{"id":"281240","url":"u2"},)"
        R"({"id":"282694","url":"u3"}],"id":"1"}})");
    EXPECT_EQ(json("p[id]=1&p[url]=u&p[id]=2"), R"({"p":[{"id":"1","url":"u"},{"id":"2"}]})");
}

TEST(form_json, no_key_stands_twice_in_an_object_and_nothing_is_lost)
{
    EXPECT_EQ(json("a=1&a=2"), R"([{"a":"1"},{"a":"2"}])");
    EXPECT_EQ(json("p[x]=1&p[y]=2&p[y]=3&p[z]=4"), R"({"p":[{"x":"1","y":"2"},{"y":"3","z":"4"}]})");
    EXPECT_EQ(json("p[x]=1&p[x]=2&p[y]=3&p[x]=4&p[y]=5"),
              R"({"p":[{"x":"1"},{"x":"2","y":"3"},{"x":"4","y":"5"}]})");
    EXPECT_EQ(json("p[x]=1&p[y]=2&p[x]=3&p[x]=4"), R"({"p":[{"x":"1","y":"2"},{"x":"3"},{"x":"4"}]})");
    EXPECT_EQ(json("p[a]=1&p[a][b]=2"), R"({"p":[{"a":"1"},{"a":{"b":"2"}}]})");
    EXPECT_EQ(json("p[0]=1&p[0]=2"), R"({"p":[{"0":"1"},{"0":"2"}]})");
    EXPECT_EQ(json("p[a]=0&p[]=1&p[]=2"), R"({"p":[{"a":"0","":"1"},{"":"2"}]})");
    EXPECT_EQ(json("p[q][x]=1&p[q][x]=2&p[r]=3"), R"({"p":{"q":[{"x":"1"},{"x":"2"}],"r":"3"}})");
}

TEST(form_json, long_arrays_of_objects_are_cut_in_the_same_places)
{
    std::string body;
    std::string expected = "{\"p\":[";
    for (int i = 0; i < 3000; ++i) {
        const std::string n = std::to_string(i);
        body += "p[id]=" + n + "&p[url]=u" + n + "&";
        expected += (i == 0 ? "" : ",") + ("{\"id\":\"" + n) + "\",\"url\":\"u" + n + "\"}";
    }
    EXPECT_EQ(json(body), expected + "]}");
}

TEST(form_json, leaves_out_what_is_to_be_skipped_at_any_depth)
{
    EXPECT_EQ(
        json("card[id]=1&card[vault_token]=tok_1&card[last]=x&customer_vault_token=c&s[card][vault_token]=t"
             "&s[card][vault_token][deep]=t",
             is_token),
        R"({"card":{"id":"1","last":"x"},"s":{"card":{}}})");
    EXPECT_EQ(json("vault_token=t", is_token), "{}");
    EXPECT_EQ(json("a[vault_token]=t&a[vault_token]=u&a[x]=1", is_token), R"({"a":{"x":"1"}})");
    EXPECT_EQ(json("a[vault_token]=t&a[0]=x&a[1]=y", is_token), R"({"a":["x","y"]})");
}

TEST(form_json, goes_as_deep_as_a_form_can)
{
    std::string body = "a";
    std::string expected = "{\"a\":";
    for (int i = 0; i < 32; ++i) {
        body += "[b]";
        expected += "{\"b\":";
    }
    expected += "\"1\"" + std::string(33, '}');
    EXPECT_EQ(json(body + "=1"), expected);
}

TEST(form_json, cleans_keys_and_values)
{
    EXPECT_EQ(json("a=%22%5C%2F%0A&%FF=%00"), "{\"a\":\"\\\"\\\\/\\n\",\"\xef\xbf\xbd\":\"\xef\xbf\xbd\"}");
    EXPECT_EQ(json("a=%C0%AF&b=%ED%A0%80"),
              "{\"a\":\"\xef\xbf\xbd\xef\xbf\xbd\",\"b\":\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"}");
}

TEST(form_json, string_literals_are_escaped)
{
    EXPECT_EQ(literal(""), R"("")");
    EXPECT_EQ(literal("Zo\xc3\xab \xf0\x9f\x98\x80"), "\"Zo\xc3\xab \xf0\x9f\x98\x80\"");
    EXPECT_EQ(literal("a\tb\r\n\x01\x1f\x7f"), R"("a\tb\r\n\u0001\u001f\u007f")");
    EXPECT_EQ(literal(std::string_view("\0", 1)), "\"\xef\xbf\xbd\"");
    EXPECT_EQ(literal("\xe2\x82"), "\"\xef\xbf\xbd\"");
}

} // namespace
} // namespace chargifyd::chargify
