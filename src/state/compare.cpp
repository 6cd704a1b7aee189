#include "chargifyd/chargify/states.hpp"
#include "chargifyd/chargify/timestamp.hpp"
#include "chargifyd/state/projection.hpp"

#include <algorithm>
#include <chrono>

namespace chargifyd::state {

namespace {

std::optional<std::string> some(const std::string& text)
{
    return text.empty() ? std::nullopt : std::optional(text);
}

bool is_ended(const std::string& state)
{
    const chargify::state_info* const info = chargify::find_state(state);
    return info != nullptr && info->ended;
}

std::string product_name(const subscription_facts& f)
{
    if (!f.product_handle.empty())
        return f.product_handle;
    return f.product_id ? std::to_string(*f.product_id) : std::string();
}

bool is_paid_up(const std::string& state)
{
    return state == "active" || state == "trialing" || state == "paused" || state == "on_hold";
}

/// A trial may rest in these states and go on.
bool can_hold_a_trial(const std::string& state)
{
    return state == "trialing" || state == "on_hold" || state == "paused" || state == "soft_failure";
}

/// Whether one moment lies before the other by more than a day.
bool before_by_a_day(const std::string& a, const std::string& b)
{
    const auto first = chargify::parse_timestamp(a);
    const auto second = chargify::parse_timestamp(b);
    return first && second && *first + std::chrono::days(1) < *second;
}

/// Whether a period that begins then belongs to a return to `active` at the other moment.
bool began_with(const std::string& period_started_at, const std::string& recovered_at)
{
    const auto began = chargify::parse_timestamp(period_started_at);
    const auto recovered = chargify::parse_timestamp(recovered_at);
    return began && recovered && *began <= *recovered + std::chrono::hours(1);
}

/// Collects the changes between two neighbours.
class comparison {
public:
    comparison(const subscription_facts& before, const seen_before& seen, const subscription_facts& after,
               std::vector<change>& out)
        : before_(before)
        , seen_(seen)
        , after_(after)
        , out_(out)
        , reactivated_(is_ended(before.state) && !is_ended(after.state))
    {}

    void run()
    {
        compare_state();
        compare_product();
        compare_period();
        compare_cancellation();
        if (before_.expires_at != after_.expires_at)
            add("expiration_date", before_.expires_at, after_.expires_at);
        if (before_.customer_id && after_.customer_id && before_.customer_id != after_.customer_id)
            add("customer_change", std::to_string(*before_.customer_id), std::to_string(*after_.customer_id));
    }

private:
    change& add(const char* kind, const std::string& old_value, const std::string& new_value)
    {
        change c;
        c.kind = kind;
        c.old_value = some(old_value);
        c.new_value = some(new_value);
        c.occurred_at = some(after_.updated_at);
        return out_.emplace_back(std::move(c));
    }

    /// The moment that the payload gives, if it can be that of what changed; else when it was seen changed.
    std::string moment(const std::string& given) const
    {
        return !given.empty() && given <= after_.updated_at ? given : after_.updated_at;
    }

    void compare_state()
    {
        if (before_.state != after_.state) {
            change& c = add("state", before_.state, after_.state);
            if (after_.state == "canceled")
                c.occurred_at = some(moment(after_.canceled_at));
            if (after_.state == "on_hold")
                c.occurred_at = some(moment(after_.on_hold_at));
        }
        if (seen_.in_trial && !can_hold_a_trial(after_.state))
            add("trial_ended", after_.trial_ended_at, after_.state).occurred_at =
                some(moment(after_.trial_ended_at));
        if (after_.state == "trialing" && !seen_.in_trial &&
            (after_.trial_started_at.empty() || after_.trial_started_at != seen_.trial_started_at))
            add("trial_started", "", after_.trial_ended_at).occurred_at =
                some(moment(after_.trial_started_at));
        if (before_.state == after_.state)
            return;
        if (after_.state == "on_hold")
            add("hold", "", after_.resume_at).occurred_at = some(moment(after_.on_hold_at));
        if (before_.state == "on_hold" && !is_ended(after_.state))
            add("resume", before_.resume_at, after_.state);
        if (reactivated_)
            add("reactivation", before_.state, after_.state);
    }

