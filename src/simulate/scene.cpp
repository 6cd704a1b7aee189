#include "invented.hpp"
#include "payload.hpp"

#include "chargifyd/chargify/events.hpp"
#include "chargifyd/simulate/event.hpp"

#include <algorithm>

namespace chargifyd::simulate {

namespace {

using namespace std::chrono;

/// Where the key stands among all; a key that is not known somewhere behind them.
std::int64_t number_of(std::string_view key)
{
    const auto all = chargify::event_catalogue();
    if (const auto* const found = chargify::find_event(key))
        return found - all.data();
    std::uint64_t sum = 0;
    for (const char c : key)
        sum = sum * 31 + static_cast<unsigned char>(c);
    return static_cast<std::int64_t>(200 + sum % 300);
}

bool is_any(std::string_view key, std::initializer_list<std::string_view> of)
{
    return std::ranges::find(of, key) != of.end();
}

/// An active subscription in the middle of a paid period.
void invent_subscription(scene& s, const scene_options& with, numbers& random)
{
    const auto seed = small_seed(with.seed);
    subscription& sub = s.subject;
    sub.id = given_or(with.subscription_id, 60'000'000 + seed);
    const sys_seconds began = s.at - days(70);
    sub.owner = invented_customer(given_or(with.customer_id, 70'000'000 + seed), began - 1s, random);
    sub.plan = random.pick(plans);
    s.other_plan = largest_plan;
    sub.created_at = began;
    sub.activated_at = began;
    sub.updated_at = s.at;
    sub.current_period_started_at = month_after(month_after(began));
    sub.current_period_ends_at = sub.next_assessment_at = month_after(*sub.current_period_started_at);
    sub.signup_payment_id = 1'800'000'000 + 100 * seed;
    sub.signup_revenue_in_cents = sub.plan.price_in_cents;
    sub.total_revenue_in_cents = 3 * sub.plan.price_in_cents;
    sub.paid_with = invented_profile(80'000'001 + 10 * seed, payment_method::credit_card, random);
    s.other_profile = invented_profile(80'000'000 + 10 * seed, payment_method::credit_card, random);
    s.other_owner = invented_customer(sub.owner.id + 500'000'000, began, random);
    if (with.seed % 5 == 4) // one in five is in a group
        sub.group = {"grp_example" + std::to_string(seed), sub.id};
}

void invent_bill(scene& s, std::int64_t seed)
{
    const subscription& sub = s.subject;
    s.bill.id = 600'000'000 + 100 * seed;
    s.bill.opened_at = sub.created_at;
    s.bill.closed_at = s.at;
    transaction charge;
    charge.id = 1'800'000'001 + 100 * seed;
    charge.type = "Charge";
    charge.kind = "baseline";
    charge.amount_in_cents = charge.ending_balance_in_cents = sub.plan.price_in_cents;
    charge.memo = sub.plan.name + " (monthly)";
    charge.created_at = s.at;
    charge.statement_id = s.bill.id;
    s.payment = charge;
    s.payment.id = charge.payment_id = charge.id + 1;
    s.payment.type = "Payment";
    s.payment.kind.clear();
    s.payment.starting_balance_in_cents = charge.amount_in_cents;
    s.payment.ending_balance_in_cents = 0;
    s.payment.memo = sub.owner.full_name() + " - " + sub.plan.name + ": Payment";
    s.bill.settled_at = s.at;
    s.bill.events = {{s.event_id - 2, "renewal_success"}, {s.event_id - 1, "payment_success"}};
    s.bill.transactions = {charge, s.payment};
    s.issued = {
        "inv_example" + std::to_string(seed), 1000 + seed % 9000, "renewal", s.at, s.at + days(15), s.at};
}

void invent_details(scene& s, std::int64_t seed)
{
    const subscription& sub = s.subject;
    s.usage = {seats,        "1", "3", "2", "0", "0", "0", "Two more seats, please.", 90'000'000 + seed,
               s.payment.id, 1000};
    s.refunded = {1'800'000'050 + 100 * seed, sub.plan.price_in_cents / 2, s.payment.id,
                  s.payment.amount_in_cents, "Refund for an unused half month."};
    s.balance = {"Bonus of the example site", 5000, 2500, 1250};
    s.field = {"created", 5'000 + seed % 100, "favourite_colour", std::nullopt, "green & blue"};
    s.previous_date = sub.next_assessment_at;
    s.previous_value = "remittance";
    s.dunning = {s.at - days(1), s.at};
}

/// From and to, of a state change.
constexpr std::array<std::array<std::string_view, 2>, 14> transitions{{{"past_due", "active"},
                                                                       {"active", "past_due"},
                                                                       {"active", "canceled"},
                                                                       {"trialing", "active"},
                                                                       {"active", "on_hold"},
                                                                       {"on_hold", "active"},
                                                                       {"past_due", "unpaid"},
                                                                       {"trialing", "trial_ended"},
                                                                       {"active", "expired"},
                                                                       {"canceled", "active"},
                                                                       {"awaiting_signup", "active"},
                                                                       {"active", "suspended"},
                                                                       {"active", "soft_failure"},
                                                                       {"unpaid", "canceled"}}};

void change_state(scene& s, std::string_view from, std::string_view to)
{
    s.subject.state = from;
    s.subject.enter(to, s.at);
    if (to == "canceled") {
        s.subject.cancellation_message = "No longer needed; maybe later?";
        s.subject.cancellation_method = "merchant_ui";
    }
}

void begin_trial(subscription& sub, sys_seconds at)
{
    sub.state = sub.previous_state = "trialing";
    sub.activated_at = moment();
    sub.created_at = at - days(11);
    sub.trial_started_at = sub.current_period_started_at = sub.created_at;
    sub.trial_ended_at = sub.current_period_ends_at = sub.next_assessment_at = at + days(3);
    sub.total_revenue_in_cents = sub.signup_revenue_in_cents = sub.signup_payment_id = 0;
}

/// The period's payment failed.
void owe(scene& s)
{
    s.subject.state = s.subject.previous_state = "past_due";
    s.subject.balance_in_cents = s.payment.amount_in_cents;
    s.subject.next_assessment_at = s.at + days(1);
    s.payment.success = false;
    s.payment.ending_balance_in_cents = s.payment.amount_in_cents;
    s.bill.settled_at = s.issued.paid_at = moment();
    s.bill.events = {{s.event_id - 2, "payment_failure"}, {s.event_id - 1, "renewal_failure"}};
    s.bill.transactions.back() = s.payment;
}

void fit_signup(scene& s, std::string_view key)
{
    subscription& sub = s.subject;
    sub.created_at = s.at;
    sub.activated_at = sub.current_period_started_at = s.at;
    sub.current_period_ends_at = sub.next_assessment_at = month_after(s.at);
    sub.total_revenue_in_cents = sub.plan.price_in_cents;
    change_state(s, "inactive", "active");
    if (key != "signup_failure")
        return;
    change_state(s, "inactive", "failed_to_create");
    sub.activated_at = sub.current_period_ends_at = moment();
    sub.total_revenue_in_cents = sub.signup_revenue_in_cents = sub.signup_payment_id = 0;
    if (s.style == body_style::older)
        sub.id = nil_id;
}

void fit_usage(scene& s, std::string_view key, numbers& random)
{
    component_change& u = s.usage;
    if (key == "metered_usage") {
        u.what = messages;
        u.before = "120";
        u.after = "165.5";
        u.quantity = "45.5";
        u.memo = "Messages of one day";
    } else if (key == "prepaid_usage") {
        u.what = credits;
        u.before = "10";
        u.after = "0";
        u.quantity = "10";
        u.overage_after = u.overage_quantity = "2.5";
        u.memo = "Rendered the example film";
    } else if (random.below(3) == 0) {
        u.what = support;
        u.before = "0";
        u.after = "1";
        u.memo = "Switched on";
        u.payment_id = 0;
    } else if (s.style == body_style::current && random.below(2) == 0) {
        u.what = hours;
        u.before = "1";
        u.after = "1.5";
    }
}

void fit_field(scene& s, numbers& random)
{
    constexpr std::array<std::string_view, 3> types{"created", "updated", "deleted"};
    s.field.event_type = random.pick(types);
    if (s.field.event_type != "created")
        s.field.old_value = "red";
    if (s.field.event_type == "deleted")
        s.field.new_value.reset();
    s.field.of_customer = random.below(4) == 0;
}

void fit_money(scene& s, std::string_view key)
{
    if (is_any(key, {"payment_failure", "payment_failure_recreated", "renewal_failure", "statement_closed",
                     "renewal_failure_recreated", "dunning_step_reached", "invoice_pending"}))
        owe(s);
    if (key.find("prepa") != std::string_view::npos) {
        s.subject.payment_collection_method = "prepaid";
        s.subject.prepayment_balance_in_cents = s.balance.balance_in_cents;
    }
    if (key.find("proforma") != std::string_view::npos)
        s.issued.paid_at = moment();
}

void fit_subscription(scene& s, std::string_view key, numbers& random)
{
    subscription& sub = s.subject;
    if (key == "subscription_state_change") {
        const auto& [from, to] = random.pick(transitions);
        change_state(s, from, to);
    } else if (key.find("signup_") == 0) {
        fit_signup(s, key);
    } else if (is_any(key, {"trial_end_notice", "end_of_trial_notice"})) {
        begin_trial(sub, s.at);
    } else if (key == "pending_cancellation_change") {
        sub.cancel_at_end_of_period = true;
        sub.delayed_cancel_at = sub.current_period_ends_at;
        sub.cancellation_message = "No longer needed; maybe later?";
        sub.cancellation_method = "merchant_ui";
    } else if (key == "subscription_product_change_scheduled") {
        sub.next_plan = largest_plan;
    } else if (is_any(key, {"upgrade_downgrade_success", "subscription_product_change",
                            "subscription_plan_change"})) {
        std::swap(sub.plan, s.other_plan);
    } else if (key == "billing_date_change") {
        sub.next_assessment_at = sub.current_period_ends_at = *sub.next_assessment_at + days(5);
    } else if (key == "expiration_date_change" || key.find("term_renewal") != std::string_view::npos) {
        sub.expires_at = s.at + days(365);
        s.previous_date = s.at + days(180);
    } else if (key == "expiring_card") {
        const year_month_day date(floor<days>(s.at));
        sub.paid_with.expiration_month = static_cast<int>(static_cast<unsigned>(date.month()));
        sub.paid_with.expiration_year = static_cast<int>(date.year());
    } else if (key.find("group") != std::string_view::npos && sub.group.uid.empty()) {
        sub.group = {"grp_example" + std::to_string(sub.id), sub.id};
    }
}

/// Every id that a panel's body may show.
void empty_for_panel(scene& s)
{
    subscription& sub = s.subject;
    sub.id = sub.owner.id = sub.plan.id = sub.paid_with.id = s.other_plan.id = s.other_profile.id = 0;
    sub.signup_payment_id = sub.group.primary_subscription_id = s.other_owner.id = 0;
    s.usage.what.id = s.usage.allocation_id = s.usage.payment_id = s.field.id = 0;
    s.payment.id = s.payment.statement_id = s.bill.id = s.refunded.id = s.refunded.payment_id = 0;
    for (transaction& t : s.bill.transactions)
        t.id = t.payment_id = t.statement_id = 0;
    for (auto& event : s.bill.events)
        event.first = 0;
    s.issued.number = 0;
    s.issued.uid = "inv_example";
    s.event_id = 0;
}

} // namespace

customer invented_customer(std::int64_t id, sys_seconds at, numbers& random)
{
    customer c;
    c.id = id;
    c.first_name = random.pick(first_names);
    c.last_name = random.pick(last_names);
    c.organization = random.pick(organizations);
    c.phone = "555-01" + std::to_string(10 + random.below(90));
    c.city = "Pleasantville";
    c.created_at = c.updated_at = at;
    return c;
}

payment_profile invented_profile(std::int64_t id, payment_method method, numbers& random)
{
    payment_profile p;
    p.id = id;
    p.method = method;
    p.last_digits = std::to_string(1000 + random.below(9000));
    p.vault_token = "tok_" + std::to_string(random.below(1'000'000'000));
    p.customer_vault_token = "cus_" + std::to_string(random.below(1'000'000'000));
    return p;
}

sys_seconds month_after(sys_seconds when)
{
    const sys_days day = floor<days>(when);
    const year_month_day date(day);
    const year_month_day next = date + months(1);
    const sys_days then = next.ok() ? sys_days(next) : sys_days(next.year() / next.month() / last);
    return then + (when - day);
}

scene invented_scene(std::string_view key, const scene_options& with)
{
    const auto seed = small_seed(with.seed);
    const std::int64_t number = 1000 * seed + number_of(key) + (with.style == body_style::older ? 500 : 0);
    numbers random(with.seed);
    scene s;
    s.site = with.site;
    s.style = with.style;
    s.webhook_id = given_or(with.webhook_id, 5'000'000'000 + number);
    s.event_id = given_or(with.event_id, 6'000'000'000 + number);
    s.at = with.at != sys_seconds() ? with.at : sys_days(2027y / March / 1) + 15h;
    invent_subscription(s, with, random);
    invent_bill(s, seed);
    invent_details(s, seed);
    fit_money(s, key);
    fit_subscription(s, key, random);
    fit_usage(s, key, random);
    fit_field(s, random);
    if (!with.state.empty())
        change_state(s, s.subject.state, with.state);
    if (with.seed % 4 == 3) // one in four pays from a bank account
        s.subject.paid_with.method = payment_method::bank_account;
    return s;
}

scene panel_scene(std::string_view key, const std::string& site, std::int64_t webhook_id)
{
    scene_options with;
    with.site = site;
    with.style = body_style::panel;
    with.at = sys_days(2012y / September / 9) + 15h + 49min + 44s;
    with.webhook_id = webhook_id;
    scene s = invented_scene(key, with);
    if (key != "signup_failure")
        s.subject.state = s.subject.previous_state = "active";
    if (key == "subscription_state_change")
        change_state(s, "active", "inactive");
    empty_for_panel(s);
    return s;
}

} // namespace chargifyd::simulate
