#include "config/parse.hpp"
#include "reading.hpp"

#include "chargifyd/chargify/states.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace chargifyd::config {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

TEST(parse, gives_the_documented_defaults)
{
    const reading r;
    const loaded out = r.parse(reading::valid());
    ASSERT_THAT(reading::lines(out.mistakes), IsEmpty());
    EXPECT_THAT(out.warnings, IsEmpty());
    const settings& s = out.value;
    EXPECT_EQ(s.state_directory, "/var/lib/chargifyd");
    EXPECT_THAT(s.ingress.https, IsEmpty());
    EXPECT_FALSE(s.ingress.proxy_protocol);
    EXPECT_EQ(s.ingress.max_body_bytes, 1048576U);
    EXPECT_EQ(s.ingress.handshake_timeout, std::chrono::seconds(5));
    EXPECT_EQ(s.admin.listen, "127.0.0.1:9180");
    EXPECT_TRUE(s.admin.token.empty());
    EXPECT_EQ(s.journal.segment_bytes, 67108864U);
    EXPECT_EQ(s.pipeline.retention.count(), 0);
    EXPECT_THAT(s.state.access, IsEmpty());
    EXPECT_EQ(s.log.level, log::level::info);
    EXPECT_EQ(s.log.format, log::format::text);
    EXPECT_THAT(s.effective, Contains("ingress.http = [\"127.0.0.1:8080\"]"));
    EXPECT_THAT(s.effective, Contains("ingress.max_body_bytes = 1048576  # default"));
}

TEST(parse, reads_every_key)
{
    const reading r;
    const loaded out = r.parse(R"(
state_directory = "/srv/state"
[ingress]
https = ["[::]:443", "192.0.2.1:8443"]
http = ["127.0.0.1:80"]
certificate = "cert.pem"
private_key = "key.pem"
trusted_proxies = ["10.0.0.0/8"]
proxy_protocol = true
max_body_bytes = 2000
max_header_bytes = 2001
max_connections = 2002
handshake_timeout_seconds = 1
header_timeout_seconds = 2
body_timeout_seconds = 3
idle_timeout_seconds = 4
write_timeout_seconds = 6
threads = 3
[admin]
listen = "0.0.0.0:9000"
token_file = "token"
[[site]]
name = "acme"
shared_key_files = ["key"]
shared_keys = ["k"]
on_bad_signature = "reject"
[journal]
segment_bytes = 100000
retention_days = 30
queue_webhooks = 100
queue_bytes = 200000
disk_floor_bytes = 0
remembered_webhooks = 300
[pipeline]
workers = 5
batch_webhooks = 64
[quarantine]
max_webhooks = 5
max_bytes = 2048
max_webhooks_per_source = 3
max_bytes_per_source = 1024
[access]
past_due = false
unheard_of = true
[log]
level = "debug"
format = "json"
)");
    ASSERT_THAT(reading::lines(out.mistakes), IsEmpty());
    const settings& s = out.value;
    EXPECT_EQ(s.state_directory, "/srv/state");
    EXPECT_THAT(s.ingress.https, ElementsAre("[::]:443", "192.0.2.1:8443"));
    EXPECT_THAT(s.ingress.http, ElementsAre("127.0.0.1:80"));
    EXPECT_EQ(s.ingress.tls.certificate, r.dir.path() / "cert.pem");
    EXPECT_EQ(s.ingress.tls.private_key, r.dir.path() / "key.pem");
    EXPECT_THAT(s.ingress.trusted_proxies, ElementsAre("10.0.0.0/8"));
    EXPECT_TRUE(s.ingress.proxy_protocol);
    EXPECT_EQ(s.ingress.max_body_bytes, 2000U);
    EXPECT_EQ(s.ingress.max_header_bytes, 2001U);
    EXPECT_EQ(s.ingress.max_connections, 2002U);
    EXPECT_EQ(s.ingress.handshake_timeout, std::chrono::seconds(1));
    EXPECT_EQ(s.ingress.header_timeout, std::chrono::seconds(2));
    EXPECT_EQ(s.ingress.body_timeout, std::chrono::seconds(3));
    EXPECT_EQ(s.ingress.idle_timeout, std::chrono::seconds(4));
    EXPECT_EQ(s.ingress.write_timeout, std::chrono::seconds(6));
    EXPECT_EQ(s.ingress.threads, 3U);
    EXPECT_EQ(s.admin.listen, "0.0.0.0:9000");
    EXPECT_EQ(s.admin.token.reveal(), "t0ken");
    EXPECT_EQ(s.journal.segment_bytes, 100000U);
    EXPECT_EQ(s.pipeline.retention, std::chrono::days(30));
    EXPECT_EQ(s.journal.queue_webhooks, 100U);
    EXPECT_EQ(s.journal.queue_bytes, 200000U);
    EXPECT_EQ(s.journal.disk_floor_bytes, 0U);
    EXPECT_EQ(s.journal.remembered_webhooks, 300U);
    EXPECT_EQ(s.pipeline.workers, 5U);
    EXPECT_EQ(s.pipeline.batch_webhooks, 64U);
    EXPECT_EQ(s.quarantine.max_webhooks, 5U);
    EXPECT_EQ(s.quarantine.max_bytes, 2048U);
    EXPECT_EQ(s.quarantine.max_webhooks_per_source, 3U);
    EXPECT_EQ(s.quarantine.max_bytes_per_source, 1024U);
    EXPECT_EQ(s.state.access, (std::map<std::string, state::access_rule>{{"past_due", {false, {}}},
                                                                         {"unheard_of", {true, {}}}}));
    EXPECT_EQ(s.log.level, log::level::debug);
    EXPECT_EQ(s.log.format, log::format::json);
    for (const std::string& line : s.effective) {
        const bool of_another_state = line.starts_with("access.") && !line.starts_with("access.past_due");
        EXPECT_TRUE(of_another_state || line.find("# default") == std::string::npos) << line;
    }
}

