#include "admin/read_api.hpp"

#include "admin/parameters.hpp"
#include "admin/reply.hpp"

#include "chargifyd/base/time.hpp"
#include "chargifyd/state/json.hpp"
#include "chargifyd/state/queries.hpp"
#include "chargifyd/state/queries_changes.hpp"
#include "chargifyd/state/when.hpp"
#include "chargifyd/state/words.hpp"

#include <chrono>

namespace chargifyd::admin {

namespace {

using ingress::operator_reply;
using ingress::operator_request;
using nlohmann::ordered_json;
using bad_parameter = parameters::bad_parameter;

constexpr auto longest_statement = std::chrono::seconds(2);

/// An error on its way out of a route.
struct failed {
    error why;
};

template <class T>
T value_of(result<T> r)
{
    if (!r)
        throw failed{r.error()};
    return std::move(*r);
}

class read_api {
public:
    read_api(state::state_reader state, const operator_request& request)
        : state_(std::move(state))
        , request_(request)
    {
        state_.limit_time(longest_statement);
    }

    std::optional<operator_reply> answer();

private:
    operator_reply one_subscription(std::string_view id);
    operator_reply one_customer(std::string_view id);
    operator_reply subscriptions();
    operator_reply customers();
    operator_reply access();
    operator_reply events();
    operator_reply changes();
    operator_reply timeline();
    operator_reply renewals();
    operator_reply past_due();
    operator_reply revenue();

    operator_reply whole(const state::query& object, const std::vector<state::section>& sections);
    std::string read(const state::list& what, const parameters& with, const std::string& after,
                     ordered_json& rows);
    operator_reply page(const state::list& what, const parameters& with, const std::string& after);
    operator_reply page(const state::list& what, const parameters& with)
    {
        return page(what, with, with.text("after"));
    }
    std::int64_t id_of(std::string_view text) const;
    state::change_filter changes_filter(const parameters& with) const;

