#include "ingress/request_id.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <thread>
#include <vector>

namespace chargifyd::ingress {
namespace {

TEST(request_id, takes_over_only_what_can_do_no_harm)
{
    for (const char* good : {"a", "0b5e7d1c-7f0e-4c5b", "Root.1_2-3"})
        EXPECT_TRUE(request_id::is_good(good)) << good;
    EXPECT_TRUE(request_id::is_good(std::string(request_id::longest, 'x')));
    EXPECT_FALSE(request_id::is_good(std::string(request_id::longest + 1, 'x')));
    for (const char* bad : {"", " ", "a b", "a\r\nSet-Cookie: b", "a=b", "\"a\"", "\xc3\xab", "a/b", "a,b"})
        EXPECT_FALSE(request_id::is_good(bad)) << bad;
    EXPECT_FALSE(request_id::is_good(std::string_view("a\0b", 3)));
}

TEST(request_id, holds_what_it_was_given)
{
    request_id id;
    EXPECT_TRUE(id.empty());
    id.assign("first");
    EXPECT_EQ(id.view(), "first");
    id.assign(std::string(request_id::longest + 9, 'x'));
    EXPECT_EQ(id.view(), std::string(request_id::longest, 'x'));
    id.clear();
    EXPECT_TRUE(id.empty());
    EXPECT_EQ(id.view(), "");
}

TEST(request_id_source, never_gives_a_name_twice)
{
    constexpr int each = 500;
    request_id_source one;
    request_id_source other;
    std::vector<std::vector<std::string>> given(4);
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < given.size(); ++i)
        threads.emplace_back([&mine = given[i], &from = i % 2 == 0 ? one : other] {
            for (int n = 0; n < each; ++n) {
                request_id id;
                from.name(id);
                mine.emplace_back(id.view());
            }
        });
    for (auto& t : threads)
        t.join();
    std::set<std::string> all;
    for (const auto& names : given)
        all.insert(names.begin(), names.end());
    EXPECT_EQ(all.size(), given.size() * each);
    for (const auto& name : all)
        EXPECT_TRUE(request_id::is_good(name)) << name;
}

} // namespace
} // namespace chargifyd::ingress