TEST(parse, finds_all_mistakes_at_once)
{
    const reading r;
    EXPECT_THAT(
        r.mistakes(R"(state_directory = ""
[ingress]
https = ["*:443"]
max_boddy_bytes = 5
threads = -1
[admin]
listen = "0.0.0.0:9180"
[journal]
segment_bytes = "64 MiB"
[jornal]
[[site]]
name = "Acme"
[access]
Active = true
[log]
level = "loud"
)"),
        ElementsAre(HasSubstr("1 state_directory is empty"),
                    HasSubstr("2 ingress.certificate is missing and ingress.https needs it"),
                    HasSubstr("2 ingress.private_key is missing and ingress.https needs it"),
                    HasSubstr("3 ingress.https \"*:443\" is not a numeric address"),
                    HasSubstr("4 unknown key \"max_boddy_bytes\" in [ingress]; did you mean max_body_bytes?"),
                    HasSubstr("5 ingress.threads is -1, out of range; write a number from 0 to 256"),
                    HasSubstr("7 admin.listen \"0.0.0.0:9180\" can be reached from outside"),
                    HasSubstr("9 journal.segment_bytes must be a whole number, not a text"),
                    HasSubstr("10 unknown table \"jornal\" at the top of the file; did you mean journal?"),
                    HasSubstr("11 site.shared_key_files is missing"),
                    HasSubstr("12 site.name \"Acme\" has upper-case letters; write \"acme\""),
                    HasSubstr("14 unknown key \"Active\" in [access]; did you mean active?"),
                    HasSubstr("16 log.level \"loud\" is not known")));
}

TEST(parse, gives_the_line_of_a_syntax_error)
{
    const reading r;
    EXPECT_THAT(r.mistakes("\n\n[ingress\n"),
                ElementsAre(AllOf(HasSubstr("3 not valid TOML: "), HasSubstr("correct"))));
    EXPECT_THAT(r.mistakes("a = 1\na = 2\n"), ElementsAre(HasSubstr("2 not valid TOML: ")));
    EXPECT_THAT(r.mistakes("a = \"\xff\"\n"), ElementsAre(HasSubstr("1 not valid TOML: ")));
    EXPECT_THAT(r.mistakes(std::string(1000, '[')), ElementsAre(HasSubstr("1 not valid TOML: ")));
}

TEST(parse, shows_no_key_that_lacks_its_quotes)
{
    const reading r;
    for (const char* value :
         {"tr0ubad0ur", "fals3hood", "inf3rn0", "nan0tech", "99999999999999999999canary", "0xcanary",
          "'canary", "\"canary", "canary", "2020-canary", "[canary", "{canary = 1"}) {
        const std::vector<std::string> found =
            r.mistakes("[[site]]\nname = \"acme\"\nshared_keys = [" + std::string(value) + "]\n");
        EXPECT_THAT(found, Contains(HasSubstr("not valid TOML"))) << value;
        EXPECT_THAT(found, Each(Not(AnyOf(HasSubstr("canary"), HasSubstr("bad0ur"), HasSubstr("3hood"),
                                          HasSubstr("3rn0"), HasSubstr("n0te"), HasSubstr("99999")))))
            << value;
    }
}

