#include "load_body.hpp"

#include "payload.hpp"

#include "chargifyd/chargify/events.hpp"
#include "chargifyd/simulate/storm.hpp"

#include <algorithm>
#include <limits>
#include <optional>

namespace chargifyd::simulate {

namespace {

using namespace std::chrono;
using index = body_numbers::index;

constexpr sys_seconds load_begins = sys_days(2026y / January / 1);
constexpr std::uint64_t largest_number = std::uint64_t{1} << 62;
constexpr std::int64_t longest_rise = 8'000'000'000; // seconds; years of four digits for as long

/// Ten and more digits for what is unique in Chargify, eight for the objects of a site; those of lives and
/// single events are elsewhere, and those of each mix apart.
body_numbers numbers_of(std::uint64_t lot, std::uint64_t n, std::uint64_t action, std::uint64_t member)
{
    const auto apart = static_cast<std::int64_t>(lot);
    const auto number = static_cast<std::int64_t>(n % largest_number) + apart * 1'000'000'000'000;
    const auto deed = static_cast<std::int64_t>(action % largest_number) + apart * 1'000'000'000'000;
    const auto owner = static_cast<std::int64_t>(member) + apart * 1'000'000'000;
    body_numbers out;
    out.ids[index::webhook] = 10'000'000'000 + number;
    out.ids[index::event] = 20'000'000'000 + number;
    out.ids[index::payment] = 30'000'000'000 + deed;
    out.ids[index::charge] = 60'000'000'000 + deed;
    out.ids[index::statement] = 40'000'000'000 + deed;
    out.ids[index::other] = 50'000'000'000 + deed;
    out.ids[index::subscription] = 20'000'000 + owner;
    out.ids[index::customer] = 30'000'000 + owner;
    out.ids[index::profile] = 40'000'000 + owner;
    out.at = load_begins + seconds(static_cast<std::int64_t>(action % largest_number) % longest_rise);
    return out;
}

constexpr std::uint64_t storm_lot = 100;

scene load_scene(const std::string& site, std::string_view key, std::uint64_t seed)
{
    scene_options with;
    with.seed = seed;
    with.site = site;
    with.at = load_begins + 15h;
    scene s = invented_scene(key, with);
    if (seed == 1) // a name that is seen to be a load's
        s.subject.owner.first_name = "Load";
    return s;
}

} // namespace

load_cycle::load_cycle(load_mix mix, const std::string& site, std::size_t bytes)
{
    switch (mix) {
    case load_mix::payments:
        add_payment(site, bytes);
        break;
    case load_mix::renewals:
        add_renewals(site);
        break;
    case load_mix::signups:
        add_signups(site);
        break;
    case load_mix::usage:
        for (const char* key : {"metered_usage", "component_allocation_change", "prepaid_usage",
                                "prepaid_subscription_balance_changed"})
            add_action(site, key, {key});
        break;
    case load_mix::all:
        for (const chargify::event_info& event : chargify::event_catalogue())
            add_action(site, event.key, {event.key});
        break;
    }
}

load_cycle::place load_cycle::place_of(std::uint64_t n) const noexcept
{
    const std::uint64_t cycle = n / steps_.size();
    const std::uint64_t at = n % steps_.size();
    return {at, cycle * actions_ + steps_[at].action};
}

std::uint64_t load_cycle::webhooks_of(std::uint64_t actions) const noexcept
{
    const auto first_of_rest =
        std::ranges::find_if(steps_, [&](const step& s) { return s.action >= actions % actions_; });
    return actions / actions_ * steps_.size() + static_cast<std::uint64_t>(first_of_rest - steps_.begin());
}

webhook load_cycle::fill(std::uint64_t at, const body_numbers& with) const
{
    const marked_body& body = steps_[at].body;
    return {with.ids[index::webhook], body.event(), body.fill(with), with.at};
}

void load_cycle::add_action(const std::string& site, std::string_view scene_key,
                            const std::vector<std::string_view>& events)
{
    const scene of = load_scene(site, scene_key, actions_ + 1);
    for (const std::string_view event : events)
        steps_.push_back({marked_body(event, of), actions_});
    ++actions_;
}

/// Three to six webhooks: paid, with usage, with an invoice, not paid.
void load_cycle::add_renewals(const std::string& site)
{
    add_action(site, "renewal_success", {"renewal_success", "payment_success", "statement_settled"});
    add_action(site, "metered_usage",
               {"metered_usage", "renewal_success", "payment_success", "statement_settled"});
    add_action(site, "renewal_success",
               {"renewal_success", "payment_success", "invoice_issued", "statement_settled",
                "prepaid_subscription_balance_changed"});
    add_action(site, "renewal_failure",
               {"payment_failure", "renewal_failure", "subscription_state_change", "statement_closed",
                "invoice_pending", "dunning_step_reached"});
}

void load_cycle::add_signups(const std::string& site)
{
    for (int i = 0; i < 3; ++i)
        add_action(site, "signup_success",
                   {"customer_create", "signup_success", "payment_success", "subscription_state_change"});
    add_action(site, "signup_failure", {"customer_create", "signup_failure"});
}

void load_cycle::add_payment(const std::string& site, std::size_t bytes)
{
    const scene of = load_scene(site, "payment_success", actions_ + 1);
    steps_.push_back({marked_body("payment_success", of, fit_payment, bytes), actions_});
    ++actions_;
}

webhook load_webhook(const std::string& site, std::uint64_t n, std::uint64_t subscriptions, std::size_t bytes)
{
    return mixed_webhook(load_mix::payments, site, n, subscriptions, bytes);
}

webhook mixed_webhook(load_mix mix, const std::string& site, std::uint64_t n, std::uint64_t subscriptions,
                      std::size_t bytes)
{
    struct kept {
        load_mix mix;
        std::string site;
        std::size_t bytes;
        load_cycle cycle;
    };
    // Senders ask for one kind over and over.
    static thread_local std::optional<kept> last;
    if (!last || last->mix != mix || last->site != site || last->bytes != bytes)
        last.emplace(kept{mix, site, bytes, load_cycle(mix, site, bytes)});
    const auto [step, action] = last->cycle.place_of(n);
    const std::uint64_t member = action % std::max<std::uint64_t>(subscriptions, 1);
    return last->cycle.fill(step, numbers_of(static_cast<std::uint64_t>(mix), n, action, member));
}

renewal_storm::renewal_storm(const std::string& site, std::uint64_t subscriptions, std::uint64_t seed)
    : cycle_(std::make_shared<const load_cycle>(load_mix::renewals, site, 0))
    , subscriptions_(subscriptions)
    , hour_(seed % 1000)
    , size_(cycle_->webhooks_of(subscriptions))
{}

webhook renewal_storm::at(std::uint64_t n) const
{
    const auto [step, member] = cycle_->place_of(n);
    body_numbers with = numbers_of(storm_lot + hour_, n, member, member);
    const body_numbers of_site = numbers_of(storm_lot, 0, 0, member);
    for (const index i : {index::subscription, index::customer, index::profile})
        with.ids[i] = of_site.ids[i];
    with.at =
        load_begins + days(30 * hour_) + seconds(member * 3600 / std::max<std::uint64_t>(subscriptions_, 1));
    return cycle_->fill(step, with);
}

} // namespace chargifyd::simulate
