#include "chargifyd/base/log.hpp"

#include <gtest/gtest.h>

namespace chargifyd::log {
namespace {

TEST(log, writes_fields_after_the_message)
{
    EXPECT_EQ(render(format::text, "webhook stored", {{"site", "acme"}, {"sequence", 7U}, {"new", true}}),
              "webhook stored site=acme sequence=7 new=true");
    EXPECT_EQ(render(format::json, "webhook stored", {{"site", "acme"}, {"sequence", 7U}, {"lag", -1}}),
              R"("message":"webhook stored","site":"acme","sequence":7,"lag":-1)");
}

TEST(log, a_value_cannot_forge_a_line_or_a_field)
{
    const std::string evil = "x\r\n2026-01-01 error forged site=other \x1b[31m\"q\" \xff";
    const std::string text = render(format::text, "m", {{"event", evil}});
    EXPECT_EQ(text.find('\n'), std::string::npos);
    EXPECT_EQ(text.find('\r'), std::string::npos);
    EXPECT_EQ(text.find('\x1b'), std::string::npos);
    EXPECT_EQ(text.rfind("m event=\"x\\r\\n", 0), 0U) << text;
    EXPECT_EQ(text.back(), '"');
    const std::string json = render(format::json, "m", {{"event", evil}});
    EXPECT_EQ(json.find('\n'), std::string::npos);
    EXPECT_NE(json.find(R"(\"q\")"), std::string::npos);
}

TEST(log, cuts_long_values)
{
    EXPECT_LT(render(format::text, "m", {{"v", std::string(100000, 'a')}}).size(), 1100U);
}

TEST(log, knows_its_levels)
{
    EXPECT_EQ(parse_level("warning"), level::warning);
    EXPECT_FALSE(parse_level("verbose"));
    EXPECT_EQ(parse_format("json"), format::json);
    EXPECT_FALSE(parse_format("xml"));
}

} // namespace
} // namespace chargifyd::log