TEST(parse, keeps_secrets_out_of_everything_it_says)
{
    const reading r;
    r.dir.file("canary-file", "canary-one\ncanary-two\n");
    r.dir.file("canary-token", "canary-token");
    const std::string sites = R"(
[[site]]
name = "acme"
shared_key_files = ["canary3in3the3wrong3place", "canary-file"]
shared_keys = ["canary", " canary", "canary"]
shared_key = "canary"
on_bad_signature = "reject"
)";
    const loaded bad =
        r.parse("ingress.http = [\"127.0.0.1:1\"]\nadmin.token_file = \"canary-token\"\n" + sites);
    EXPECT_EQ(bad.mistakes.size(), 5U);
    EXPECT_THAT(reading::lines(bad.mistakes), Each(Not(HasSubstr("canary"))));
    EXPECT_THAT(reading::lines(bad.warnings), Each(Not(HasSubstr("canary"))));
    EXPECT_THAT(bad.value.effective, IsEmpty());
    r.dir.file("secret.token", "canary");
    const loaded good = r.parse("admin.token_file = \"secret.token\"\ningress.http = [\"127.0.0.1:1\"]\n"
                                "[[site]]\nname = \"acme\"\nshared_keys = [\"canary\"]\n");
    EXPECT_THAT(reading::lines(good.mistakes), IsEmpty());
    EXPECT_THAT(good.value.effective, Each(Not(HasSubstr("canary"))));
    EXPECT_THAT(good.value.effective, Contains("site.acme.shared_keys = (set)"));
}

TEST(parse, needs_a_listener)
{
    const reading r;
    const std::string site = "[[site]]\nname = \"acme\"\nshared_keys = [\"k\"]\n";
    const std::string both_empty =
        "ingress.https and ingress.http are both empty; set https = [\"[::]:443\"], or http "
        "behind a load balancer";
    EXPECT_THAT(r.mistakes(site), ElementsAre("0 " + both_empty));
    EXPECT_THAT(r.mistakes("\n[ingress]\nthreads = 1\n" + site), ElementsAre("2 " + both_empty));
    EXPECT_THAT(r.mistakes("ingress.https = \"[::]:443\"\n" + site),
                ElementsAre(HasSubstr("must be a list")));
}

TEST(parse, refuses_one_port_twice)
{
    const reading r;
    const std::string site = "[[site]]\nname = \"acme\"\nshared_keys = [\"k\"]\n";
    EXPECT_THAT(r.mistakes("ingress.http = [\"[::1]:80\", \"[0::1]:80\"]\n" + site),
                ElementsAre("1 ingress.http \"[0::1]:80\" is listened on twice; remove one"));
    EXPECT_THAT(r.mistakes("ingress.http = [\"127.0.0.1:9180\"]\n" + site),
                ElementsAre("0 admin.listen \"127.0.0.1:9180\" is listened on twice; remove one"));
    EXPECT_THAT(r.mistakes("ingress.http = [\"127.0.0.1:0\", \"127.0.0.1:0\"]\n" + site), IsEmpty());
}

TEST(parse, needs_a_readable_certificate_and_key_for_https)
{
    const reading r;
    const auto with = [](const std::string& certificate, const std::string& key) {
        return "[ingress]\nhttps = [\"[::]:443\"]\ncertificate = \"" + certificate + "\"\nprivate_key = \"" +
               key + "\"\n[[site]]\nname = \"acme\"\nshared_keys = [\"k\"]\n";
    };
    EXPECT_THAT(r.mistakes(with("cert.pem", "key.pem")), IsEmpty());
    EXPECT_THAT(r.warnings(with("cert.pem", "key.pem")), IsEmpty());
    EXPECT_THAT(
        r.mistakes(with("none.pem", "key.pem")),
        ElementsAre(
            "3 ingress.certificate \"none.pem\" cannot be used: No such file or directory; correct the "
            "path, the file or its permissions"));
    EXPECT_THAT(r.mistakes(with("cert.pem", r.dir.path().string())),
                ElementsAre(AllOf(HasSubstr("4 ingress.private_key"), HasSubstr("Is a directory"))));
    EXPECT_THAT(
        r.mistakes(with("", "")),
        ElementsAre("3 ingress.certificate is missing and ingress.https needs it; name the PEM file",
                    "4 ingress.private_key is missing and ingress.https needs it; name the PEM file"));
    r.dir.file("open.pem", "x", 0644);
    EXPECT_THAT(r.warnings(with("open.pem", "open.pem")),
                ElementsAre(AllOf(HasSubstr("4 ingress.private_key"), HasSubstr("every user"))));
}

