#include "ingress/sites.hpp"

#include "chargifyd/base/log.hpp"

#include <utility>

namespace chargifyd::ingress {
namespace {

using namespace std::chrono_literals;

constexpr std::array<const char*, webhook_results> result_names = {
    "stored",      "duplicate",  "bad_signature", "missing_signature",
    "quarantined", "queue_full", "disk_full",     "stopped"};

/// The characters of a subdomain, and `_`: what needs no percent-encoding and cannot be a dot segment.
bool can_stand_in_path(std::string_view name) noexcept
{
    return !name.empty() && name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                                   "0123456789-_") == std::string_view::npos;
}

} // namespace

std::string_view name_of(webhook_result result) noexcept
{
    return result_names[static_cast<std::size_t>(result)];
}

std::optional<std::uint64_t> rate_limited::count(std::chrono::steady_clock::time_point now)
{
    return state_.with([now, most = most_](state& s) -> std::optional<std::uint64_t> {
        ++s.unreported;
        if (!s.since || now - *s.since >= 10s) {
            s.since = now;
            s.reports = 0;
        }
        if (s.reports == most)
            return std::nullopt;
        ++s.reports;
        return std::exchange(s.unreported, 0);
    });
}

known_site::known_site(site configured, metrics::registry& instruments)
    : site_(std::move(configured))
    , last_arrival_(instruments.make_gauge("last_webhook_timestamp_seconds",
                                           "When the last genuine webhook arrived, in Unix time.",
                                           {{"site", site_.name}}))
    , bad_(std::make_unique<rate_limited>())
    , missing_(std::make_unique<rate_limited>())
    , refused_(std::make_unique<rate_limited>(20))
{
    for (std::size_t i = 0; i < site_.keys.keys(); ++i)
        keys_used_.push_back(instruments.make_gauge("shared_key_last_used_timestamp_seconds",
                                                    "When a webhook signed with that key of the site (1: the "
                                                    "first in the configuration) was taken last, in Unix "
                                                    "time; 0: not since the start.",
                                                    {{"site", site_.name}, {"key", std::to_string(i + 1)}}));
    for (const char* name : result_names)
        results_.push_back(instruments.make_counter("webhooks_total", "Webhooks by what became of them.",
                                                    {{"site", site_.name}, {"result", name}}));
}

void known_site::count(webhook_result result) const
{
    auto counter = results_[static_cast<std::size_t>(result)];
    counter.add();
}

void known_site::report_missing(std::string_view request) const
{
    if (const auto times = missing_->count(std::chrono::steady_clock::now()))
        log::warning("a webhook without a usable signature; does a proxy remove headers?",
                     {{"site", site_.name}, {"request", request}, {"times", *times}});
}

void known_site::report_mismatch(std::string_view body, const digest256& given,
                                 std::string_view request) const
{
    const auto times = bad_->count(std::chrono::steady_clock::now());
    // Finding the mistake costs some fifty HMACs: once for a site, so that nobody can make us do it at will.
    if (!explained_->test_and_set()) {
        log::error(
            "a webhook's signature does not match: Chargify pauses the endpoint after 26 refusals in a "
            "row",
            {{"site", site_.name},
             {"request", request},
             {"finding", site_.keys.explain_mismatch(body, given)}});
        return;
    }
    if (times)
        log::warning(
            "a webhook's signature does not match; is the shared key this site's? `chargifyctl verify` "
            "names the mistake",
            {{"site", site_.name}, {"request", request}, {"times", *times}});
}

void known_site::arrived(timestamp at, std::size_t key) const noexcept
{
    const double seconds = std::chrono::duration<double>(at.time_since_epoch()).count();
    auto gauge = last_arrival_;
    gauge.set(seconds);
    auto used = keys_used_[key];
    used.set(seconds);
}

result<std::shared_ptr<const site_table>> site_table::make(std::vector<site> sites,
                                                           metrics::registry& instruments)
{
    auto table = std::make_shared<site_table>();
    for (auto& one : sites) {
        const std::string name = one.name;
        if (!can_stand_in_path(name))
            return make_error(errc::invalid, "site \"" + name + "\": letters, digits, - and _ only");
        if (table->sites_.contains(name))
            return make_error(errc::invalid, "site \"" + name + "\" is configured twice");
        table->sites_.emplace(name, known_site(std::move(one), instruments));
    }
    return std::shared_ptr<const site_table>(std::move(table));
}

const known_site* site_table::find(std::string_view name) const noexcept
{
    const auto found = sites_.find(name);
    return found == sites_.end() ? nullptr : &found->second;
}

} // namespace chargifyd::ingress
