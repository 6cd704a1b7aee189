#include "ingress/webhook_service.hpp"

#include "ingress/routes.hpp"

#include "chargifyd/base/log.hpp"

#include <utility>

namespace chargifyd::ingress {
namespace {

using journal::append_status;

/// One text for every cause, so that a prober learns nothing.
answer unauthorized() noexcept
{
    answer made;
    made.status = 401;
    made.body = "signature missing or wrong\n";
    made.extra = "WWW-Authenticate: HMAC-SHA-256\r\n";
    made.close = true;
    return made;
}

answer plain(unsigned status, std::string_view body) noexcept
{
    answer made;
    made.status = status;
    made.body = body;
    return made;
}

webhook_result result_of(append_status status) noexcept
{
    switch (status) {
    case append_status::stored:
        return webhook_result::stored;
    case append_status::duplicate:
        return webhook_result::duplicate;
    case append_status::queue_full:
        return webhook_result::queue_full;
    case append_status::disk_full:
        return webhook_result::disk_full;
    case append_status::stopped:
        return webhook_result::stopped;
    }
    return webhook_result::stopped;
}

std::string_view text_of(append_status status) noexcept
{
    switch (status) {
    case append_status::stored:
    case append_status::duplicate:
        return "ok\n";
    case append_status::queue_full:
        return "queue full, try again later\n";
    case append_status::disk_full:
        return "disk full, try again later\n";
    case append_status::stopped:
        return "stopping, try again later\n";
    }
    return "try again later\n";
}

constexpr introduction_failure introduction_failures[] = {
    introduction_failure::malformed, introduction_failure::cut_off, introduction_failure::slow};

std::string_view name_of(introduction_failure reason) noexcept
{
    switch (reason) {
    case introduction_failure::malformed:
        return "malformed";
    case introduction_failure::cut_off:
        return "cut_off";
    case introduction_failure::slow:
        return "slow";
    }
    return "malformed";
}

} // namespace

/// The webhooks of one connection.
class webhook_handler final : public request_handler {
public:
    webhook_handler(webhook_service& service, std::size_t thread, const origin& from)
        : service_(service)
        , peer_(from.address)
        , peer_text_(to_text(from.address))
        , append_(thread)
    {}

    void begin() override;
    std::optional<answer> judge(const request_head& head) override;
    task<answer> handle(std::string_view body) override;
    void answered() override;
    answer refuse(refusal reason) override { return refuse(reason, {}); }
    void handshake_failed() override { service_.meters_.handshake_failures.add(); }

private:
    answer refuse(refusal reason, std::string_view extra);
    answer refuse(webhook_result result, answer made);
    answer name_refused(std::string_view reason, answer made);
    std::string_view name();
    void believe_proxy(const request_head& head);
    answer report_health();
    std::optional<answer> judge_webhook(const request_head& head);
    answer answer_for(append_status status, std::size_t key);
    task<answer> keep_apart(std::string_view body);

    webhook_service& service_;
    const net::ip::address peer_;
    const std::string peer_text_;
    pending_append append_;

