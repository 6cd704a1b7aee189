#include "chargifyd/admin/admin.hpp"

#include "chargifyd/base/log.hpp"
#include "chargifyd/chargify/form.hpp"
#include "chargifyd/chargify/signature.hpp"
#include "chargifyd/state/queries.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <exception>
#include <optional>

namespace chargifyd::admin {

namespace {

using ingress::operator_reply;
using ingress::operator_request;
using nlohmann::ordered_json;

constexpr std::uint64_t default_limit = 100;
constexpr std::uint64_t largest_limit = 1000;

operator_reply json_reply(unsigned status, const ordered_json& body)
{
    operator_reply reply;
    reply.status = status;
    reply.body = body.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
    return reply;
}

operator_reply refusal(unsigned status, const std::string& why)
{
    return json_reply(status, {{"error", why}});
}

operator_reply text_reply(unsigned status, std::string text)
{
    operator_reply reply;
    reply.status = status;
    reply.content_type = "text/plain; charset=utf-8";
    reply.body = std::move(text);
    return reply;
}

operator_reply failure_reply(const error& e)
{
    switch (e.code) {
    case errc::not_found:
        return refusal(404, e.message);
    case errc::invalid:
        return refusal(400, e.message);
    case errc::busy:
    case errc::unavailable:
        return refusal(503, e.message);
    case errc::corrupt:
    case errc::io:
        return refusal(500, e.message);
    }
    return refusal(500, e.message);
}

template <class Integer>
std::optional<Integer> parse_integer(std::string_view text)
{
    Integer number{};
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failed != std::errc() || end != text.data() + text.size() || text.empty())
        return std::nullopt;
    return number;
}

/// The query string: small, and only keys that a route knows.
class parameters {
public:
    explicit parameters(const std::string& query)
    {
        if (auto parsed = chargify::form::parse(query))
            tree_ = std::move(*parsed);
    }

    std::string text(std::string_view key) const
    {
        return std::string(tree_.text(chargify::form::root, key).value_or(std::string_view()));
    }
    std::uint64_t number(std::string_view key, std::uint64_t otherwise) const
    {
        const auto value = tree_.integer(chargify::form::root, key);
        return value && *value >= 0 ? static_cast<std::uint64_t>(*value) : otherwise;
    }
    std::uint64_t limit() const
    {
        return std::clamp<std::uint64_t>(number("limit", default_limit), 1, largest_limit);
    }

private:
    chargify::form tree_;
};

ordered_json to_json(const state::result_column& column, const state::value& v)
{
    if (const auto* number = std::get_if<std::int64_t>(&v)) {
        if (column.kind == state::column_kind::flag)
            return *number != 0;
        return *number;
    }
    if (const auto* text = std::get_if<std::string>(&v)) {
        if (column.name == "attributes")
            return ordered_json::parse(*text, nullptr, false);
        return *text;
    }
    return nullptr;
}

/// Keeps "/v1/x/42" apart: the id, if the path is that of one object.
std::optional<std::string_view> last_part(std::string_view path, std::string_view before)
{
    if (path.size() <= before.size() || path.substr(0, before.size()) != before)
        return std::nullopt;
    return path.substr(before.size());
}

class handler {
public:
    explicit handler(sources from)
        : from_(std::move(from))
    {}

    operator_reply operator()(const operator_request& request) const
    {
        if (!is_allowed(request)) {
            return refusal(401,
                           "this address needs 'Authorization: Bearer' with the token of admin.token_file");
        }
        try {
            if (request.path.rfind("/v1/control/", 0) == 0)
                return control(request);
            if (request.method != "GET" && request.method != "HEAD")
                return refusal(405, "only GET");
            return read(request);
        } catch (const std::exception& e) {
            log::error("an operator's request failed", {{"error", e.what()}});
            return refusal(500, "internal error; see the daemon's log");
        }
    }

private:
    bool is_allowed(const operator_request& request) const
    {
        if (request.local || from_.token.empty())
            return true;
        constexpr std::string_view scheme = "Bearer ";
        if (request.authorization.compare(0, scheme.size(), scheme) != 0)
            return false;
        // Digests have equal lengths, so the comparison tells nothing about the token's.
        const std::string_view given = std::string_view(request.authorization).substr(scheme.size());
        return chargify::equal_constant_time(chargify::sha256(given), chargify::sha256(from_.token.reveal()));
    }

    operator_reply read(const operator_request& request) const
    {
        const parameters with(request.query);
        if (request.path == "/healthz")
            return health();
        if (request.path == "/readyz")
            return ready();
        if (request.path == "/metrics") {
            operator_reply reply = text_reply(200, from_.instruments->render());
            reply.content_type = "text/plain; version=0.0.4; charset=utf-8";
            return reply;
        }
        if (request.path == "/v1/subscriptions")
            return subscriptions(with);
        if (request.path == "/v1/events")
            return events(with);
        if (const auto id = last_part(request.path, "/v1/subscriptions/"))
            return subscription(*id, with);
        if (const auto id = last_part(request.path, "/v1/customers/"))
            return customer(*id, with);
        return refusal(404, "no such path");
    }