    void compare_product()
    {
        const bool changed = before_.product_id != after_.product_id;
        if (changed) {
            change& c = add("product", product_name(before_), product_name(after_));
            if (before_.product_price && after_.product_price &&
                *before_.product_price != *after_.product_price)
                c.detail = *after_.product_price > *before_.product_price ? "upgrade" : "downgrade";
        }
        const bool took_place = changed && after_.next_product.empty();
        if (before_.next_product != after_.next_product && !took_place)
            add("product_scheduled", before_.next_product, after_.next_product);
    }

    void compare_period()
    {
        const bool began =
            !seen_.period_started_at.empty() && after_.period_started_at > seen_.period_started_at;
        // A change of product may start the period anew before the old one is over.
        const bool cut_short = before_by_a_day(after_.period_started_at, before_.period_ends_at);
        // What comes with a payment that was owed, or with a reactivation, is no renewal of its own.
        const bool recovered = began_with(after_.period_started_at, seen_.recovered_at) || reactivated_;
        if (began && !cut_short && !recovered && after_.state == "active")
            add("renewal", before_.period_ends_at, after_.period_ends_at).occurred_at =
                after_.period_started_at;
        const bool announced =
            !after_.previous_billing_date.empty() && before_.next_assessment_at != after_.next_assessment_at;
        const bool moved = before_.period_started_at == after_.period_started_at &&
                           !before_.period_ends_at.empty() && !after_.period_ends_at.empty() &&
                           before_.period_ends_at != after_.period_ends_at;
        if (announced)
            add("billing_date", after_.previous_billing_date, after_.next_assessment_at);
        else if (moved)
            add("billing_date", before_.period_ends_at, after_.period_ends_at);
    }

    void compare_cancellation()
    {
        const std::string scheduled = is_ended(before_.state) ? std::string() : before_.cancel_at;
        if (after_.state == "canceled") {
            if (before_.state != "canceled") {
                change& c = add("cancellation", scheduled, "canceled");
                c.detail = some(after_.cancellation_method);
                c.occurred_at = some(moment(after_.canceled_at));
            }
        } else if (!is_ended(after_.state) && scheduled != after_.cancel_at) {
            add("cancellation", scheduled, after_.cancel_at.empty() ? "removed" : after_.cancel_at);
        }
    }

    const subscription_facts& before_;
    const seen_before& seen_;
    const subscription_facts& after_;
    std::vector<change>& out_;
    const bool reactivated_;
};

void describe_beginning(const subscription_facts& first, std::vector<change>& out)
{
    change created;
    created.kind = "created";
    created.new_value = some(first.state);
    created.occurred_at = some(first.created_at);
    created.detail = some(product_name(first));
    out.push_back(std::move(created));
    if (first.state != "trialing")
        return;
    change trial;
    trial.kind = "trial_started";
    trial.new_value = some(first.trial_ended_at);
    trial.occurred_at = some(first.trial_started_at.empty() ? first.created_at : first.trial_started_at);
    out.push_back(std::move(trial));
}

} // namespace

bool change::same_fact(const change& other) const
{
    return kind == other.kind && subscription_id == other.subscription_id &&
           customer_id == other.customer_id && object_id == other.object_id && old_value == other.old_value &&
           new_value == other.new_value && amount_in_cents == other.amount_in_cents &&
           detail == other.detail && occurred_at == other.occurred_at;
}

std::vector<change> compare(const subscription_facts* before, const seen_before& seen,
                            const subscription_facts& after)
{
    std::vector<change> out;
    if (before == nullptr)
        describe_beginning(after, out);
    else
        comparison(*before, seen, after, out).run();
    for (change& c : out)
        c.customer_id = after.customer_id;
    return out;
}

seen_before advance(seen_before seen, const subscription_facts* before, const subscription_facts& after)
{
    seen.period_started_at = std::max(seen.period_started_at, after.period_started_at);
    if (before != nullptr && after.state == "active" && !is_paid_up(before->state))
        seen.recovered_at = after.updated_at;
    if (after.state == "trialing") {
        seen.in_trial = true;
        seen.trial_started_at = after.trial_started_at;
    } else if (!can_hold_a_trial(after.state)) {
        seen.in_trial = false;
    }
    return seen;
}

} // namespace chargifyd::state
