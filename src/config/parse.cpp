#include "config/parse.hpp"

#include "config/address.hpp"
#include "config/files.hpp"
#include "config/findings.hpp"
#include "config/sites.hpp"
#include "config/table.hpp"
#include "config/words.hpp"

#include "chargifyd/chargify/states.hpp"
#include "chargifyd/config/settings.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace chargifyd::config {

namespace {

constexpr std::int64_t kib = 1024;
constexpr std::int64_t mib = 1024 * kib;
constexpr std::int64_t gib = 1024 * mib;

constexpr std::int64_t most_threads = 256;
constexpr std::int64_t most_grace_days = 3650;

/// Reads the tables one after the other, in the order of the documentation.
class file_reader {
public:
    file_reader(const toml::table& root, std::filesystem::path folder, settings& into, findings& to)
        : top_(&root, "", to)
        , folder_(std::move(folder))
        , into_(into)
        , to_(to)
    {}

    void read()
    {
        read_top();
        read_ingress();
        read_admin();
        into_.sites = read_sites(top_, folder_, to_);
        read_journal();
        read_pipeline();
        read_quarantine();
        read_access();
        read_log();
        top_.finish();
    }

private:
    void read_top();
    void read_ingress();
    void read_listeners(table& t);
    void read_tls(table& t);
    void read_trusted_proxies(table& t);
    void read_admin();
    void read_journal();
    void read_pipeline();
    void read_quarantine();
    void read_access_rule(table& t, const std::string& state, bool grants);
    void read_access();
    void read_log();

    table section(const std::string& name);
    std::vector<std::string> addresses(table& t, std::string_view key);
    /// Refuses a port that is listened on twice.
    std::optional<endpoint> listener(table& t, std::string_view key, const item& given);
    std::optional<item> path(table& t, std::string_view key, std::filesystem::path& into);

