#include "chargifyd/admin/admin.hpp"

#include "admin/parameters.hpp"
#include "admin/read_api.hpp"
#include "admin/reply.hpp"

#include "chargifyd/base/log.hpp"
#include "chargifyd/chargify/sha256.hpp"
#include "chargifyd/chargify/signature.hpp"
#include "chargifyd/journal/file_system.hpp"

#include <exception>
#include <optional>

namespace chargifyd::admin {

namespace {

using ingress::operator_reply;
using ingress::operator_request;
using nlohmann::ordered_json;

class handler {
public:
    explicit handler(sources from)
        : from_(std::move(from))
    {}

    operator_reply operator()(const operator_request& request) const
    {
        if (!is_for_us(request)) {
            return refusal(421, "this address is asked for by its number or as localhost; a name needs "
                                "admin.token_file");
        }
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
        } catch (const parameters::bad_parameter& bad) {
            return refusal(400, bad.why);
        } catch (const std::exception& e) {
            log::error("an operator's request failed", {{"path", request.path}, {"error", e.what()}});
            return refusal(500, "internal error; see the daemon's log");
        }
    }

private:
    /// Without a token a name of someone else's that leads here would let a web page read what is shown.
    bool is_for_us(const operator_request& request) const
    {
        if (request.local || !from_.token.empty())
            return true;
        std::string_view name = request.host;
        if (name.starts_with('['))
            return true; // an IPv6 address, and nothing else by the grammar
        name = name.substr(0, name.find(':'));
        return name == "localhost" || name.find_first_not_of("0123456789.") == std::string_view::npos;
    }

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
        if (request.path == "/healthz")
            return health();
        if (request.path == "/readyz")
            return ready();
        if (request.path == "/metrics") {
            operator_reply reply = text_reply(200, from_.instruments->render());
            reply.content_type = "text/plain; version=0.0.4; charset=utf-8";
            return reply;
        }
        if (auto answered = answer_read(from_.state_file, request))
            return std::move(*answered);
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
                           {"checks", checks(word, s)},
                           {"version", CHARGIFYD_VERSION},
                           {"journal_sequence", s.durable},
                           {"journal_commit_seconds", or_null(s.journal_commit_seconds)},
                           {"disk_free_bytes", or_null(free_bytes())},
                           {"disk_floor_bytes", from_.disk_floor_bytes},
                           {"applied_sequence", s.applied},
                           {"state_commit_seconds", or_null(s.state_commit_seconds)},
                           {"apply_lag_webhooks", s.durable > s.applied ? s.durable - s.applied : 0},
                           {"apply_lag_seconds", s.lag_seconds},
                           {"dead_letters", s.dead_letters},
                           {"rebuilding", rebuilding(s)}});
    }

    /// The same in names that do not change. The health is one word, for what comes first: nothing else is
    /// known to be at fault.
    static ordered_json checks(std::string_view health, const pipeline::status& s)
    {
        const char* const journal = health == "full" ? "queue_full" : health == "stopped" ? "stopped" : "ok";
        const bool drains = health == "draining";
        return {{"traffic", drains ? "draining" : "ok"},
                {"journal", drains ? ordered_json() : ordered_json(journal)},
                {"disk", drains ? ordered_json() : ordered_json(health == "disk" ? "full" : "ok")},
                {"applying", s.failure.empty() ? "ok" : "failing"}};
    }

    template <class T>
    static ordered_json or_null(const std::optional<T>& value)
    {
        return value ? ordered_json(*value) : ordered_json();
    }

    std::optional<std::uint64_t> free_bytes() const
    {
        std::uint64_t bytes = 0;
        return journal::real_file_system().free_bytes(from_.journal_directory, &bytes) == 0
                   ? std::optional(bytes)
                   : std::nullopt;
    }

    /// Null, unless the state is being made anew after an upgrade.
    static ordered_json rebuilding(const pipeline::status& s)
    {
        if (!s.rebuilding)
            return nullptr;
        ordered_json shown = {{"done", s.rebuilding->done}, {"total", s.rebuilding->total}};
        if (!s.rebuilding->failure.empty())
            shown["failure"] = s.rebuilding->failure;
        return shown;
    }

    operator_reply control(const operator_request& request) const
    {
        if (!request.local)
            return refusal(403, "commands are taken over the control socket only; use chargifyctl");
        if (request.method != "POST")
            return refusal(405, "only POST");
        if (request.path == "/v1/control/retry-dead")
            return retry_dead(parameters(request.query, {"sequence"}));
        if (request.path == "/v1/control/adopt-rebuilt")
            return report(from_.background->adopt_rebuilt());
        if (request.path == "/v1/control/maintain")
            return report(from_.background->maintain());
        if (request.path == "/v1/control/forget")
            return forget(parameters(request.query, {"site", "customer", "next", "last", "webhooks"}));
        if (request.path == "/v1/control/quarantine-verify")
            return release_quarantined();
        if (request.path == "/v1/control/quarantine-clear")
            return clear_quarantine(parameters(request.query, {"number"}));
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

    static std::uint64_t number(const parameters& with, const char* name)
    {
        return parse_integer<std::uint64_t>(with.text(name)).value_or(0);
    }

    operator_reply forget(const parameters& with) const
    {
        const auto customer = parse_integer<std::int64_t>(with.text("customer"));
        if (!customer || *customer <= 0)
            return refusal(400, "a customer is a positive number");
        const auto done =
            from_.background->forget(with.text("site"), *customer,
                                     {number(with, "next"), number(with, "last"), number(with, "webhooks")});
        return done ? json_reply(200,
                                 {{"next", done->next}, {"last", done->last}, {"webhooks", done->webhooks}})
                    : failure_reply(done.error());
    }

    operator_reply release_quarantined() const
    {
        const auto done = from_.release_quarantined();
        return done ? json_reply(200, {{"moved", done->moved}, {"left", done->left}})
                    : failure_reply(done.error());
    }

    operator_reply clear_quarantine(const parameters& with) const
    {
        std::vector<std::uint64_t> numbers = from_.quarantined->numbers();
        if (const std::string one = with.text("number"); !one.empty()) {
            const auto number = parse_integer<std::uint64_t>(one);
            if (!number)
                return refusal(400, "a number is digits");
            if (std::erase_if(numbers, [&](std::uint64_t n) { return n != *number; }); numbers.empty())
                return refusal(404, "quarantined webhook " + one + " does not exist");
        }
        for (const std::uint64_t number : numbers) {
            if (const auto removed = from_.quarantined->remove(number); !removed)
                return failure_reply(removed.error());
        }
        return json_reply(200, {{"removed", numbers.size()}});
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
