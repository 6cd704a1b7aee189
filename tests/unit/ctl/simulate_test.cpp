#include "../simulate/test_server.hpp"
#include "ctl/simulate.hpp"
#include "run_ctl.hpp"
#include "temporary_directory.hpp"

#include "chargifyd/base/guarded.hpp"
#include "chargifyd/chargify/events.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <map>
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

TEST(simulate, lets_lives_run_side_by_side)
{
    const auto one_by_one = lines_of(run_ctl({"simulate", "--print", "--lives", "3"}).out);
    const auto together = lines_of(run_ctl({"simulate", "--print", "--lives", "3", "--together"}).out);
    EXPECT_EQ(together.size(), one_by_one.size());
    EXPECT_EQ(together, lines_of(run_ctl({"simulate", "--print", "--lives", "3", "--together"}).out));
    const auto owner = [](const std::string& body) {
        const auto at = body.find("payload[subscription][id]=");
        return at == std::string::npos ? std::string() : body.substr(at + 26, 8);
    };
    std::set<std::string> early;
    for (std::size_t i = 0; i < 20; ++i)
        early.insert(owner(together[i]));
    early.erase("");
    EXPECT_EQ(early.size(), 3U);
}

TEST(simulate, sends_an_event_as_it_prints_it)
{
    const outcome printed = run_ctl({"simulate", "event", "payment_failure", "--seed", "3", "--print"});
    EXPECT_EQ(printed.status, 0);
    ASSERT_EQ(lines_of(printed.out).size(), 1U);
    test_server server([](const request&) { return action{}; });
    const outcome sent =
        run_ctl({"simulate", "event", "payment_failure", server.url(), "--seed", "3", "--key", "k"});
    EXPECT_EQ(sent.status, 0) << sent.err;
    EXPECT_EQ(bodies(server), lines_of(printed.out));
    EXPECT_EQ(nlohmann::json::parse(sent.out)[0]["event"], "payment_failure");
}

TEST(simulate, an_event_has_the_ids_state_and_time_it_is_given)
{
    const std::string body =
        run_ctl({"simulate", "event", "renewal_success", "--print", "--id", "11", "--event-id", "22",
                 "--subscription", "33", "--customer", "44", "--state", "past_due", "--at",
                 "2026-07-01T12:00:00Z", "--site", "initech"})
            .out;
    for (const char* part :
         {"id=11&event=renewal_success&", "[subdomain]=initech&", "&payload[subscription][id]=33&",
          "&payload[subscription][state]=past_due&", "&payload[subscription][customer][id]=44&",
          "&payload[subscription][updated_at]=2026-07-01%2008%3A00%3A00%20-0400&", "&payload[event_id]=22\n"})
        EXPECT_THAT(body, HasSubstr(part));
    EXPECT_THAT(run_ctl({"simulate", "event", "refund_success", "--print", "--older"}).out,
                HasSubstr("&payload[subscription_id]="));
    const auto counted = lines_of(run_ctl({"simulate", "event", "all", "--print", "--id", "5"}).out);
    EXPECT_TRUE(counted.back().starts_with("id=98&"));
}

TEST(simulate, sends_one_of_each_event)
{
    test_server server([](const request&) { return action{}; });
    const outcome o = run_ctl({"simulate", "event", "all", "--key", "k", server.url()});
    EXPECT_EQ(o.status, 0) << o.err;
    std::set<std::string> events;
    for (const auto& row : nlohmann::json::parse(o.out))
        events.insert(row["event"]);
    EXPECT_EQ(events.size(), chargify::event_catalogue().size());
    EXPECT_EQ(bodies(server), lines_of(run_ctl({"simulate", "event", "all", "--print"}).out));
}

TEST(simulate, writes_bodies_into_a_folder)
{
    const test::temporary_directory folder;
    const std::string target = (folder.path() / "bodies").string();
    const outcome o = run_ctl({"simulate", "event", "all", "--output", target});
    EXPECT_EQ(o.status, 0) << o.err;
    EXPECT_EQ(o.out, "");
    std::size_t files = 0;
    for (const auto& file : std::filesystem::directory_iterator(target))
        files += file.path().extension() == ".form" ? 1 : 0;
    EXPECT_EQ(files, chargify::event_catalogue().size());
    std::ifstream in(target + "/refund_failure.form", std::ios::binary);
    const std::string body((std::istreambuf_iterator<char>(in)), {});
    EXPECT_EQ(body + "\n", run_ctl({"simulate", "event", "refund_failure", "--print"}).out);

    std::ofstream(folder.path() / "file") << "in the way";
    const outcome blocked =
        run_ctl({"simulate", "event", "test", "--output", (folder.path() / "file").string()});
    EXPECT_EQ(blocked.status, 1);
    EXPECT_THAT(blocked.err, HasSubstr("cannot write"));
}

TEST(simulate, sends_an_event_that_is_not_known_and_says_so)
{
    const outcome o = run_ctl({"simulate", "event", "subscription_teleported", "--print"});
    EXPECT_EQ(o.status, 0);
    EXPECT_THAT(o.out, HasSubstr("&event=subscription_teleported&"));
    EXPECT_THAT(o.err, HasSubstr("not known"));
}