    // The webhook under way.
    monotonic::time_point began_;
    std::shared_ptr<const site_table> sites_; ///< keeps `site_` and its keys
    const known_site* site_ = nullptr;
    std::string sender_; ///< text of the address, when a proxy names one
    request_id id_;      ///< a proxy's, or made for the first who asks
    std::string headers_;
    std::string health_;
    append_status status_ = append_status::stopped;
};

void webhook_handler::begin()
{
    id_.clear();
    site_ = nullptr;
    append_.peer = peer_text_;
}

std::optional<answer> webhook_handler::judge(const request_head& head)
{
    began_ = monotonic::now();
    believe_proxy(head);
    sites_ = service_.sites();
    const auto where = find_route(head.path);
    switch (where.to) {
    case route::health:
        if (head.method != "GET" && head.method != "HEAD")
            return refuse(refusal::method, "Allow: GET, HEAD\r\n");
        return report_health();
    case route::only_site:
        site_ = sites_->only();
        break;
    case route::site:
        site_ = sites_->find(where.site);
        break;
    case route::none:
        break;
    }
    if (site_ == nullptr)
        return refuse(refusal::not_found, {});
    if (head.method != "POST")
        return refuse(refusal::method, "Allow: POST\r\n");
    return judge_webhook(head);
}

std::optional<answer> webhook_handler::judge_webhook(const request_head& head)
{
    const auto given = find_signature(head);
    if (!given.value) {
        if (given.present)
            return refuse(webhook_result::bad_signature, unauthorized());
        site_->report_missing(name());
        return refuse(webhook_result::missing_signature, unauthorized());
    }
    append_.fingerprint = *given.value;
    return std::nullopt;
}

/// What a trusted proxy says of a request: on whose behalf it comes, and what it is called.
void webhook_handler::believe_proxy(const request_head& head)
{
    const bool has_name = request_id::is_good(head.request_id);
    if ((head.forwarded_for.empty() && !has_name) || !service_.proxies_.trusts(peer_))
        return;
    if (!head.forwarded_for.empty()) {
        sender_ = to_text(service_.proxies_.sender(peer_, head.forwarded_for));
        append_.peer = sender_;
    }
    if (has_name)
        id_.assign(head.request_id);
}

task<answer> webhook_handler::handle(std::string_view body)
{
    append_.site = site_->name();
    append_.body = body;
    append_.received_at = service_.clock_();
    const auto key = site_->match(body, append_.fingerprint);
    if (!key) {
        status_ = append_status::stopped;
        site_->report_mismatch(body, append_.fingerprint, name());
        if (site_->quarantines())
            co_return co_await keep_apart(body);
        co_return refuse(webhook_result::bad_signature, unauthorized());
    }
    status_ = co_await append_.store(service_.inbox_, *service_.desk_);
    co_return answer_for(status_, *key);
}

/// 200 once it is kept; when there is no room, or no room left for this sender, as if nothing were kept.
task<answer> webhook_handler::keep_apart(std::string_view body)
{
    const auto kept = co_await append_.keep(service_.apart_, *service_.apart_desk_);
    if (kept == append_status::stored) {
        site_->count(webhook_result::quarantined);
        log::debug("webhook", {{"site", site_->name()},
                               {"outcome", name_of(webhook_result::quarantined)},
                               {"number", append_.sequence},
                               {"bytes", body.size()},
                               {"request", id_.view()}});
        co_return plain(200, "ok\n");
    }
    co_return refuse(webhook_result::bad_signature, unauthorized());
}

answer webhook_handler::answer_for(append_status status, std::size_t key)
{
    const auto result = result_of(status);
    if (status == append_status::stored || status == append_status::duplicate) {
        site_->count(result);
        if (status == append_status::stored)
            log::debug("webhook", {{"site", site_->name()},
                                   {"outcome", name_of(result)},
                                   {"sequence", append_.sequence},
                                   {"bytes", append_.body.size()},
                                   {"request", id_.view()}});
        else
            log::debug("webhook", {{"site", site_->name()},
                                   {"outcome", name_of(result)},
                                   {"bytes", append_.body.size()},
                                   {"request", id_.view()}});
        site_->arrived(append_.received_at, key);
        return plain(200, text_of(status));
    }
    auto made = plain(503, text_of(status));
    made.extra = service_.retry_after_;
    made.close = status == append_status::stopped;
    return refuse(result, made);
}

void webhook_handler::answered()
{
    if (status_ == append_status::stored || status_ == append_status::duplicate)
        service_.meters_.ack_seconds.observe(
            std::chrono::duration<double>(monotonic::now() - began_).count());
}

answer webhook_handler::refuse(refusal reason, std::string_view extra)
{
    service_.meters_.refused[static_cast<std::size_t>(reason)].add();
    auto made = answer_to(reason);
    made.extra = extra;
    return name_refused(name_of(reason), made);
}

answer webhook_handler::refuse(webhook_result result, answer made)
{
    site_->count(result);
    return name_refused(name_of(result), made);
}

/// The line of a request that was not served, by whose name the operator finds it: it is in the answer too.
/// Many at once are in the log only in part, each line with how many there were since the one before.
answer webhook_handler::name_refused(std::string_view reason, answer made)
{
    headers_.assign(made.extra).append("X-Request-Id: ").append(name()).append("\r\n");
    made.extra = headers_;
    const auto times =
        site_ == nullptr ? service_.strangers_.count(monotonic::now()) : site_->count_refused();
    log::write(times ? log::level::info : log::level::debug, "request refused",
               {{"request", name()},
                {"status", made.status},
                {"reason", reason},
                {"site", site_ == nullptr ? std::string_view() : std::string_view(site_->name())},
                {"times", times.value_or(0)}});
    return made;
}

std::string_view webhook_handler::name()
{
    if (id_.empty())
        service_.ids_.name(id_);
    return id_.view();
}

answer webhook_handler::report_health()
{
    const auto word = service_.health();
    health_.assign(word).append("\n");
    auto made = plain(word == "ok" ? 200 : 503, health_);
    if (made.status != 200)
        made.extra = service_.retry_after_;
    return made;
}

webhook_meters::webhook_meters(metrics::registry& from)
    : connections(from.make_gauge("connections", "Open connections."))
    , connections_total(from.make_counter("connections_total", "Connections accepted."))
    , handshake_failures(from.make_counter("tls_handshake_failures_total", "TLS handshakes that failed."))
    , ack_seconds(from.make_histogram("ack_seconds",
                                      "From the arrival of a webhook's head to its 200 being sent.",
                                      metrics::duration_buckets()))
{
    for (const auto reason : all_refusals)
        refused.push_back(from.make_counter("http_refused_total", "Requests refused, by reason.",
                                            {{"reason", std::string(name_of(reason))}}));
    for (const auto reason : introduction_failures)
        introduction.push_back(from.make_counter(
            "proxy_header_errors_total", "Connections of trusted proxies without a PROXY header, by reason.",
            {{"reason", std::string(name_of(reason))}}));
}

webhook_service::webhook_service(const options& with, proxy_list proxies, journal::log& inbox,
                                 quarantine::store& apart, metrics::registry& instruments, clock_fn clock)
    : proxies_(std::move(proxies))
    , proxy_protocol_(with.proxy_protocol)
    , retry_after_("Retry-After: " + std::to_string(with.retry_after.count()) + "\r\n")
    , inbox_(inbox)
    , apart_(apart)
    , clock_(std::move(clock))
    , meters_(instruments)
{}

bool webhook_service::is_introduced(const origin& from) const
{
    return proxy_protocol_ && !from.local && proxies_.trusts(from.address);
}

void webhook_service::introduction_failed(const origin& from, introduction_failure reason)
{
    meters_.introduction[static_cast<std::size_t>(reason)].add();
    if (const auto times = introductions_.count(monotonic::now()))
        log::warning(
            "a trusted proxy did not begin its connection with a PROXY header; is it set up to send one?",
            {{"proxy", to_text(from.address)}, {"reason", name_of(reason)}, {"times", *times}});
}

std::unique_ptr<request_handler> webhook_service::make_handler(io_thread& on, const origin& from)
{
    return std::make_unique<webhook_handler>(*this, on.index, from);
}

tls_context webhook_service::current_tls()
{
    return current_.with([](const credentials& c) { return c.tls; });
}

void webhook_service::connection_opened()
{
    meters_.connections.add(1);
    meters_.connections_total.add();
}

void webhook_service::adopt(credentials next)
{
    current_.with([&next](credentials& c) { std::swap(c, next); });
}

std::shared_ptr<const site_table> webhook_service::sites()
{
    return current_.with([](const credentials& c) { return c.sites; });
}

std::string_view webhook_service::health() const noexcept
{
    if (draining_)
        return "draining";
    switch (inbox_.health()) {
    case append_status::stored:
    case append_status::duplicate:
        return "ok";
    case append_status::queue_full:
        return "full";
    case append_status::disk_full:
        return "disk";
    case append_status::stopped:
        return "stopped";
    }
    return "stopped";
}

} // namespace chargifyd::ingress
