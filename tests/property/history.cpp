#include "history.hpp"

#include "webhook_body.hpp"

#include "chargifyd/base/time.hpp"

#include <algorithm>

namespace chargifyd::test {

namespace {

using pair_list = std::vector<std::pair<std::string, std::string>>;

void append(pair_list& to, const pair_list& more)
{
    to.insert(to.end(), more.begin(), more.end());
}

} // namespace

history::history(std::uint64_t seed)
    : random_(seed)
{
    const std::int64_t count = 1 + pick(3);
    for (std::int64_t i = 0; i < count; ++i) {
        subscription s;
        s.id = 100 + i;
        s.customer = 7 + pick(2);
        subscriptions_.push_back(s);
    }
    has_event_ids_ = !chance(15);
    const std::int64_t steps = 4 + pick(24);
    for (std::int64_t i = 0; i < steps; ++i)
        step();
}

std::string history::time(std::int64_t seconds) const
{
    return format_utc(std::chrono::sys_seconds(std::chrono::seconds(seconds)));
}

void history::emit(const std::string& event, const pairs& payload)
{
    pairs all = {{"id", std::to_string(next_webhook_)}, {"event", event}};
    append(all, payload);
    // Bodies of before May 2016 have none; a site's history can have both.
    std::int64_t event_id = 0;
    if ((has_event_ids_ || webhooks_.size() > 10) && !chance(8)) {
        event_id = next_event_++;
        all.emplace_back("payload[event_id]", std::to_string(event_id));
    }
    webhooks_.push_back({next_webhook_, event_id, form_body(all)});
    next_webhook_ += 1 + pick(3);
}

history::made_webhook history::told_again(std::size_t which, std::int64_t new_id) const
{
    made_webhook again = webhooks_[which];
    const std::string head = "id=" + std::to_string(again.id) + "&";
    again.body = "id=" + std::to_string(new_id) + "&" + again.body.substr(head.size());
    again.id = new_id;
    return again;
}

void history::move(subscription& s)
{
    static const char* const states[] = {"active",   "past_due",  "canceled", "on_hold",
                                         "trialing", "assessing", "unpaid"};
    if (chance(40))
        s.state = states[pick(7)];
    if (chance(20))
        s.product = 1 + pick(3);
    if (chance(30))
        ++s.period;
    if (chance(10))
        s.period_length = 20 + 10 * pick(3);
    if (chance(15))
        s.cancel_at_end = !s.cancel_at_end;
    if (chance(15))
        s.card = 1 + pick(3);
    if (chance(10))
        s.customer = 7 + pick(2);
}

history::pairs history::customer(const subscription& s, const std::string& at, bool whole)
{
    const std::string c = at + "[customer]";
    pairs p = {{c + "[id]", std::to_string(s.customer)},
               {c + "[first_name]", std::string(1, static_cast<char>('A' + pick(3)))}};
    if (chance(50))
        p.emplace_back(c + "[phone]", chance(50) ? "" : std::to_string(pick(3)));
    if (whole) {
        p.emplace_back(c + "[created_at]", time(1'779'000'000));
        p.emplace_back(c + "[updated_at]", time(now_ - pick(3)));
    }
    return p;
}

history::pairs history::full(const subscription& s)
{
    const std::string b = "payload[subscription]";
    const std::int64_t start = 1'779'000'000 + s.period * 2'592'000;
    // A snapshot can be of the middle of a transaction, with dates that are about to change.
    const std::int64_t seen_start = chance(10) ? start - 2'592'000 : start;
    pairs p = {
        {b + "[id]", std::to_string(s.id)},
        {b + "[state]", s.state},
        {b + "[previous_state]", "active"},
        {b + "[created_at]", time(1'779'000'000)},
        {b + "[updated_at]", time(now_)},
        {b + "[balance_in_cents]", std::to_string(pick(3) * 100)},
        {b + "[current_period_started_at]", time(seen_start)},
        {b + "[current_period_ends_at]", time(seen_start + s.period_length * 86'400)},
        {b + "[next_assessment_at]", time(start + s.period_length * 86'400)},
        {b + "[cancel_at_end_of_period]", s.cancel_at_end ? "true"
                                          : chance(50)    ? "false"
                                                          : ""},
        {b + "[product][id]", std::to_string(s.product)},
        {b + "[product][handle]", "plan-" + std::to_string(s.product)},
        {b + "[product][price_in_cents]", std::to_string(s.product * 1000)},
        {b + "[product][created_at]", time(1'770'000'000)},
        {b + "[product][updated_at]", time(1'770'000'000 + pick(3))},
        {b + "[credit_card][id]", std::to_string(s.card)},
        {b + "[credit_card][customer_id]", std::to_string(s.customer)},
        {b + "[credit_card][current_vault]", "bogus"},
        {b + "[credit_card][masked_card_number]", "XXXX-XXXX-XXXX-111" + std::to_string(pick(3))},
    };
    append(p, customer(s, b, true));
    if (chance(20)) {
        p.emplace_back(b + "[group][uid]", "grp_1");
        p.emplace_back(b + "[group][scheme]", chance(50) ? "a" : "b");
    }
    if (chance(10))
        p.emplace_back(b + "[extra]", std::to_string(pick(3)));
    return p;
}

history::pairs history::partial(const subscription& s)
{
    const std::string b = "payload[subscription]";
    pairs p = {{b + "[id]", std::to_string(s.id)}, {b + "[state]", s.state}};
    if (chance(50))
        p.emplace_back(b + "[balance_in_cents]", chance(30) ? "" : std::to_string(pick(3) * 100));
    if (chance(50))
        append(p, customer(s, "payload", false));
    if (chance(30)) {
        p.emplace_back("payload[product][id]", std::to_string(s.product));
        p.emplace_back("payload[product][name]", std::to_string(pick(2)));
    }
    if (chance(30)) {
        p.emplace_back("payload[payment_profile][id]", std::to_string(s.card));
        p.emplace_back("payload[payment_profile][first_name]", std::to_string(pick(2)));
    }
    return p;
}

history::pairs history::transaction(const std::string& at, std::int64_t id)
{
    return {{at + "[id]", std::to_string(id)},
            {at + "[subscription_id]", std::to_string(100 + id % 3)},
            {at + "[customer_id]", "7"},
            {at + "[type]", id % 3 == 0 ? "Charge" : "Payment"},
            {at + "[success]", id % 4 == 0 ? "false" : "true"},
            {at + "[amount_in_cents]", std::to_string(id * 100)},
            {at + "[created_at]", time(1'780'000'000 + id)},
            {at + "[refunded_amount_in_cents]", std::to_string(pick(3) * 100)}};
}

history::pairs history::component(const subscription& s)
{
    const std::string id = std::to_string(40 + pick(2));
    return {{"payload[subscription][id]", std::to_string(s.id)},
            {"payload[component][id]", id},
            {"payload[component][name]", "Seats"},
            {"payload[price_point_id]", std::to_string(pick(3))},
            {"payload[timestamp]", time(now_)}};
}

void history::step()
{
    if (!chance(40)) // several events in one second are common
        now_ += 1 + pick(3);
    subscription& s =
        subscriptions_[static_cast<std::size_t>(pick(static_cast<std::int64_t>(subscriptions_.size())))];
    move(s);
    pairs p;
    switch (pick(17)) {
    case 0:
    case 1:
    case 2:
        return emit("subscription_state_change", full(s));
    case 3:
        p = full(s);
        append(p, transaction("payload[transaction]", next_transaction_++));
        return emit("payment_success", p);
    case 4:
        p = full(s);
        p.emplace_back("payload[subscription][previous_billing_date]", time(now_ - 86'400));
        return emit("billing_date_change", p);
    case 5:
        return emit("upcoming_renewal_notice", partial(s));
    case 6:
        return emit("customer_update", customer(s, "payload", true));
    case 7: {
        p = component(s);
        p.emplace_back("payload[previous_allocation]", std::to_string(s.quantity));
        s.quantity = pick(4);
        p.emplace_back("payload[new_allocation]", std::to_string(s.quantity));
        return emit("component_allocation_change", p);
    }
    case 8: {
        p = component(s);
        p.emplace_back("payload[previous_unit_balance]", std::to_string(s.used));
        s.used += pick(3);
        p.emplace_back("payload[new_unit_balance]", std::to_string(s.used));
        p.emplace_back("payload[usage_quantity]", std::to_string(pick(3)));
        return emit("metered_usage", p);
    }
    case 9: {
        const std::string b = "payload[statement]";
        p = partial(s);
        append(p, {{b + "[id]", std::to_string(1 + pick(3))},
                   {b + "[subscription_id]", std::to_string(s.id)},
                   {b + "[created_at]", time(1'779'000'000)},
                   {b + "[updated_at]", time(now_ - pick(2))},
                   {b + "[memo]", std::to_string(pick(3))}});
        const std::int64_t first = std::max<std::int64_t>(1, next_transaction_ - 2);
        for (std::int64_t i = 0; i < 2; ++i)
            append(p, transaction(b + "[transactions][" + std::to_string(i) + "]", first + i));
        return emit("statement_settled", p);
    }
    case 10:
        return emit("refund_success", {{"payload[refund_id]", std::to_string(900 + pick(3))},
                                       {"payload[amount_in_cents]", "100"},
                                       {"payload[subscription_id]", "100"},
                                       {"payload[customer_id]", "7"},
                                       {"payload[memo]", std::to_string(pick(3))},
                                       {"payload[timestamp]", time(1'780'000'000)}});
    case 11:
        return emit("custom_field_value_change",
                    {{"payload[metafield][resource_type]", "Subscription"},
                     {"payload[metafield][resource_id]", std::to_string(s.id)},
                     {"payload[metafield][metafield_name]", "size"},
                     {"payload[metafield][event_type]", "updated"},
                     {"payload[metafield][old_value]", "nil"},
                     {"payload[metafield][new_value]", std::to_string(pick(3))}});
    case 12:
        p = full(s);
        append(p, {{"payload[dunner][state]", "active"},
                   {"payload[dunner][created_at]", time(1'780'000'000)},
                   {"payload[dunner][attempts]", std::to_string(pick(3))},
                   {"payload[current_step][day_threshold]", std::to_string(pick(3))},
                   {"payload[current_step][action]", "retry"}});
        return emit("dunning_step_reached", p);
    case 13: {
        const std::string u = "payload[updated_payment_profile]";
        p = partial(s);
        s.card = 1 + pick(3);
        append(p, {{u + "[id]", std::to_string(s.card)},
                   {u + "[card_type]", chance(50) ? "visa" : "master"},
                   {u + "[masked_card_number]", "XXXX-XXXX-XXXX-222" + std::to_string(pick(3))},
                   {"payload[previous_payment_profile][id]", "1"},
                   {"payload[previous_payment_profile][card_type]", "visa"}});
        return emit("subscription_card_update", p);
    }
    case 14:
        return emit("item_price_point_changed",
                    {{"payload[subscription_id]", std::to_string(s.id)},
                     {"payload[item_id]", std::to_string(40 + pick(2))},
                     {"payload[item_type]", chance(50) ? "MeteredComponent" : "Product"},
                     {"payload[current_price_point][id]", std::to_string(pick(3))},
                     {"payload[current_price_point][handle]", std::to_string(pick(3))}});
    case 15:
        return emit("subscription_prepayment_account_balance_changed",
                    {{"payload[subscription][id]", std::to_string(s.id)},
                     {"payload[prepayment_account_balance_in_cents]", std::to_string(pick(3) * 100)},
                     {"payload[reason]", std::to_string(pick(2))}});
    default:
        return emit("invoice_issued", {{"payload[invoice][uid]", "inv_" + std::to_string(pick(2))},
                                       {"payload[invoice][subscription_id]", std::to_string(s.id)},
                                       {"payload[invoice][total_amount]", "10.0"},
                                       {"payload[invoice][memo]", std::to_string(pick(3))}});
    }
}

} // namespace chargifyd::test