TEST(simulate, wrong_usage_is_2)
{
    const std::vector<std::vector<std::string>> lines = {
        {"simulate", "event"},
        {"simulate", "event", "--print"},
        {"simulate", "event", "payment_success"},
        {"simulate", "event", "https://127.0.0.1/webhooks/acme", "--print"},
        {"simulate", "event", "payment_success", "--print", "--at", "tomorrow"},
        {"simulate", "event", "payment_success", "--print", "--output", "x"},
        {"simulate", "event", "payment_success", "--print", "--subscription", "0"},
        {"simulate", "panel", "all"},
        {"simulate", "panel", "all", "--print", "--seed", "2"},
        {"simulate", "storm", "--key", "k"},
        {"simulate", "storm", "--key", "k", "--subscriptions", "0", "http://127.0.0.1:1/"},
        {"simulate", "load", "--key", "k", "--mix", "nonsense", "http://127.0.0.1:1/"},
        {"simulate", "load", "--key", "k", "--mix", "usage", "--body-bytes", "4000", "http://127.0.0.1:1/"},
    };
    for (const auto& line : lines) {
        const outcome o = run_ctl(line);
        EXPECT_EQ(o.status, 2) << testing::PrintToString(line) << o.err;
        EXPECT_EQ(o.out, "");
        EXPECT_NE(o.err, "");
    }
}

TEST(simulate, sends_what_the_panel_sends)
{
    test_server server([](const request&) { return action{}; });
    const outcome o = run_ctl({"simulate", "panel", "all", "--key", "k", "--id", "900", server.url()});
    EXPECT_EQ(o.status, 0) << o.err;
    const auto sent = bodies(server);
    EXPECT_EQ(sent.size(), chargify::event_catalogue().size());
    EXPECT_TRUE(sent[0].starts_with("id=900&"));
    EXPECT_TRUE(sent[1].starts_with("id=901&"));
    for (const std::string& body : sent)
        EXPECT_EQ(body.find("event_id"), std::string::npos);
    const auto renewal = run_ctl({"simulate", "panel", "renewal_success", "--print"}).out;
    EXPECT_THAT(renewal, HasSubstr("&payload[subscription][id]=0&"));
    EXPECT_THAT(renewal, HasSubstr("]=2012-09-09%20"));
}

/// How often each webhook came.
std::map<std::string, int> arrivals(test_server& server)
{
    std::map<std::string, int> out;
    for (const std::string& body : bodies(server))
        ++out[body.substr(0, body.find('&'))];
    return out;
}

TEST(simulate, a_storm_is_acknowledged_in_the_end)
{
    guarded<std::set<std::string>> seen;
    test_server server([&seen](const request& r) { // every webhook's first attempt fails
        const bool again =
            seen.with([&r](auto& all) { return !all.insert(r.body.substr(0, r.body.find('&'))).second; });
        return action{test_server::status(again ? 200 : 503)};
    });
    const outcome o = run_ctl({"simulate", "storm", "--key", "k", "--subscriptions", "40", "--connections",
                               "5", "--retry-speed", "1000", server.url()});
    EXPECT_EQ(o.status, 0) << o.err;
    const auto report = nlohmann::json::parse(o.out);
    EXPECT_EQ(report["subscriptions"], 40);
    EXPECT_EQ(report["webhooks"], 180);
    EXPECT_EQ(report["attempts"], 360);
    EXPECT_EQ(report["acknowledged_at_once"], 0);
    EXPECT_EQ(report["acknowledged"], 180);
    EXPECT_EQ(report["given_up"], 0);
    EXPECT_EQ(report["answers"]["200"], 180);
    EXPECT_EQ(report["answers"]["503"], 180);
    EXPECT_LE(report["p50_ms"], report["p99_ms"]);
    EXPECT_LE(report["p99_ms"], report["max_ms"]);
    EXPECT_TRUE(report["failure"].is_null());
    EXPECT_EQ(server.connections(), 5U);
    EXPECT_EQ(arrivals(server).size(), 180U);
}

TEST(simulate, a_storm_gives_up_after_five_attempts)
{
    test_server server([](const request& r) {
        return r.body.find("event=payment_failure") != std::string::npos ? action{"", action::close}
                                                                         : action{};
    });
    const outcome o = run_ctl({"simulate", "storm", "--key", "k", "--subscriptions", "8", "--connections",
                               "3", "--retry-speed", "100000", server.url()});
    EXPECT_EQ(o.status, 1);
    const auto report = nlohmann::json::parse(o.out);
    EXPECT_EQ(report["webhooks"], 36);
    EXPECT_EQ(report["acknowledged"], 34);
    EXPECT_EQ(report["given_up"], 2);
    EXPECT_EQ(report["attempts"], 34 + 2 * 5);
    EXPECT_EQ(report["answers"]["none"], 10);
    EXPECT_THAT(report["failure"].get<std::string>(), HasSubstr("closed the connection"));
}

TEST(simulate, a_storm_is_the_same_with_the_same_seed)
{
    const auto sent = [](const std::string& seed) {
        test_server server([](const request&) { return action{}; });
        run_ctl({"simulate", "storm", "--key", "k", "--subscriptions", "5", "--seed", seed, "--duplicates",
                 "50", server.url()});
        auto all = bodies(server);
        std::ranges::sort(all);
        return all;
    };
    const auto first = sent("4");
    EXPECT_EQ(first.size(), 32U); // 21 webhooks, and half of them again
    EXPECT_EQ(first, sent("4"));
    EXPECT_NE(first, sent("5"));
}

TEST(simulate, a_load_may_be_mixed)
{
    test_server server([](const request&) { return action{}; });
    const outcome o = run_ctl({"simulate", "load", "--key", "k", "--webhooks", "36", "--connections", "2",
                               "--duration", "60", "--mix", "renewals", server.url()});
    EXPECT_EQ(o.status, 0) << o.err;
    std::map<std::string, int> events;
    for (const std::string& body : bodies(server)) {
        const auto at = body.find("&event=") + 7;
        ++events[body.substr(at, body.find('&', at) - at)];
    }
    EXPECT_EQ(events["renewal_success"], 6);
    EXPECT_EQ(events["renewal_failure"], 2);
    EXPECT_EQ(events["statement_settled"], 6);
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