    table top_;
    std::filesystem::path folder_;
    settings& into_;
    findings& to_;
    std::vector<endpoint> listening_;
};

table file_reader::section(const std::string& name)
{
    const toml::node* const found = top_.take(name);
    if (found && !found->is_table())
        top_.wrong(name, found->is_array_of_tables()
                             ? "is one table; write [" + name + "] with one pair of brackets"
                             : "must be a table; write [" + name + "] on a line of its own");
    return table(found ? found->as_table() : nullptr, name, to_);
}

std::optional<item> file_reader::path(table& t, std::string_view key, std::filesystem::path& into)
{
    std::optional<item> given = t.text(key);
    if (given)
        into = given->text.empty() ? std::filesystem::path() : named_file(folder_, given->text);
    t.note(key, in_quotes(into.string(), std::string::npos));
    return given;
}

void file_reader::read_top()
{
    path(top_, "state_directory", into_.state_directory);
    if (into_.state_directory.empty())
        top_.wrong("state_directory", "is empty; name the folder for the journal and state.db");
}

std::optional<endpoint> file_reader::listener(table& t, std::string_view key, const item& given)
{
    const result<endpoint> parsed = parse_endpoint(given.text);
    if (!parsed) {
        t.wrong_at(given.line, key, in_quotes(given.text) + " " + parsed.error().message);
        return std::nullopt;
    }
    if (parsed->port != 0 && std::find(listening_.begin(), listening_.end(), *parsed) != listening_.end())
        t.wrong_at(given.line, key, in_quotes(given.text) + " is listened on twice; remove one");
    listening_.push_back(*parsed);
    return *parsed;
}

std::vector<std::string> file_reader::addresses(table& t, std::string_view key)
{
    std::vector<std::string> all;
    for (const item& given : t.texts(key)) {
        listener(t, key, given);
        all.push_back(given.text);
    }
    t.note(key, in_brackets(all));
    return all;
}

void file_reader::read_listeners(table& t)
{
    const std::size_t mistakes_before = to_.count();
    into_.ingress.https = addresses(t, "https");
    into_.ingress.http = addresses(t, "http");
    if (into_.ingress.https.empty() && into_.ingress.http.empty() && to_.count() == mistakes_before)
        t.wrong(
            "https",
            "and ingress.http are both empty; set https = [\"[::]:443\"], or http behind a load balancer");
}

void file_reader::read_tls(table& t)
{
    const auto check = [&](std::string_view key,
                           std::filesystem::path& into) -> std::optional<readable_file> {
        const std::optional<item> given = path(t, key, into);
        if (into_.ingress.https.empty())
            return std::nullopt;
        if (into.empty()) {
            t.wrong(key, "is missing and ingress.https needs it; name the PEM file");
            return std::nullopt;
        }
        const result<readable_file> about = check_readable(into);
        if (about)
            return *about;
        t.wrong(key, unreadable(given->text, about.error().message));
        return std::nullopt;
    };
    check("certificate", into_.ingress.tls.certificate);
    const std::optional<readable_file> key = check("private_key", into_.ingress.tls.private_key);
    if (key && key->open_to_all)
        t.warn_at(t.line("private_key"), "private_key", open_to_all(into_.ingress.tls.private_key));
}

void file_reader::read_trusted_proxies(table& t)
{
    for (const item& given : t.texts("trusted_proxies")) {
        if (!is_network(given.text))
            t.wrong_at(given.line, "trusted_proxies",
                       in_quotes(given.text) + " is not a network; write \"10.0.0.0/8\" or \"10.1.2.3\"");
        into_.ingress.trusted_proxies.push_back(given.text);
    }
    t.note("trusted_proxies", in_brackets(into_.ingress.trusted_proxies));
}

void file_reader::read_ingress()
{
    table t = section("ingress");
    ingress::options& o = into_.ingress;
    read_listeners(t);
    read_tls(t);
    read_trusted_proxies(t);
    t.flag("proxy_protocol", o.proxy_protocol);
    if (o.proxy_protocol && o.trusted_proxies.empty())
        t.wrong("proxy_protocol",
                "needs ingress.trusted_proxies, or nobody's PROXY header would be believed; name "
                "the networks of the load balancers there");
    t.number("max_body_bytes", o.max_body_bytes, kib, 64 * mib);
    t.number("max_header_bytes", o.max_header_bytes, kib, mib);
    t.number("max_connections", o.max_connections, 1, 100000);
    t.seconds("handshake_timeout_seconds", o.handshake_timeout);
    t.seconds("header_timeout_seconds", o.header_timeout);
    t.seconds("body_timeout_seconds", o.body_timeout);
    t.seconds("idle_timeout_seconds", o.idle_timeout);
    t.seconds("write_timeout_seconds", o.write_timeout);
    t.number("threads", o.threads, 0, most_threads);
    t.finish();
}

void file_reader::read_admin()
{
    table t = section("admin");
    if (std::optional<item> given = t.text("listen"))
        into_.admin.listen = std::move(given->text);
    t.note("listen", in_quotes(into_.admin.listen));
    std::optional<endpoint> at;
    if (!into_.admin.listen.empty())
        at = listener(t, "listen", {into_.admin.listen, t.line("listen")});

    std::filesystem::path token_file;
    const std::optional<item> given = path(t, "token_file", token_file);
    if (!token_file.empty()) {
        const result<readable_file> about = check_readable(token_file);
        result<secret> token = about ? read_secret(token_file) : about.error();
        if (!token)
            t.wrong("token_file", unreadable(given->text, token.error().message));
        else if (token->empty())
            t.wrong("token_file", "names an empty file; put a long random word there");
        else
            into_.admin.token = *std::move(token);
        if (about && about->open_to_all)
            t.warn_at(t.line("token_file"), "token_file", open_to_all(token_file));
    } else if (at && !at->loopback()) {
        t.wrong(
            "listen",
            in_quotes(into_.admin.listen) +
                " can be reached from outside and needs admin.token_file; set it, or listen on 127.0.0.1");
    }
    t.finish();
}

void file_reader::read_journal()
{
    table t = section("journal");
    journal::options& o = into_.journal;
    t.number("segment_bytes", o.segment_bytes, 64 * kib, 4 * gib);
    auto days = into_.pipeline.retention.count();
    t.number("retention_days", days, 0, 36500);
    into_.pipeline.retention = std::chrono::days(days);
    t.number("queue_webhooks", o.queue_webhooks, 1, 1000000);
    t.number("queue_bytes", o.queue_bytes, kib, 16 * gib);
    if (o.queue_bytes < into_.ingress.max_body_bytes)
        t.wrong("queue_bytes",
                "is below ingress.max_body_bytes, so the largest webhooks would never be taken; raise it "
                "or lower ingress.max_body_bytes");
    t.number("disk_floor_bytes", o.disk_floor_bytes, 0, 1024 * gib);
    t.number("remembered_webhooks", o.remembered_webhooks, 0, 10000000);
    t.finish();
}

void file_reader::read_pipeline()
{
    table t = section("pipeline");
    t.number("workers", into_.pipeline.workers, 0, most_threads);
    t.number("batch_webhooks", into_.pipeline.batch_webhooks, 1, 100000);
    t.finish();
}

void file_reader::read_quarantine()
{
    table t = section("quarantine");
    quarantine::options& o = into_.quarantine;
    t.number("max_webhooks", o.max_webhooks, 1, 1000000);
    t.number("max_bytes", o.max_bytes, kib, 16 * gib);
    t.number("max_webhooks_per_source", o.max_webhooks_per_source, 1, 1000000);
    t.number("max_bytes_per_source", o.max_bytes_per_source, kib, 16 * gib);
    t.finish();
}

/// `true`, `false`, or for so many days.
void file_reader::read_access_rule(table& t, const std::string& state, bool grants)
{
    state::access_rule rule{grants, std::nullopt};
    if (const toml::node* const found = t.take(state)) {
        const auto* const days = found->as_integer();
        if (const auto* const flag = found->as_boolean())
            rule.has_access = flag->get();
        else if (days && days->get() >= 1 && days->get() <= most_grace_days)
            rule = {true, static_cast<int>(days->get())};
        else
            t.wrong(state,
                    (days ? "is " + std::to_string(days->get()) + ", out of range"
                          : "must be true, false or a number of days, not " + std::string(describe(*found))) +
                        "; write true, false, or a number of days from 1 to " +
                        std::to_string(most_grace_days));
        into_.state.access[state] = rule;
    }
    t.note(state, rule.grace_days ? std::to_string(*rule.grace_days) : rule.has_access ? "true" : "false");
}

void file_reader::read_access()
{
    table t = section("access");
    std::vector<std::string> documented;
    for (const chargify::state_info& state : chargify::state_catalogue()) {
        documented.emplace_back(state.name);
        read_access_rule(t, documented.back(), state.grants_access);
    }
    for (const std::string& state : t.keys()) {
        if (chargify::find_state(state) || !is_state_name(state))
            continue;
        read_access_rule(t, state, false);
        const std::string_view meant = nearest(state, documented);
        t.warn_at(t.line(state), state,
                  "is a state that Chargify has not documented" +
                      (meant.empty() ? std::string() : "; did you mean " + std::string(meant) + "?"));
    }
    t.finish();
}

void file_reader::read_log()
{
    table t = section("log");
    std::string level = "info";
    if (std::optional<item> given = t.text("level")) {
        level = std::move(given->text);
        if (const std::optional<log::level> known = log::parse_level(level))
            into_.log.level = *known;
        else
            t.wrong("level",
                    in_quotes(level) + " is not known; write \"debug\", \"info\", \"warning\" or \"error\"");
    }
    t.note("level", in_quotes(level));
    std::string format = "text";
    if (std::optional<item> given = t.text("format")) {
        format = std::move(given->text);
        if (const std::optional<log::format> known = log::parse_format(format))
            into_.log.format = *known;
        else
            t.wrong("format", in_quotes(format) + " is not known; write \"text\" or \"json\"");
    }
    t.note("format", in_quotes(format));
    t.finish();
}

} // namespace

