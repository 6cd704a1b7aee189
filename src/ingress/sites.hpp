#pragma once

#include "chargifyd/base/guarded.hpp"
#include "chargifyd/base/metrics.hpp"
#include "chargifyd/ingress/webhook_server.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chargifyd::ingress {

/// What became of a webhook for a site that is known. The values of the metric's label.
enum class webhook_result {
    stored,
    duplicate,
    bad_signature,
    missing_signature,
    quarantined,
    queue_full,
    disk_full,
    stopped
};
inline constexpr std::size_t webhook_results = 8;
std::string_view name_of(webhook_result result) noexcept;

/// Says that something happened: at once, but no more than `most` times in ten seconds; then with how often
/// meanwhile. Any thread.
class rate_limited {
public:
    explicit rate_limited(unsigned most = 1) noexcept
        : most_(most)
    {}
    /// The number of occurrences to report now, or nothing.
    std::optional<std::uint64_t> count(std::chrono::steady_clock::time_point now);

private:
    struct state {
        std::optional<std::chrono::steady_clock::time_point> since; ///< when the first of `reports` was
        unsigned reports = 0;
        std::uint64_t unreported = 0;
    };
    const unsigned most_;
    guarded<state> state_;
};

/// A configured site with its instruments. Immutable apart from what counts; any thread.
class known_site {
public:
    known_site(site configured, metrics::registry& instruments);

    const std::string& name() const noexcept { return site_.name; }
    /// The place of the key that signed the body.
    std::optional<std::size_t> match(std::string_view body, const digest256& given) const
    {
        return site_.keys.match(body, given);
    }

    /// Whether webhooks that do not verify are kept apart.
    bool quarantines() const noexcept { return site_.quarantines; }
    void count(webhook_result result) const;
    /// Tells the operator about a webhook without a signature. `request` names it.
    void report_missing(std::string_view request) const;
    /// Tells the operator about a signature that does not match: the first one with what seems to be wrong.
    void report_mismatch(std::string_view body, const digest256& given, std::string_view request) const;
    /// The number of refused requests to report now, or nothing.
    std::optional<std::uint64_t> count_refused() const
    {
        return refused_->count(std::chrono::steady_clock::now());
    }
    /// A webhook that the key at that place signed was taken.
    void arrived(timestamp at, std::size_t key) const noexcept;

private:
    site site_;
    std::vector<metrics::counter> results_;
    metrics::gauge last_arrival_;
    std::vector<metrics::gauge> keys_used_;
    std::unique_ptr<rate_limited> bad_;
    std::unique_ptr<std::atomic_flag> explained_ = std::make_unique<std::atomic_flag>();
    std::unique_ptr<rate_limited> missing_;
    std::unique_ptr<rate_limited> refused_;
};

/// The sites of one configuration. Requests under way keep the table they began with.
class site_table {
public:
    /// errc::invalid: a name twice, or a name that cannot stand in a path.
    static result<std::shared_ptr<const site_table>> make(std::vector<site> sites,
                                                          metrics::registry& instruments);

    const known_site* find(std::string_view name) const noexcept;
    /// The site, while there is exactly one.
    const known_site* only() const noexcept { return sites_.size() == 1 ? &sites_.begin()->second : nullptr; }

private:
    std::map<std::string, known_site, std::less<>> sites_;
};

} // namespace chargifyd::ingress
