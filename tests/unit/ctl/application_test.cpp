#include "run_ctl.hpp"
#include "temporary_directory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fstream>

namespace chargifyd::ctl {
namespace {

using testing::HasSubstr;
using testing::Not;

// The key, body and signature that Chargify's documentation publishes.
const std::string key = "123";
const std::string body = "payload[chargify]=testing&event=test";
const std::string signature = "19826d51b9f866b26eda1f154de192593360f8d0bcb63df8a28540a5dcf733f1";

class application : public testing::Test {
protected:
    std::string file(const std::string& name, const std::string& content)
    {
        const auto path = directory / name;
        std::ofstream(path, std::ios::binary) << content;
        std::filesystem::permissions(path, std::filesystem::perms::owner_read |
                                               std::filesystem::perms::owner_write);
        return path.string();
    }
    std::string config(const std::string& extra = "")
    {
        file("key", key + "\n");
        file("old", "an older key\n");
        return file("chargifyd.toml",
                    "state_directory = \"/from/the/file\"\n[ingress]\nhttp = [\"127.0.0.1:0\"]\n"
                    "[[site]]\nname = \"acme\"\nshared_key_files = [\"key\", \"old\"]\n" +
                        extra);
    }

    test::temporary_directory directory;
};

TEST_F(application, explains_itself)
{
    const outcome help = run_ctl({"--help"});
    EXPECT_EQ(help.status, 0);
    EXPECT_THAT(help.out, HasSubstr("--state-directory"));
    EXPECT_EQ(help.err, "");
    for (const char* command : {"config", "sign", "simulate", "verify"}) {
        EXPECT_THAT(help.out, HasSubstr(std::string("  ") + command + " "));
        const outcome its = run_ctl({command, "--help"});
        EXPECT_EQ(its.status, 0);
        EXPECT_THAT(its.out, HasSubstr("--config FILE"));
    }
    EXPECT_EQ(run_ctl({"--version"}).out, "chargifyctl " CHARGIFYD_VERSION "\n");
}

TEST_F(application, wrong_usage_is_2_and_goes_to_stderr)
{
    const std::vector<std::vector<std::string>> lines = {
        {},
        {"nonsense"},
        {"sign", "--nonsense"},
        {"sign", "--key", "a", "--key-file", "b"},
        {"sign", "a", "b"},
        {"config"},
        {"--json", "--csv", "config", "check"},
        {"verify", "--key", "k", file("body", body)},
        {"verify", "--key", "k", "--signature", "aa", "--headers", "h", file("body", body)},
        {"verify", "--key", "k", "--headers", "-"},
        {"simulate", "--key", "k"},
        {"simulate", "--key", "k", "ftp://127.0.0.1/"},
        {"simulate", "--lives", "0", "--print"},
        {"simulate", "--duplicates", "101", "--print"},
        {"simulate", "load", "--key", "k", "--lives", "3", "http://127.0.0.1:1/"},
        {"simulate", "load", "--key", "k", "--connections", "0", "http://127.0.0.1:1/"},
    };
    for (const auto& line : lines) {
        const outcome o = run_ctl(line);
        EXPECT_EQ(o.status, 2) << testing::PrintToString(line) << o.err;
        EXPECT_EQ(o.out, "");
        EXPECT_NE(o.err, "");
    }
}

TEST_F(application, signs)
{
    const std::string body_file = file("body", body);
    EXPECT_EQ(run_ctl({"sign", "--key", key, body_file}).out, signature + "\n");
    EXPECT_EQ(run_ctl({"sign", "--key-file", file("k", key + "\n"), body_file}).out, signature + "\n");
    EXPECT_EQ(run_ctl({"sign", "--key", key, body_file, "--json"}).out,
              "{\n  \"signature\": \"" + signature + "\"\n}\n");
    EXPECT_NE(run_ctl({"sign", "--key", key, file("other", body + "\n")}).out, signature + "\n");
}

TEST_F(application, takes_the_key_from_the_configuration)
{
    const std::string body_file = file("body", body);
    for (const std::vector<std::string>& line :
         {std::vector<std::string>{"--config", config(), "sign", body_file},
          {"sign", "--config", config(), body_file},
          {"sign", body_file, "--site", "acme", "--config", config()}})
        EXPECT_EQ(run_ctl(line).out, signature + "\n");

    const outcome unknown = run_ctl({"sign", "--config", config(), "--site", "other", body_file});
    EXPECT_EQ(unknown.status, 3);
    EXPECT_THAT(unknown.err, HasSubstr("acme"));

    const std::string two = config("[[site]]\nname = \"second\"\nshared_keys = [\"zzz\"]\n");
    const outcome which = run_ctl({"sign", "--config", two, body_file});
    EXPECT_EQ(which.status, 2);
    EXPECT_THAT(which.err, HasSubstr("acme, second"));
    EXPECT_EQ(run_ctl({"sign", "--config", two, "--site", "acme", body_file}).out, signature + "\n");
}

TEST_F(application, verifies)
{
    const std::string body_file = file("body", body);
    const outcome good = run_ctl({"verify", "--key", key, "--signature", signature, body_file});
    EXPECT_EQ(good.status, 0);
    EXPECT_EQ(nlohmann::json::parse(good.out)["valid"], true);

    const outcome headers =
        run_ctl({"verify", "--config", config(), "--headers",
                 file("h", "Host: h\r\nX-Chargify-Webhook-Signature-Hmac-Sha-256: " + signature + "\r\n\r\n"),
                 body_file});
    EXPECT_EQ(headers.status, 0) << headers.err;
    EXPECT_EQ(nlohmann::json::parse(headers.out)["key"], 1);

    const outcome none = run_ctl({"verify", "--key", key, "--headers", file("n", "Host: h\r\n"), body_file});
    EXPECT_EQ(none.status, 1);
    EXPECT_THAT(none.err, HasSubstr("X-Chargify-Webhook-Signature-Hmac-Sha-256"));
}

TEST_F(application, verify_tries_every_key_of_a_site)
{
    const std::string body_file = file("body", body);
    const std::string with_old = run_ctl({"sign", "--key", "an older key", body_file}).out.substr(0, 64);
    const outcome o = run_ctl({"verify", "--config", config(), "--signature", with_old, body_file});
    EXPECT_EQ(o.status, 0);
    EXPECT_EQ(nlohmann::json::parse(o.out)["key"], 2);
}

TEST_F(application, verify_names_the_mistake)
{
    const std::string longer = file("body", body + "\n");
    const outcome newline = run_ctl({"verify", "--key", key, "--signature", signature, longer}, true);
    EXPECT_EQ(newline.status, 1);
    EXPECT_THAT(newline.out, HasSubstr("valid        no\n"));
    const outcome wrong =
        run_ctl({"verify", "--key", "wrong", "--signature", signature, file("body", body)}, true);
    EXPECT_EQ(wrong.status, 1);
    EXPECT_NE(newline.out, wrong.out);
}

TEST_F(application, config_check_shows_values_and_no_secret)
{
    const outcome o = run_ctl({"config", "check", "--config", config()});
    EXPECT_EQ(o.status, 0) << o.err;
    std::map<std::string, nlohmann::json> shown;
    for (const auto& row : nlohmann::json::parse(o.out))
        shown[row["key"]] = row;
    EXPECT_EQ(shown["state_directory"]["value"], "/from/the/file");
    EXPECT_EQ(shown["state_directory"]["source"], "file");
    EXPECT_EQ(shown["ingress.max_body_bytes"]["value"], 1048576);
    EXPECT_EQ(shown["ingress.max_body_bytes"]["source"], "default");
    EXPECT_THAT(o.out, Not(HasSubstr("older key")));
}

TEST_F(application, config_check_names_every_mistake)
{
    const outcome o =
        run_ctl({"config", "check", "--config", config("colour = \"red\"\n[nonsense]\nx = 1\n")});
    EXPECT_EQ(o.status, 2);
    EXPECT_EQ(o.out, "");
    EXPECT_THAT(o.err, HasSubstr("colour"));
    EXPECT_THAT(o.err, HasSubstr("nonsense"));
    EXPECT_EQ(run_ctl({"config", "check", "--config", "/nonexistent/c.toml"}).status, 2);
}

TEST_F(application, a_broken_configuration_stops_a_command_that_needs_it)
{
    const std::string body_file = file("body", body);
    const outcome o = run_ctl({"sign", "--config", config("nonsense = 1\n"), body_file});
    EXPECT_EQ(o.status, 2);
    EXPECT_THAT(o.err, HasSubstr("nonsense"));
    EXPECT_EQ(run_ctl({"sign", "--config", config("nonsense = 1\n"), "--key", key, body_file}).status, 0);
}

TEST_F(application, messages_cannot_drive_the_terminal)
{
    const outcome o = run_ctl({"sign", "--key", key, "/nonexistent/\x1b[2J"});
    EXPECT_EQ(o.status, 1);
    EXPECT_THAT(o.err, Not(HasSubstr("\x1b")));
}

TEST_F(application, the_state_directory_comes_from_the_line_or_the_file)
{
    string_sink out;
    std::ostringstream err;
    const auto directory_of = [&](const std::string& given, const std::string& with_config) {
        context ctx({out, err, false, false});
        ctx.common.state_directory = given;
        ctx.common.config = with_config;
        return ctx.state_directory();
    };
    EXPECT_EQ(directory_of("/given", config()), "/given");
    EXPECT_EQ(directory_of("/given", "/nonexistent/c.toml"), "/given");
    EXPECT_EQ(directory_of("", config()), "/from/the/file");
    EXPECT_THROW(directory_of("", "/nonexistent/c.toml"), failure);
}

TEST_F(application, colours_are_the_users_choice)
{
    EXPECT_TRUE(wants_colour(nullptr, "xterm"));
    EXPECT_TRUE(wants_colour("", "xterm"));
    EXPECT_FALSE(wants_colour("1", "xterm"));
    EXPECT_FALSE(wants_colour(nullptr, "dumb"));
    EXPECT_FALSE(wants_colour(nullptr, nullptr));
}

} // namespace
} // namespace chargifyd::ctl