TEST(parse, does_not_look_at_certificates_without_https)
{
    const reading r;
    EXPECT_THAT(
        r.mistakes(
            "[ingress]\ncertificate = \"none.pem\"\nhttp = [\"127.0.0.1:1\"]\n[[site]]\nname = \"acme\"\n"
            "shared_keys = [\"k\"]\n"),
        IsEmpty());
}

TEST(parse, checks_networks)
{
    const reading r;
    EXPECT_THAT(
        r.mistakes(
            "[ingress]\nhttp = [\"127.0.0.1:1\"]\ntrusted_proxies = [\n\"10.0.0.0/8\",\n\"lb.example\"\n]\n"
            "[[site]]\nname = \"acme\"\nshared_keys = [\"k\"]\n"),
        ElementsAre("5 ingress.trusted_proxies \"lb.example\" is not a network; write \"10.0.0.0/8\" or "
                    "\"10.1.2.3\""));
}

TEST(parse, needs_to_know_whose_proxy_header_to_believe)
{
    const reading r;
    const auto with = [](const std::string& ingress) {
        return "[ingress]\nhttp = [\"127.0.0.1:1\"]\n" + ingress +
               "[[site]]\nname = \"acme\"\nshared_keys = [\"k\"]\n";
    };
    const auto mistake =
        ElementsAre("3 ingress.proxy_protocol needs ingress.trusted_proxies, or nobody's PROXY "
                    "header would be believed; name the networks of the load balancers there");
    EXPECT_THAT(r.mistakes(with("proxy_protocol = true\n")), mistake);
    EXPECT_THAT(r.mistakes(with("proxy_protocol = true\ntrusted_proxies = []\n")), mistake);
    EXPECT_THAT(r.mistakes(with("proxy_protocol = true\ntrusted_proxies = [\"10.0.0.1\"]\n")), IsEmpty());
    EXPECT_THAT(r.mistakes(with("proxy_protocol = false\n")), IsEmpty());
}

TEST(parse, needs_a_token_when_the_admin_port_is_open)
{
    const reading r;
    const auto with = [](const std::string& admin) { return reading::valid("[admin]\n" + admin); };
    EXPECT_THAT(r.mistakes(with("listen = \"[::1]:9180\"")), IsEmpty());
    EXPECT_THAT(r.mistakes(with("listen = \"\"")), IsEmpty());
    EXPECT_THAT(
        r.mistakes(with("listen = \"[::]:9180\"")),
        ElementsAre(
            "7 admin.listen \"[::]:9180\" can be reached from outside and needs admin.token_file; set it, "
            "or listen on 127.0.0.1"));
    EXPECT_THAT(r.mistakes(with("listen = \"[::]:9180\"\ntoken_file = \"token\"")), IsEmpty());
    EXPECT_THAT(r.mistakes(with("listen = \"[::]\"")),
                ElementsAre(HasSubstr("7 admin.listen \"[::]\" has no port")));
}

TEST(parse, needs_a_token_in_the_token_file)
{
    const reading r;
    r.dir.file("empty", " \n");
    r.dir.file("open", "t0ken", 0644);
    EXPECT_THAT(r.mistakes(reading::valid("[admin]\ntoken_file = \"empty\"")),
                ElementsAre("7 admin.token_file names an empty file; put a long random word there"));
    EXPECT_THAT(
        r.mistakes(reading::valid("[admin]\ntoken_file = \"./none\"")),
        ElementsAre(
            "7 admin.token_file \"./none\" cannot be used: No such file or directory; correct the path, "
            "the file or its permissions"));
    EXPECT_THAT(r.warnings(reading::valid("[admin]\ntoken_file = \"open\"")),
                ElementsAre(AllOf(HasSubstr("7 admin.token_file"), HasSubstr("every user"))));
}

TEST(parse, wants_a_queue_that_holds_the_largest_body)
{
    const reading r;
    EXPECT_THAT(r.mistakes(reading::valid("[journal]\nqueue_bytes = 1048575")),
                ElementsAre(HasSubstr("7 journal.queue_bytes is below ingress.max_body_bytes")));
    EXPECT_THAT(r.mistakes(reading::valid("[journal]\nqueue_bytes = 1048576")), IsEmpty());
}

