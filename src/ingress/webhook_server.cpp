#include "chargifyd/ingress/webhook_server.hpp"

#include "ingress/webhook_service.hpp"

#include "chargifyd/base/log.hpp"

#include <algorithm>
#include <atomic>
#include <utility>

namespace chargifyd::ingress {
namespace {

server_limits limits_of(const options& with)
{
    server_limits limits;
    limits.session.gate.max_header_fields = with.max_header_fields;
    limits.session.gate.max_body_bytes = with.max_body_bytes;
    limits.session.max_header_bytes = with.max_header_bytes;
    limits.session.handshake_timeout = with.handshake_timeout;
    limits.session.header_timeout = with.header_timeout;
    limits.session.body_timeout = with.body_timeout;
    limits.session.idle_timeout = with.idle_timeout;
    limits.session.write_timeout = with.write_timeout;
    limits.max_connections = with.max_connections;
    return limits;
}

std::size_t thread_count(unsigned wanted)
{
    return wanted > 0 ? wanted : std::max(1U, std::thread::hardware_concurrency());
}

std::vector<net::io_context*> contexts_of(http_server& server)
{
    std::vector<net::io_context*> contexts;
    for (std::size_t i = 0; i < server.threads(); ++i)
        contexts.push_back(&server.thread(i).context);
    return contexts;
}

} // namespace

struct webhook_server::implementation {
    implementation(const options& given, proxy_list proxies, journal::log& inbox, quarantine::store& apart,
                   metrics::registry& registry, clock_fn now)
        : with(given)
        , instruments(registry)
        , clock(now)
        , service(given, std::move(proxies), inbox, apart, registry, std::move(now))
        , server("webhook", thread_count(given.threads), limits_of(given), service)
        , desk(std::make_shared<completion_desk>(contexts_of(server)))
        , apart_desk(std::make_shared<completion_desk>(contexts_of(server)))
    {
        service.use(*desk, *apart_desk);
        inbox.on_batch([shared = desk] { shared->batch_over(); });
        apart.on_batch([shared = apart_desk] { shared->batch_over(); });
    }
    ~implementation()
    {
        server.drain(std::chrono::milliseconds(0));
        desk->close();
        apart_desk->close();
    }

    result<void> adopt(const tls_files& tls, std::vector<site> sites);
    void watch_expiry(const tls_context& tls);
    void warn_of_expiry() const;
    result<void> listen();

    const options with;
    metrics::registry& instruments;
    const clock_fn clock;
    webhook_service service;
    http_server server;
    std::shared_ptr<completion_desk> desk;
    std::shared_ptr<completion_desk> apart_desk; ///< of the quarantine
    std::vector<std::string> https;
    std::vector<std::string> http;
    std::atomic<timestamp> expiry{timestamp::max()}; ///< of the certificate
};

void webhook_server::implementation::watch_expiry(const tls_context& tls)
{
    const auto at = expiry_of(tls);
    if (!at)
        return;
    expiry = *at;
    instruments
        .make_gauge("certificate_expiry_timestamp_seconds",
                    "When the server's certificate expires, in Unix time.")
        .set(std::chrono::duration<double>(at->time_since_epoch()).count());
    warn_of_expiry();
}

void webhook_server::implementation::warn_of_expiry() const
{
    constexpr std::chrono::days soon{14};
    const timestamp at = expiry;
    if (at - clock() < soon)
        log::warning("the certificate expires soon, or has expired; put a new one in its place, then reload",
                     {{"expires_at", format_utc(at)}});
}

result<void> webhook_server::implementation::adopt(const tls_files& tls, std::vector<site> sites)
{
    credentials next;
    if (!with.https.empty() || !with.https_sockets.empty()) {
        auto loaded = load_tls(tls, clock());
        if (!loaded)
            return loaded.error();
        next.tls = std::move(*loaded);
        watch_expiry(next.tls);
    }
    auto table = site_table::make(std::move(sites), instruments);
    if (!table)
        return table.error();
    next.sites = std::move(*table);
    service.adopt(std::move(next));
    return {};
}

result<void> webhook_server::implementation::listen()
{
    const auto listen_all = [this](const std::vector<int>& sockets, const std::vector<std::string>& addresses,
                                   bool secure, std::vector<std::string>& bound) -> result<void> {
        for (const int socket : sockets) {
            auto got = server.listen_on(socket, secure);
            if (!got)
                return got.error();
            bound.push_back(std::move(*got));
        }
        for (const auto& address : addresses) {
            if (!sockets.empty())
                break;
            auto got = server.listen(address, secure);
            if (!got)
                return got.error();
            bound.push_back(std::move(*got));
        }
        return {};
    };
    if (auto done = listen_all(with.https_sockets, with.https, true, https); !done)
        return done;
    return listen_all(with.http_sockets, with.http, false, http);
}

webhook_server::webhook_server(std::unique_ptr<implementation> impl) noexcept
    : impl_(std::move(impl))
{}

webhook_server::~webhook_server() = default;

result<std::unique_ptr<webhook_server>> webhook_server::open(const options& with, std::vector<site> sites,
                                                             journal::log& inbox, quarantine::store& apart,
                                                             metrics::registry& instruments, clock_fn clock)
{
    auto proxies = proxy_list::parse(with.trusted_proxies);
    if (!proxies)
        return proxies.error();
    auto impl = std::make_unique<implementation>(with, std::move(*proxies), inbox, apart, instruments,
                                                 std::move(clock));
    if (auto adopted = impl->adopt(with.tls, std::move(sites)); !adopted)
        return adopted.error();
    if (auto bound = impl->listen(); !bound)
        return bound.error();
    return std::unique_ptr<webhook_server>(new webhook_server(std::move(impl)));
}

bool webhook_server::verifies(std::string_view site, std::string_view body, const digest256& given) const
{
    const auto sites = impl_->service.sites();
    const known_site* const known = sites->find(site);
    return known != nullptr && known->match(body, given);
}

void webhook_server::start()
{
    impl_->server.start();
}

result<void> webhook_server::reload(const tls_files& tls, std::vector<site> sites)
{
    return impl_->adopt(tls, std::move(sites));
}

void webhook_server::drain(std::chrono::milliseconds grace)
{
    impl_->service.begin_draining();
    impl_->server.drain(grace);
}

std::string_view webhook_server::health() const noexcept
{
    return impl_->service.health();
}

std::vector<std::string> webhook_server::https_addresses() const
{
    return impl_->https;
}

std::vector<std::string> webhook_server::http_addresses() const
{
    return impl_->http;
}

void webhook_server::warn_of_expiry() const
{
    impl_->warn_of_expiry();
}

std::chrono::steady_clock::duration webhook_server::stalled()
{
    return impl_->server.stalled();
}

std::size_t webhook_server::connections() const noexcept
{
    return impl_->server.connections();
}

} // namespace chargifyd::ingress
