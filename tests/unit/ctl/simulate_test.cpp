#include "../simulate/test_server.hpp"
#include "ctl/simulate.hpp"
#include "run_ctl.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <set>

namespace chargifyd::ctl {
namespace {

using simulate::test_server;
using action = test_server::action;
using request = test_server::request;
using testing::HasSubstr;

std::vector<std::string> lines_of(const std::string& text)
{
    std::istringstream in(text);
    std::vector<std::string> out;
    for (std::string line; std::getline(in, line);)
        out.push_back(line);
    return out;
}

std::vector<std::string> bodies(test_server& server)
{
    std::vector<std::string> out;
    for (const request& r : server.requests())
        out.push_back(r.body);
    return out;
}

TEST(simulate, plays_the_lives_it_prints)
{
    const auto printed = lines_of(run_ctl({"simulate", "--print", "--lives", "2", "--seed", "9"}).out);
    ASSERT_GT(printed.size(), 10U);
    test_server server([](const request&) { return action{}; });
    const outcome o = run_ctl({"simulate", "--key", "k", "--lives", "2", "--seed", "9", server.url()});
    EXPECT_EQ(o.status, 0) << o.err;
    EXPECT_EQ(bodies(server), printed);
    const auto rows = nlohmann::json::parse(o.out);
    ASSERT_EQ(rows.size(), printed.size());
    EXPECT_EQ(rows[0]["status"], 200);
    EXPECT_EQ(rows[0]["outcome"], "acknowledged");
    EXPECT_TRUE(rows[0]["failure"].is_null());
    EXPECT_THAT(o.err, HasSubstr(std::to_string(printed.size()) + " of " + std::to_string(printed.size())));
}

TEST(simulate, names_the_site_of_the_url)
{
    EXPECT_EQ(site_in_url("https://h/webhooks/acme"), "acme");
    EXPECT_EQ(site_in_url("https://h/webhooks/acme?signature={signature}"), "acme");
    EXPECT_EQ(site_in_url("https://h/prefix/webhooks/acme"), "acme");
    EXPECT_EQ(site_in_url("https://h/webhooks"), "");
    EXPECT_EQ(site_in_url("https://h/webhooks/"), "");
    EXPECT_EQ(site_in_url("https://h/webhooks/a/b"), "");
    EXPECT_EQ(site_in_url("https://h/"), "");
    EXPECT_THAT(run_ctl({"simulate", "--print", "http://h/webhooks/umbrella"}).out, HasSubstr("umbrella"));
    EXPECT_THAT(run_ctl({"simulate", "--print", "--site", "initech", "http://h/webhooks/umbrella"}).out,
                HasSubstr("initech"));
}

TEST(simulate, fails_when_something_is_refused)
{
    test_server server(
        [](const request& r) { return action{test_server::status(r.number == 2 ? 503 : 200)}; });
    const outcome o = run_ctl({"simulate", "--key", "k", server.url()});
    EXPECT_EQ(o.status, 1);
    EXPECT_EQ(nlohmann::json::parse(o.out)[2]["outcome"], "refused");
}

TEST(simulate, tries_again_and_is_content)
{
    test_server server(
        [](const request& r) { return action{test_server::status(r.number < 3 ? 503 : 200)}; });
    const outcome o = run_ctl({"simulate", "test", "--key", "k", server.url()});
    EXPECT_EQ(o.status, 1); // the test button tries once
    EXPECT_EQ(server.requests().size(), 1U);

    test_server again([](const request& r) { return action{test_server::status(r.number < 1 ? 503 : 200)}; });
    const outcome r = run_ctl({"simulate", "--key", "k", "--retry", "--retry-speed", "10000", again.url()});
    EXPECT_EQ(r.status, 0) << r.out;
    const auto sent = bodies(again);
    EXPECT_EQ(std::count(sent.begin(), sent.end(), sent[0]), 2);
    EXPECT_THAT(nlohmann::json::parse(r.out)[0]["outcome"].get<std::string>(),
                HasSubstr("refused, again in"));
}

TEST(simulate, sends_duplicates_and_shuffles)
{
    test_server server([](const request&) { return action{}; });
    const std::vector<std::string> plain = lines_of(run_ctl({"simulate", "--print"}).out);
    const outcome o =
        run_ctl({"simulate", "--key", "k", "--duplicates", "100", "--reorder", "--seed", "1", server.url()});
    EXPECT_EQ(o.status, 0);
    const auto sent = bodies(server);
    EXPECT_EQ(sent.size(), 2 * plain.size());
    EXPECT_EQ(std::set<std::string>(sent.begin(), sent.end()),
              std::set<std::string>(plain.begin(), plain.end()));
}

TEST(simulate, sends_the_test_buttons_webhook)
{
    test_server server([](const request&) { return action{}; });
    EXPECT_EQ(run_ctl({"simulate", "test", "--key", "k", "--id", "42", server.url()}).status, 0);
    ASSERT_EQ(server.requests().size(), 1U);
    EXPECT_EQ(server.requests()[0].body, "id=42&event=test&payload[chargify]=testing");
}

TEST(simulate, reports_a_load)
{
    test_server server([](const request&) { return action{}; });
    const outcome o = run_ctl({"simulate", "load", "--key", "k", "--webhooks", "50", "--connections", "3",
                               "--duration", "60", "--body-bytes", "3000", server.url()});
    EXPECT_EQ(o.status, 0) << o.err;
    const auto report = nlohmann::json::parse(o.out);
    EXPECT_EQ(report["sent"], 50);
    EXPECT_EQ(report["acknowledged"], 50);
    EXPECT_EQ(report["failed"], 0);
    EXPECT_TRUE(report["failure"].is_null());
    EXPECT_EQ(server.requests().size(), 50U);

    test_server refusing([](const request&) { return action{test_server::status(401)}; });
    const outcome r = run_ctl({"simulate", "load", "--key", "k", "--webhooks", "5", refusing.url()});
    EXPECT_EQ(r.status, 1);
    EXPECT_EQ(nlohmann::json::parse(r.out)["refused"], 5);
}

TEST(simulate, says_when_nobody_listens)
{
    const std::string url = "http://127.0.0.1:" + simulate::closed_port() + "/webhooks/acme";
    EXPECT_EQ(run_ctl({"simulate", "test", "--key", "k", url}).status, 1);
    const outcome load = run_ctl({"simulate", "load", "--key", "k", url});
    EXPECT_EQ(load.status, 1);
    EXPECT_THAT(load.err, HasSubstr("cannot connect"));
}

TEST(simulate, checks_certificates_unless_told_not_to)
{
    const simulate::test_certificate certificate("IP:127.0.0.1");
    test_server server([](const request&) { return action{}; }, &certificate);
    EXPECT_EQ(run_ctl({"simulate", "test", "--key", "k", server.url()}).status, 1);
    EXPECT_EQ(run_ctl({"simulate", "test", "--key", "k", "--insecure", server.url()}).status, 0);
    EXPECT_EQ(
        run_ctl({"simulate", "--ca", certificate.file().string(), "test", "--key", "k", server.url()}).status,
        0);
    EXPECT_EQ(server.requests().size(), 2U);
}

} // namespace
} // namespace chargifyd::ctl