loaded parse(const std::string& text, const std::filesystem::path& file)
{
    loaded out;
    try {
        const toml::table root = toml::parse(text);
        findings found;
        file_reader(root, file.parent_path(), out.value, found).read();
        std::move(found).finish(out);
    } catch (const toml::parse_error& e) {
        out.mistakes.push_back({e.source().begin.line, syntax_mistake(e.description())});
    }
    return out;
}

std::string syntax_mistake(std::string_view description)
{
    constexpr std::size_t longest_quotation = 2;
    constexpr std::string_view prefix = "Error ";
    if (description.starts_with(prefix))
        description.remove_prefix(prefix.size());
    std::string text = "not valid TOML: ";
    for (std::size_t at = 0; at < description.size();) {
        const std::size_t open = description.find('\'', at);
        text += description.substr(at, open - at);
        if (open == std::string_view::npos)
            break;
        const std::size_t close = description.find('\'', open + 1);
        const std::string_view inside = description.substr(open + 1, close - open - 1);
        text += inside.size() <= longest_quotation ? in_quotes(inside) : "\"…\"";
        at = close == std::string_view::npos ? description.size() : close + 1;
    }
    return text + "; correct this line: a text needs double quotes, and each key and table stands once";
}

bool is_state_name(std::string_view name) noexcept
{
    constexpr std::size_t longest_state = 64;
    const auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
    return !name.empty() && name.size() <= longest_state && name.front() >= 'a' && name.front() <= 'z' &&
           std::all_of(name.begin(), name.end(), allowed);
}

} // namespace chargifyd::config
