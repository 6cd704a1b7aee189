#include "invented.hpp"
#include "payload.hpp"

#include "chargifyd/base/time.hpp"
#include "chargifyd/simulate/body.hpp"

#include <utility>

namespace chargifyd::simulate {

namespace {

using namespace std::chrono;

constexpr std::int64_t cents_per_seat = 500;
constexpr std::int64_t seat_component = 277'221;

/// The same day and time a month later, or that month's last day.
sys_seconds month_after(sys_seconds when)
{
    const sys_days day = floor<days>(when);
    const year_month_day date(day);
    const year_month_day next = date + months(1);
    const sys_days then = next.ok() ? sys_days(next) : sys_days(next.year() / next.month() / last);
    return then + (when - day);
}

class life {
public:
    explicit life(const life_options& with);
    std::vector<webhook> run();

private:
    // What happens, in this order.
    void sign_up();
    void end_trial();
    void buy_seats();
    void move_house();
    void renew();
    void miss_payment();
    void run_dunning();
    void pay_with_new_card();
    void upgrade();
    void cancel();
    void come_back();

    // What is told of it.
    template <class F>
    std::int64_t send(std::string_view event, F payload);
    std::int64_t send_subscription(std::string_view event);
    std::int64_t send_payment(std::string_view event, const transaction& t);
    void send_product_change(std::string_view event, const product& before);
    void send_customer(std::string_view event);
    void send_notice(std::string_view event, std::string_view message);
    void send_statement(std::string_view event, const statement& of, const moment& settled_at);

    void wait(seconds after) { now_ += after; }
    void touch(seconds after);
    void begin_period(sys_seconds at);
    seconds until_period_ends()
    {
        return *s_.current_period_ends_at - now_ + seconds(40 + random_.below(1800));
    }

    statement bill();
    transaction charge(std::string_view kind, std::int64_t amount, std::string memo,
                       std::int64_t statement_id);
    transaction pay(std::string_view kind, std::int64_t statement_id, bool success = true);
    static void settle(statement& of, const transaction& payment);
    card new_card();

