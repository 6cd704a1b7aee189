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

    std::optional<answer> judge(const request_head& head) override;
    task<answer> handle(std::string_view body) override;
    void answered() override;
    void refused(refusal reason) override
    {
        service_.meters_.refused[static_cast<std::size_t>(reason)].add();
    }
    void handshake_failed() override { service_.meters_.handshake_failures.add(); }

private:
    answer refuse(refusal reason, std::string_view extra = {});
    answer report_health();
    std::optional<answer> judge_webhook(const request_head& head);
    answer answer_for(append_status status, std::size_t key) const;
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
    std::string health_;
    append_status status_ = append_status::stopped;
};

std::optional<answer> webhook_handler::judge(const request_head& head)
{
    began_ = monotonic::now();
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
        site_ = nullptr;
        break;
    }
    if (site_ == nullptr)
        return refuse(refusal::not_found);
    if (head.method != "POST")
        return refuse(refusal::method, "Allow: POST\r\n");
    return judge_webhook(head);
}

std::optional<answer> webhook_handler::judge_webhook(const request_head& head)
{
    const auto given = find_signature(head);
    if (!given.value) {
        site_->count(given.present ? webhook_result::bad_signature : webhook_result::missing_signature);
        return unauthorized();
    }
    append_.fingerprint = *given.value;
    append_.peer = peer_text_;
    if (!head.forwarded_for.empty() && service_.proxies_.trusts(peer_)) {
        sender_ = to_text(service_.proxies_.sender(peer_, head.forwarded_for));
        append_.peer = sender_;
    }
    return std::nullopt;
}

task<answer> webhook_handler::handle(std::string_view body)
{
    append_.site = site_->name();
    append_.body = body;
    append_.received_at = service_.clock_();
    const auto key = site_->match(body, append_.fingerprint);
    if (!key) {
        status_ = append_status::stopped;
        site_->report_mismatch(body, append_.fingerprint);
        if (site_->quarantines())
            co_return co_await keep_apart(body);
        site_->count(webhook_result::bad_signature);
        co_return unauthorized();
    }
    status_ = co_await append_.store(service_.inbox_, *service_.desk_);
    site_->count(result_of(status_));
    log::debug("webhook", {{"site", site_->name()},
                           {"bytes", body.size()},
                           {"outcome", status_ == append_status::stored      ? "stored"
                                       : status_ == append_status::duplicate ? "duplicate"
                                                                             : "refused"}});
    co_return answer_for(status_, *key);
}

/// 200 once it is kept; when there is no room, or no room left for this sender, as if nothing were kept.
task<answer> webhook_handler::keep_apart(std::string_view body)
{
    const auto kept = co_await append_.keep(service_.apart_, *service_.apart_desk_);
    if (kept == append_status::stored) {
        site_->count(webhook_result::quarantined);
        log::debug("webhook", {{"site", site_->name()}, {"bytes", body.size()}, {"outcome", "quarantined"}});
        co_return plain(200, "ok\n");
    }
    site_->count(webhook_result::bad_signature);
    co_return unauthorized();
}

answer webhook_handler::answer_for(append_status status, std::size_t key) const
{
    if (status == append_status::stored || status == append_status::duplicate) {
        site_->arrived(append_.received_at, key);
        return plain(200, text_of(status));
    }
    auto made = plain(503, text_of(status));
    made.extra = service_.retry_after_;
    made.close = status == append_status::stopped;
    return made;
}

void webhook_handler::answered()
{
    if (status_ == append_status::stored || status_ == append_status::duplicate)
        service_.meters_.ack_seconds.observe(
            std::chrono::duration<double>(monotonic::now() - began_).count());
}

answer webhook_handler::refuse(refusal reason, std::string_view extra)
{
    refused(reason);
    auto made = answer_to(reason);
    made.extra = extra;
    return made;
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