TEST(parse, lays_access_over_the_states)
{
    const reading r;
    const loaded out =
        r.parse(reading::valid("[access]\npast_due = false\nactve = true\nbrand_new_thing = false\n"));
    EXPECT_THAT(reading::lines(out.mistakes), IsEmpty());
    EXPECT_EQ(out.value.state.access,
              (std::map<std::string, state::access_rule>{
                  {"past_due", {false, {}}}, {"actve", {true, {}}}, {"brand_new_thing", {false, {}}}}));
    EXPECT_THAT(
        reading::lines(out.warnings),
        ElementsAre("8 access.actve is a state that Chargify has not documented; did you mean active?",
                    "9 access.brand_new_thing is a state that Chargify has not documented"));
    for (const chargify::state_info& state : chargify::state_catalogue()) {
        const std::string key = "access." + std::string(state.name) + " = ";
        EXPECT_THAT(out.value.effective, Contains(HasSubstr(key)));
    }
}

TEST(parse, takes_a_number_of_days_as_access_that_ends)
{
    const reading r;
    const loaded out =
        r.parse(reading::valid("[access]\npast_due = 14\nunpaid = 3650\ncanceled = 1\nactive = true\n"));
    EXPECT_THAT(reading::lines(out.mistakes), IsEmpty());
    EXPECT_EQ(out.value.state.access, (std::map<std::string, state::access_rule>{{"past_due", {true, 14}},
                                                                                 {"unpaid", {true, 3650}},
                                                                                 {"canceled", {true, 1}},
                                                                                 {"active", {true, {}}}}));
    EXPECT_THAT(out.value.effective, Contains("access.past_due = 14"));
    EXPECT_THAT(out.value.effective, Contains("access.active = true"));
    EXPECT_THAT(out.value.effective, Contains("access.trialing = true  # default"));
    EXPECT_THAT(out.value.effective, Contains("access.on_hold = false  # default"));
}

TEST(parse, refuses_other_values_of_access)
{
    const reading r;
    const std::pair<const char*, const char*> cases[] = {
        {"\"no\"", "must be true, false or a number of days, not a text"},
        {"14.5", "must be true, false or a number of days, not a fraction"},
        {"[14]", "must be true, false or a number of days, not a list"},
        {"0", "is 0, out of range"},
        {"-1", "is -1, out of range"},
        {"3651", "is 3651, out of range"},
        {"99999999999", "is 99999999999, out of range"},
    };
    for (const auto& [value, mistake] : cases) {
        for (const std::string state : {"past_due", "brand_new_thing"})
            EXPECT_THAT(r.mistakes(reading::valid("[access]\n" + state + " = " + value + "\n")),
                        ElementsAre("7 access." + state + " " + mistake +
                                    "; write true, false, or a number of days from 1 to 3650"));
    }
}

TEST(parse, takes_lower_case_words_as_states)
{
    for (const char* good : {"a", "active", "past_due", "a1"})
        EXPECT_TRUE(is_state_name(good)) << good;
    for (const char* bad : {"", "Active", "past due", "past-due", "_a", "1a", "\xc3\xa4"})
        EXPECT_FALSE(is_state_name(bad)) << bad;
    EXPECT_TRUE(is_state_name(std::string(64, 'a')));
    EXPECT_FALSE(is_state_name(std::string(65, 'a')));
}

TEST(parse, tells_tables_from_lists_of_tables)
{
    const reading r;
    EXPECT_THAT(r.mistakes(reading::valid("[[log]]\nlevel = \"info\"\n")),
                ElementsAre("6 log is one table; write [log] with one pair of brackets"));
    EXPECT_THAT(r.mistakes("log = \"debug\"\n" + reading::valid()),
                ElementsAre("1 log must be a table; write [log] on a line of its own"));
}

TEST(parse, knows_where_a_misplaced_key_belongs)
{
    const reading r;
    EXPECT_THAT(
        r.mistakes("max_body_bytes = 5\n" + reading::valid()),
        ElementsAre("1 unknown key \"max_body_bytes\" at the top of the file; it belongs in [ingress]"));
}

TEST(parse, leaves_out_what_the_parser_quotes)
{
    const std::string mend =
        "; correct this line: a text needs double quotes, and each key and table stands once";
    EXPECT_EQ(syntax_mistake("Error while parsing x: expected '=', saw 'b'"),
              "not valid TOML: while parsing x: expected \"=\", saw \"b\"" + mend);
    EXPECT_EQ(syntax_mistake("saw 'secret' and 'more"), "not valid TOML: saw \"…\" and \"…\"" + mend);
    EXPECT_EQ(syntax_mistake(""), "not valid TOML: " + mend);
    EXPECT_EQ(syntax_mistake("saw '"), "not valid TOML: saw \"\"" + mend);
}

} // namespace
} // namespace chargifyd::config