    numbers random_;
    std::string site_;
    bool has_trial_;
    std::int64_t next_webhook_ = 0;
    std::int64_t last_event_ = 0;
    std::int64_t next_transaction_ = 0;
    std::int64_t next_statement_ = 0;
    std::int64_t next_card_ = 0;
    sys_seconds now_;
    sys_seconds statement_opened_at_;
    std::int64_t seats_ = 0;
    subscription s_;
    statement unpaid_;
    std::vector<webhook> sent_;
};

life::life(const life_options& with)
    : random_(with.seed)
    , site_(with.site)
    , has_trial_(with.seed % 2 == 0)
    , now_(with.starts_at != sys_seconds() ? with.starts_at : sys_days(2026y / January / 15) + 15h)
    , statement_opened_at_(now_)
{
    const auto or_derived = [](std::int64_t given, std::int64_t derived) {
        return given != 0 ? given : derived;
    };
    const auto seed = static_cast<std::int64_t>(with.seed % 1'000'000'000'000);
    next_webhook_ = or_derived(with.first_webhook_id, 2'000'000'000 + 1000 * seed);
    last_event_ = 3'000'000'000 + 1000 * seed;
    next_transaction_ = 1'500'000'000 + 100 * seed;
    next_statement_ = 400'000'000 + 100 * seed;
    next_card_ = 50'000'000 + 10 * seed;

    s_.id = or_derived(with.subscription_id, 60'000'000 + seed);
    s_.state = s_.previous_state = "inactive";
    s_.plan = random_.pick(plans);
    s_.owner.id = or_derived(with.customer_id, 70'000'000 + seed);
    s_.owner.first_name = random_.pick(first_names);
    s_.owner.last_name = random_.pick(last_names);
    s_.owner.organization = random_.pick(organizations);
    s_.owner.phone = "555-01" + std::to_string(10 + random_.below(90));
    s_.owner.city = "Pleasantville";
    s_.owner.created_at = s_.owner.updated_at = now_;
    s_.paid_with = new_card();
}

std::vector<webhook> life::run()
{
    sign_up();
    if (has_trial_)
        end_trial();
    buy_seats();
    move_house();
    renew();
    renew();
    miss_payment();
    run_dunning();
    pay_with_new_card();
    upgrade();
    cancel();
    come_back();
    return std::move(sent_);
}

void life::sign_up()
{
    send_customer("customer_create");
    touch(1s);
    s_.created_at = now_;
    if (has_trial_) {
        s_.trial_started_at = s_.current_period_started_at = now_;
        s_.trial_ended_at = s_.current_period_ends_at = s_.next_assessment_at = now_ + days(14);
        s_.state = "trialing";
        send_subscription("signup_success");
    } else {
        begin_period(now_);
        s_.activated_at = now_;
        s_.state = "active";
        const statement first = bill();
        const transaction payment = pay("", first.id);
        s_.signup_payment_id = payment.id;
        s_.signup_revenue_in_cents = payment.amount_in_cents;
        send_subscription("signup_success");
        send_payment("payment_success", payment);
    }
    send_subscription("subscription_state_change");
}

void life::end_trial()
{
    wait(days(11));
    send_notice("trial_end_notice", "End of trial notice sent");
    touch(until_period_ends());
    begin_period(*s_.trial_ended_at);
    s_.activated_at = now_;
    s_.state = "active";
    statement first = bill();
    const transaction payment = pay("", first.id);
    send_subscription("subscription_state_change");
    first.events.emplace_back(send_subscription("renewal_success"), "renewal_success");
    first.events.emplace_back(send_payment("payment_success", payment), "payment_success");
    wait(1s);
    settle(first, payment);
    send_statement("statement_settled", first, now_);
}

void life::buy_seats()
{
    wait(days(5));
    const auto before = seats_;
    seats_ = 3;
    send("component_allocation_change", [this, before](body_writer& out) {
        hash_writer(out, "payload[subscription]").add("id", s_.id).add("name", s_.owner.full_name());
        hash_writer(out, "payload[product]").add("id", s_.plan.id).add("name", s_.plan.name);
        hash_writer component(out, "payload[component]");
        component.add("kind", "quantity_based_component").add("id", seat_component).add("name", "Seats");
        component.add("unit_name", "seat");
        out.add("payload[new_allocation]", seats_).add("payload[previous_allocation]", before);
        out.add("payload[memo]", "Customer requested 3 seats.").add("payload[timestamp]", format_utc(now_));
        add_site(out, site_);
    });
}

void life::move_house()
{
    wait(days(1));
    s_.owner.city = "New Pleasantville";
    s_.owner.updated_at = now_;
    send_customer("customer_update");
}

void life::renew()
{
    wait(*s_.current_period_ends_at - days(3) - now_);
    send_notice("upcoming_renewal_notice", "Upcoming renewal notice sent");
    touch(until_period_ends());
    begin_period(*s_.current_period_ends_at);
    statement closed = bill();
    const transaction payment = pay("", closed.id);
    closed.events.emplace_back(send_subscription("renewal_success"), "renewal_success");
    closed.events.emplace_back(send_payment("payment_success", payment), "payment_success");
    wait(1s);
    settle(closed, payment);
    send_statement("statement_settled", closed, now_);
}

void life::miss_payment()
{
    touch(until_period_ends());
    begin_period(*s_.current_period_ends_at);
    s_.next_assessment_at = now_ + days(1);
    s_.state = "past_due";
    unpaid_ = bill();
    const transaction failed = pay("", unpaid_.id, false);
    unpaid_.events.emplace_back(send_payment("payment_failure", failed), "payment_failure");
    unpaid_.events.emplace_back(send_subscription("renewal_failure"), "renewal_failure");
    send_subscription("subscription_state_change");
    wait(1s);
    send_statement("statement_closed", unpaid_, {});
}

void life::run_dunning()
{
    touch(days(1));
    s_.next_assessment_at = now_ + days(3);
    send_payment("payment_failure", pay("", unpaid_.id, false));
    send("dunning_step_reached", [this](body_writer& out) {
        add_site(out, site_);
        add_subscription(out, s_, site_);
        add_dunning(out, s_, now_);
    });
}

void life::pay_with_new_card()
{
    wait(days(2));
    const card before = s_.paid_with;
    s_.paid_with = new_card();
    send("subscription_card_update", [this, &before](body_writer& out) {
        add_site(out, site_);
        add_subscription_summary(out, s_);
        add_product_summary(out, s_.plan);
        add_customer_summary(out, s_.owner);
        add_card({out, "payload[previous_payment_profile]"}, before, s_.owner);
        add_card({out, "payload[updated_payment_profile]"}, s_.paid_with, s_.owner);
    });
    touch(60s);
    s_.state = "active";
    const transaction payment = pay("", unpaid_.id);
    // As observed at Chargify: the state is new and the next assessment still the retry's, all in one second.
    send_subscription("subscription_state_change");
    s_.next_assessment_at = s_.current_period_ends_at;
    unpaid_.events.emplace_back(send_payment("payment_success", payment), "payment_success");
    wait(1s);
    settle(unpaid_, payment);
    send_statement("statement_settled", unpaid_, now_);
}

void life::upgrade()
{
    touch(days(5));
    const product before = s_.plan;
    s_.plan = largest_plan;
    charge("one_time", largest_plan.price_in_cents - before.price_in_cents, "Upgrade", next_statement_);
    const transaction payment = pay("one_time", next_statement_);
    send_product_change("upgrade_downgrade_success", before);
    send_product_change("subscription_product_change", before);
    send_payment("payment_success", payment);
}

void life::cancel()
{
    touch(days(2));
    s_.cancel_at_end_of_period = true;
    s_.delayed_cancel_at = s_.current_period_ends_at;
    s_.cancellation_message = "No longer needed; maybe later?";
    s_.cancellation_method = "merchant_ui";
    send_subscription("pending_cancellation_change");
    touch(until_period_ends());
    s_.state = "canceled";
    s_.canceled_at = now_;
    s_.cancel_at_end_of_period = false;
    s_.delayed_cancel_at = s_.next_assessment_at = moment();
    send_subscription("subscription_state_change");
}

void life::come_back()
{
    touch(days(20));
    s_.state = "active";
    begin_period(now_);
    s_.canceled_at = moment();
    s_.cancellation_message.clear();
    s_.cancellation_method.clear();
    statement opened = bill();
    const transaction payment = pay("", opened.id);
    send_subscription("subscription_state_change");
    opened.events.emplace_back(send_payment("payment_success", payment), "payment_success");
    wait(1s);
    settle(opened, payment);
    send_statement("statement_settled", opened, now_);
}

template <class F>
std::int64_t life::send(std::string_view event, F payload)
{
    last_event_ += static_cast<std::int64_t>(1 + random_.below(5));
    body_writer out;
    out.add("id", next_webhook_).add("event", event);
    payload(out);
    out.add("payload[event_id]", last_event_);
    sent_.push_back({next_webhook_, std::string(event), out.str()});
    ++next_webhook_;
    return last_event_;
}

std::int64_t life::send_subscription(std::string_view event)
{
    return send(event, [this](body_writer& out) {
        add_site(out, site_);
        add_subscription(out, s_, site_);
    });
}

std::int64_t life::send_payment(std::string_view event, const transaction& t)
{
    return send(event, [this, &t](body_writer& out) {
        add_site(out, site_);
        add_subscription(out, s_, site_);
        add_transaction({out, "payload[transaction]"}, t, s_);
    });
}

void life::send_product_change(std::string_view event, const product& before)
{
    send(event, [this, &before](body_writer& out) {
        add_subscription(out, s_, site_);
        add_product({out, "payload[previous_product]"}, before, site_);
        add_site(out, site_);
    });
}

void life::send_customer(std::string_view event)
{
    send(event, [this](body_writer& out) {
        add_customer({out, "payload[customer]"}, s_.owner);
        add_site(out, site_);
    });
}

void life::send_notice(std::string_view event, std::string_view message)
{
    send(event, [this, message](body_writer& out) {
        add_site(out, site_);
        add_notice(out, s_, message, s_.plan.price_in_cents + seats_ * cents_per_seat);
    });
}

void life::send_statement(std::string_view event, const statement& of, const moment& settled_at)
{
    send(event, [this, &of, &settled_at](body_writer& out) {
        add_site(out, site_);
        add_statement(out, of, s_, settled_at, now_);
    });
}

void life::touch(seconds after)
{
    now_ += after;
    s_.updated_at = now_;
    s_.previous_state = s_.state;
}

void life::begin_period(sys_seconds at)
{
    s_.current_period_started_at = at;
    s_.current_period_ends_at = s_.next_assessment_at = month_after(at);
}

statement life::bill()
{
    statement closed;
    closed.id = next_statement_++;
    closed.opened_at = statement_opened_at_;
    closed.closed_at = statement_opened_at_ = now_;
    const std::string plan(s_.plan.name);
    closed.transactions.push_back(charge("baseline", s_.plan.price_in_cents, plan, closed.id));
    if (seats_ > 0) {
        const std::string memo = "Seats: " + std::to_string(seats_) + " seats";
        closed.transactions.push_back(
            charge("quantity_based_component", seats_ * cents_per_seat, memo, closed.id));
        closed.transactions.back().component_id = seat_component;
    }
    return closed;
}

transaction life::charge(std::string_view kind, std::int64_t amount, std::string memo,
                         std::int64_t statement_id)
{
    transaction t{next_transaction_++, "Charge", kind, amount, s_.balance_in_cents, 0, std::move(memo), now_};
    s_.balance_in_cents += amount;
    t.ending_balance_in_cents = s_.balance_in_cents;
    t.statement_id = statement_id;
    return t;
}

/// Of the whole balance.
transaction life::pay(std::string_view kind, std::int64_t statement_id, bool success)
{
    const std::int64_t balance = s_.balance_in_cents;
    std::string memo = s_.owner.full_name() + " - " + std::string(s_.plan.name) + ": Payment";
    transaction t{next_transaction_++, "Payment", kind, balance, balance, balance, std::move(memo), now_};
    t.statement_id = statement_id;
    t.success = success;
    if (success) {
        t.ending_balance_in_cents = s_.balance_in_cents = 0;
        s_.total_revenue_in_cents += balance;
    }
    return t;
}

void life::settle(statement& of, const transaction& payment)
{
    for (transaction& t : of.transactions)
        t.payment_id = payment.id;
    of.transactions.push_back(payment);
}

card life::new_card()
{
    card c;
    c.id = next_card_++;
    c.last_digits = std::to_string(1000 + random_.below(9000));
    c.vault_token = "tok_" + std::to_string(random_.below(1'000'000'000));
    c.customer_vault_token = "cus_" + std::to_string(random_.below(1'000'000'000));
    return c;
}

} // namespace

std::vector<webhook> subscription_life(const life_options& with)
{
    return life(with).run();
}

} // namespace chargifyd::simulate
