#include "chargifyd/chargify/states.hpp"
#include "chargifyd/state/projection.hpp"

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

/// Collects the changes between two neighbours.
class comparison {
public:
    comparison(const subscription_facts& before, const subscription_facts& after, std::vector<change>& out)
        : before_(before)
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

    void compare_state()
    {
        if (before_.state == after_.state)
            return;
        add("state", before_.state, after_.state);
        if (before_.state == "trialing") {
            change& c = add("trial_ended", before_.trial_ended_at, after_.state);
            // A trial can be cut short: it ended at the latest when its subscription was seen without it.
            if (!after_.trial_ended_at.empty() && after_.trial_ended_at < after_.updated_at)
                c.occurred_at = after_.trial_ended_at;
        }
        if (after_.state == "trialing")
            add("trial_started", "", after_.trial_ended_at);
        if (after_.state == "on_hold")
            add("hold", "", after_.resume_at);
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
            !before_.period_started_at.empty() && after_.period_started_at > before_.period_started_at;
        // A change of product may start the period anew before the old one is over.
        const bool cut_short =
            before_.product_id != after_.product_id && after_.period_started_at < before_.period_ends_at;
        if (began && !cut_short && !reactivated_ && after_.state == "active") {
            add("renewal", before_.period_ends_at, after_.period_ends_at).occurred_at =
                after_.period_started_at;
        }
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
        if (after_.state == "canceled") {
            if (before_.state != "canceled")
                add("cancellation", before_.cancel_at, "canceled").detail = some(after_.cancellation_method);
        } else if (before_.cancel_at != after_.cancel_at && before_.state != "canceled") {
            add("cancellation", before_.cancel_at, after_.cancel_at.empty() ? "removed" : after_.cancel_at);
        }
    }

    const subscription_facts& before_;
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

std::vector<change> compare(const subscription_facts* before, const subscription_facts& after)
{
    std::vector<change> out;
    if (before == nullptr)
        describe_beginning(after, out);
    else
        comparison(*before, after, out).run();
    for (change& c : out)
        c.customer_id = after.customer_id;
    return out;
}

} // namespace chargifyd::state
