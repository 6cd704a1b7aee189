#pragma once

#include "ingress/address.hpp"
#include "ingress/append.hpp"
#include "ingress/http_server.hpp"
#include "ingress/request_id.hpp"
#include "ingress/sites.hpp"

#include "chargifyd/base/guarded.hpp"
#include "chargifyd/ingress/webhook_server.hpp"

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace chargifyd::ingress {

/// The instruments of a webhook server that belong to no site.
struct webhook_meters {
    explicit webhook_meters(metrics::registry& from);

    metrics::gauge connections;
    metrics::counter connections_total;
    metrics::counter handshake_failures;
    metrics::histogram ack_seconds;
    std::vector<metrics::counter> refused;      ///< by refusal
    std::vector<metrics::counter> introduction; ///< by introduction_failure
};

/// What certificates and keys are in force; replaced as a whole.
struct credentials {
    tls_context tls; ///< empty without HTTPS
    std::shared_ptr<const site_table> sites;
};

/// What the webhook server does with connections and requests, apart from HTTP itself. Any of its threads.
class webhook_service final : public application {
public:
    webhook_service(const options& with, proxy_list proxies, journal::log& inbox, quarantine::store& apart,
                    metrics::registry& instruments, clock_fn clock);

    bool is_introduced(const origin& from) const override;
    void introduction_failed(const origin& from, introduction_failure reason) override;
    std::unique_ptr<request_handler> make_handler(io_thread& on, const origin& from) override;
    tls_context current_tls() override;
    void connection_opened() override;
    void connection_closed() override { meters_.connections.add(-1); }

    void adopt(credentials next);
    std::shared_ptr<const site_table> sites();
    /// Before connections are accepted: where completions of the journal and of the quarantine are handed
    /// over.
    void use(completion_desk& desk, completion_desk& apart_desk) noexcept
    {
        desk_ = &desk;
        apart_desk_ = &apart_desk;
    }
    void begin_draining() noexcept { draining_ = true; }
    bool draining() const noexcept { return draining_; }
    std::string_view health() const noexcept;

private:
    friend class webhook_handler;

    const proxy_list proxies_;
    const bool proxy_protocol_;
    const std::string retry_after_; ///< the header line
    journal::log& inbox_;
    quarantine::store& apart_;
    const clock_fn clock_;
    webhook_meters meters_;
    rate_limited introductions_;
    rate_limited strangers_{20}; ///< lines about requests that concern no site
    request_id_source ids_;
    completion_desk* desk_ = nullptr;
    completion_desk* apart_desk_ = nullptr;
    guarded<credentials> current_;
    std::atomic<bool> draining_{false};
};

} // namespace chargifyd::ingress