    operator_reply health() const
    {
        const std::string_view word = from_.health();
        return text_reply(word == "ok" ? 200 : 503, std::string(word) + "\n");
    }

    operator_reply ready() const
    {
        const pipeline::status s = from_.background->now();
        const std::string word(from_.health());
        ordered_json reasons = ordered_json::array();
        if (word != "ok")
            reasons.push_back("webhooks are not taken: " + word);
        if (!s.failure.empty())
            reasons.push_back("webhooks are not applied: " + s.failure);
        return json_reply(reasons.empty() ? 200 : 503,
                          {{"ready", reasons.empty()},
                           {"reasons", reasons},
                           {"version", CHARGIFYD_VERSION},
                           {"journal_sequence", s.durable},
                           {"applied_sequence", s.applied},
                           {"apply_lag_webhooks", s.durable > s.applied ? s.durable - s.applied : 0},
                           {"apply_lag_seconds", s.lag_seconds},
                           {"dead_letters", s.dead_letters}});
    }

    /// The rows of a query as JSON objects.
    result<std::vector<ordered_json>> rows(const state::query& q) const
    {
        auto reader = state::state_reader::open(from_.state_file);
        if (!reader)
            return reader.error();
        std::vector<state::result_column> columns;
        std::vector<ordered_json> all;
        const auto done = reader->run(
            q,
            [&](std::span<const state::result_column> found) { columns.assign(found.begin(), found.end()); },
            [&](std::span<const state::value> row) {
                ordered_json object;
                for (std::size_t i = 0; i < columns.size(); ++i)
                    object[columns[i].name] = to_json(columns[i], row[i]);
                all.push_back(std::move(object));
                return true;
            });
        if (!done)
            return done.error();
        return all;
    }

    operator_reply list(const state::query& q) const
    {
        const auto found = rows(q);
        return found ? json_reply(200, ordered_json(*found)) : failure_reply(found.error());
    }

    /// One object; ids are Chargify's and unique, but two sites may be asked for apart.
    operator_reply one(const state::query& q) const
    {
        const auto found = rows(q);
        if (!found)
            return failure_reply(found.error());
        if (found->empty())
            return refusal(404, "not found");
        return json_reply(200, found->front());
    }

    operator_reply subscriptions(const parameters& with) const
    {
        state::subscription_filter filter;
        filter.site = with.text("site");
        filter.state = with.text("state");
        filter.customer_reference = with.text("customer_reference");
        filter.limit = with.limit();
        return list(state::list_subscriptions(filter));
    }

    operator_reply subscription(std::string_view id, const parameters& with) const
    {
        state::subscription_filter filter;
        filter.id = parse_integer<std::int64_t>(id);
        if (!filter.id)
            return refusal(400, "a subscription id is a number");
        filter.site = with.text("site");
        filter.limit = 1;
        return one(state::show_subscription(filter));
    }

    operator_reply customer(std::string_view id, const parameters& with) const
    {
        state::customer_filter filter;
        filter.id = parse_integer<std::int64_t>(id);
        if (!filter.id)
            return refusal(400, "a customer id is a number");
        filter.site = with.text("site");
        filter.limit = 1;
        return one(state::show_customer(filter));
    }

    operator_reply events(const parameters& with) const
    {
        state::event_filter filter;
        filter.after = with.number("after", 0);
        filter.site = with.text("site");
        filter.limit = with.limit();
        return list(state::list_events(filter));
    }

    operator_reply control(const operator_request& request) const
    {
        if (!request.local)
            return refusal(403, "commands are taken over the control socket only; use chargifyctl");
        if (request.method != "POST")
            return refusal(405, "only POST");
        if (request.path == "/v1/control/retry-dead")
            return retry_dead(parameters(request.query));
        if (request.path == "/v1/control/adopt-rebuilt")
            return report(from_.background->adopt_rebuilt());
        if (request.path == "/v1/control/maintain")
            return report(from_.background->maintain());
        return refusal(404, "no such command");
    }

    operator_reply retry_dead(const parameters& with) const
    {
        std::vector<std::uint64_t> sequences;
        if (const std::string one = with.text("sequence"); !one.empty()) {
            const auto number = parse_integer<std::uint64_t>(one);
            if (!number || *number == 0)
                return refusal(400, "a sequence is a positive number");
            sequences.push_back(*number);
        }
        const auto revived = from_.background->retry_dead(std::move(sequences));
        return revived ? json_reply(200, {{"revived", *revived}}) : failure_reply(revived.error());
    }

    static operator_reply report(const result<void>& done)
    {
        return done ? json_reply(200, {{"done", true}}) : failure_reply(done.error());
    }

    sources from_;
};

} // namespace

ingress::operator_handler make_handler(sources from)
{
    return handler(std::move(from));
}

} // namespace chargifyd::admin