    state::state_reader state_;
    const operator_request& request_;
};

std::int64_t read_api::id_of(std::string_view text) const
{
    const auto id = parse_integer<std::int64_t>(text);
    if (!id)
        throw bad_parameter{"an id is a number"};
    return *id;
}

/// Reads a page into `rows`; what comes back is the header `Link`, empty at the end.
std::string read_api::read(const state::list& what, const parameters& with, const std::string& after,
                           ordered_json& rows)
{
    std::vector<state::result_column> columns;
    rows = ordered_json::array();
    const auto next = value_of(state::read_page(
        state_, what, after, with.limit(),
        [&](std::span<const state::result_column> found) { columns.assign(found.begin(), found.end()); },
        [&](std::span<const state::value> row) { rows.push_back(state::to_json(columns, row)); }));
    return next ? "<" + request_.path + with.continued(*next) + ">; rel=\"next\"" : std::string();
}

operator_reply read_api::page(const state::list& what, const parameters& with, const std::string& after)
{
    ordered_json rows;
    std::string link = read(what, with, after, rows);
    operator_reply reply = json_reply(200, rows);
    reply.link = std::move(link);
    return reply;
}

operator_reply read_api::whole(const state::query& object, const std::vector<state::section>& sections)
{
    ordered_json shown;
    if (auto read = state::read_json(state_, {"", object, true}, shown); !read)
        throw failed{read.error()};
    for (const state::section& s : sections) {
        if (auto read = state::read_json(state_, s, shown[s.name]); !read)
            throw failed{read.error()};
    }
    return json_reply(200, shown);
}

operator_reply read_api::one_subscription(std::string_view id)
{
    const parameters with(request_.query, {"site"});
    const auto place = value_of(state::find_subscription(state_, {with.text("site"), id_of(id), {}}));
    return whole(state::show_subscription(place), state::sections_of_subscription(place));
}

operator_reply read_api::one_customer(std::string_view id)
{
    const parameters with(request_.query, {"site"});
    const auto place = value_of(state::find_customer(state_, {with.text("site"), id_of(id), {}}));
    return whole(state::show_customer(place), state::sections_of_customer(place));
}

operator_reply read_api::subscriptions()
{
    const parameters with(request_.query, {"site", "state", "product", "reference", "customer_reference",
                                           "updated_since", "has_access", "after", "limit"});
    state::subscription_filter filter;
    filter.site = with.text("site");
    filter.state = with.text("state");
    filter.product = with.text("product");
    filter.reference = with.text("reference");
    filter.customer_reference = with.text("customer_reference");
    filter.updated_since = with.moment("updated_since");
    filter.has_access = with.flag("has_access");
    return page(value_of(state::list_subscriptions(state_, filter)), with);
}

operator_reply read_api::customers()
{
    const parameters with(request_.query, {"site", "reference", "email", "updated_since", "after", "limit"});
    if (const std::string reference = with.text("reference"); !reference.empty()) {
        const auto place = value_of(state::find_customer(state_, {with.text("site"), {}, reference}));
        return whole(state::show_customer(place), state::sections_of_customer(place));
    }
    state::customer_filter filter;
    filter.site = with.text("site");
    filter.email = with.text("email");
    filter.updated_since = with.moment("updated_since");
    return page(state::list_customers(filter), with);
}

operator_reply read_api::access()
{
    const parameters with(request_.query,
                          {"site", "customer_reference", "has_access", "until", "after", "limit"});
    state::access_filter filter;
    filter.site = with.text("site");
    filter.customer_reference = with.text("customer_reference");
    filter.has_access = with.flag("has_access");
    filter.until = with.moment("until");
    return page(value_of(state::list_access(state_, filter)), with);
}

operator_reply read_api::events()
{
    const parameters with(
        request_.query, {"site", "event", "outcome", "subscription_id", "since", "until", "after", "limit"});
    state::event_filter filter;
    filter.site = with.text("site");
    filter.event = with.text("event");
    filter.outcome = with.text("outcome");
    filter.subscription_id = with.number("subscription_id");
    filter.from = with.number("after").value_or(-1) + 1;
    if (const std::string since = with.moment("since"); !since.empty())
        filter.from = std::max(filter.from, value_of(state_.first_sequence_since(since)));
    if (const std::string until = with.moment("until"); !until.empty())
        filter.to = value_of(state_.first_sequence_since(until));
    return page(state::list_events(filter), with, {});
}

state::change_filter read_api::changes_filter(const parameters& with) const
{
    state::change_filter filter;
    filter.site = with.text("site");
    filter.since = with.moment("since");
    filter.until = with.moment("until");
    if (const std::string kind = with.text("kind"); !kind.empty()) {
        if (!state::is_change_kind(kind))
            throw bad_parameter{"kind: no such kind of change"};
        filter.kinds.push_back(kind);
    }
    return filter;
}

/// In the order in which they were learned, so that a program that goes on from the last id misses nothing.
operator_reply read_api::changes()
{
    const parameters with(request_.query, {"site", "kind", "subscription_id", "after", "limit"});
    const state::change_filter filter = changes_filter(with);
    if (const auto id = with.number("subscription_id")) {
        const auto subject = value_of(state::find_subscription_subject(state_, {filter.site, id, {}}));
        return page(state::follow_changes_of(subject, filter), with);
    }
    return page(value_of(state::follow_changes(state_, filter)), with);
}

operator_reply read_api::timeline()
{
    const parameters with(request_.query, {"site", "customer_reference", "customer_id", "subscription_id",
                                           "kind", "since", "until", "after", "limit"});
    const state::change_filter filter = changes_filter(with);
    state::change_subject subject;
    if (const auto id = with.number("subscription_id")) {
        subject = value_of(state::find_subscription_subject(state_, {filter.site, id, {}}));
    } else {
        const state::object_name who{filter.site, with.number("customer_id"),
                                     with.text("customer_reference")};
        if (!who.id && who.reference.empty())
            throw bad_parameter{"whose? Give customer_reference, customer_id or subscription_id"};
        const auto place = value_of(state::find_customer(state_, who));
        subject = {place.site, {}, place.id};
    }
    return page(state::list_changes_of(subject, filter), with);
}

operator_reply read_api::renewals()
{
    const parameters with(request_.query, {"site", "from", "to", "within", "after", "limit"});
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    state::renewal_filter filter;
    filter.site = with.text("site");
    filter.from = with.text("from").empty() ? format_utc(now) : with.moment("from");
    filter.to = with.moment("to");
    if (filter.to.empty()) {
        const std::string within = with.text("within");
        const auto length = state::parse_duration(within.empty() ? "7d" : within);
        if (!length)
            throw bad_parameter{"within: " + length.error().message};
        filter.to = format_utc(now + *length);
    }
    return page(state::list_renewals(filter), with);
}

operator_reply read_api::past_due()
{
    const parameters with(request_.query, {"site", "after", "limit"});
    return page(state::list_past_due(with.text("site")), with);
}

operator_reply read_api::revenue()
{
    const parameters with(request_.query, {"site", "day", "since", "until", "after", "limit"});
    state::revenue_filter filter;
    filter.site = with.text("site");
    filter.since = with.moment("since");
    filter.until = with.moment("until");
    if (filter.since.empty() && filter.until.empty()) {
        auto day = std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now());
        if (const std::string given = with.text("day"); !given.empty()) {
            const auto parsed = state::parse_day(given);
            if (!parsed)
                throw bad_parameter{"day: " + parsed.error().message};
            day = std::chrono::floor<std::chrono::days>(*parsed);
        }
        filter.since = format_utc(std::chrono::sys_seconds(day));
        filter.until = format_utc(std::chrono::sys_seconds(day + std::chrono::days(1)));
    }
    ordered_json shown;
    std::string link =
        read(value_of(state::list_revenue(state_, filter)), with, with.text("after"), shown["events"]);
    ordered_json& totals = shown["totals"] = ordered_json::array();
    std::vector<state::result_column> columns;
    const auto summed = state::total_revenue(
        state_, filter,
        [&](std::span<const state::result_column> found) { columns.assign(found.begin(), found.end()); },
        [&](std::span<const state::value> row) {
            totals.push_back(state::to_json(columns, row));
            return true;
        });
    if (!summed)
        throw failed{summed.error()};
    operator_reply reply = json_reply(200, shown);
    reply.link = std::move(link);
    return reply;
}

std::optional<operator_reply> read_api::answer()
{
    struct route {
        std::string_view path;
        operator_reply (read_api::*answer)();
    };
    static constexpr route lists[] = {
        {"/v1/subscriptions", &read_api::subscriptions},
        {"/v1/customers", &read_api::customers},
        {"/v1/access", &read_api::access},
        {"/v1/events", &read_api::events},
        {"/v1/changes", &read_api::changes},
        {"/v1/timeline", &read_api::timeline},
        {"/v1/renewals", &read_api::renewals},
        {"/v1/past_due", &read_api::past_due},
        {"/v1/revenue", &read_api::revenue},
    };
    const std::string_view path = request_.path;
    for (const route& r : lists) {
        if (path == r.path)
            return (this->*r.answer)();
    }
    constexpr std::string_view subscription = "/v1/subscriptions/";
    constexpr std::string_view customer = "/v1/customers/";
    if (path.starts_with(subscription))
        return one_subscription(path.substr(subscription.size()));
    if (path.starts_with(customer))
        return one_customer(path.substr(customer.size()));
    return std::nullopt;
}

} // namespace

std::optional<operator_reply> answer_read(const std::filesystem::path& state_file,
                                          const operator_request& request)
{
    if (!request.path.starts_with("/v1/"))
        return std::nullopt;
    try {
        return read_api(value_of(state::state_reader::open(state_file)), request).answer();
    } catch (const bad_parameter& bad) {
        return refusal(400, bad.why);
    } catch (const failed& f) {
        return failure_reply(f.why);
    }
}

} // namespace chargifyd::admin
