#include "life.hpp"

#include <algorithm>
#include <utility>

namespace chargifyd::simulate {

namespace {

using namespace std::chrono;

constexpr std::int64_t cents_per_seat = 500;

} // namespace

life::life(const life_options& with, std::vector<webhook_numbers> numbers)
    : seed_(with.seed)
    , random_(with.seed)
    , has_trial_(with.seed % 2 == 0)
    , given_(std::move(numbers))
{
    const auto seed = small_seed(with.seed);
    next_transaction_ = 1'500'000'000 + 100 * seed;
    next_statement_ = 400'000'000 + 100 * seed;
    next_profile_ = 50'000'000 + 10 * seed;
    next_invoice_ = 100 * seed;
    s_.site = with.site;
    s_.style = with.seed % 4 == 3 ? body_style::older : body_style::current;
    s_.webhook_id = given_or(with.first_webhook_id, 2'000'000'000 + 1000 * seed);
    s_.event_id = 3'000'000'000 + 1000 * seed;
    s_.at = with.starts_at != sys_seconds() ? with.starts_at : default_start;
    statement_opened_at_ = s_.at;

    sub().id = given_or(with.subscription_id, 60'000'000 + seed);
    sub().state = sub().previous_state = "inactive";
    sub().plan = random_.pick(plans);
    sub().owner = invented_customer(given_or(with.customer_id, 70'000'000 + seed), s_.at, random_);
    sub().paid_with = new_profile(payment_method::credit_card);
}

std::vector<webhook> life::run()
{
    sign_up();
    if (has_trial_)
        end_trial();
    buy_seats();
    move_house();
    early_chapters();
    renew();
    middle_chapters();
    renew();
    miss_payment();
    run_dunning();
    pay_with_new_card();
    upgrade();
    late_chapters();
    cancel();
    switch (seed_ % 8) {
    case 3:
        come_back();
        fail_for_good();
        break;
    case 6:
        come_back();
        expire();
        break;
    case 7:
        be_purged();
        break;
    default:
        come_back();
        break;
    }
    return std::move(told_);
}

void life::sign_up()
{
    say("customer_create");
    if (has(0))
        fail_to_sign_up();
    if (has(1))
        wait_for_signup();
    touch(1s);
    sub().created_at = s_.at;
    if (has_trial_) {
        sub().trial_started_at = sub().current_period_started_at = s_.at;
        sub().trial_ended_at = sub().current_period_ends_at = s_.at + days(14);
        sub().enter("trialing", s_.at);
        say("signup_success");
    } else {
        begin_period(s_.at);
        sub().enter("active", s_.at);
        bill();
        pay();
        sub().signup_payment_id = s_.payment.id;
        sub().signup_revenue_in_cents = s_.payment.amount_in_cents;
        say("signup_success");
        say("payment_success");
    }
    say("subscription_state_change");
}

void life::end_trial()
{
    wait(days(11));
    say("trial_end_notice");
    if (has(2))
        return lose_trial_and_return();
    touch(until_period_ends());
    begin_period(*sub().trial_ended_at);
    sub().enter("active", s_.at);
    bill();
    pay();
    say("subscription_state_change");
    s_.bill.events.emplace_back(say("renewal_success"), "renewal_success");
    settle();
}

void life::buy_seats()
{
    wait(days(5));
    change_component(seats, std::to_string(seats_), "3", "Customer requested 3 seats.");
    seats_ = 3;
}

void life::move_house()
{
    wait(days(1));
    sub().owner.city = "New Pleasantville";
    sub().owner.updated_at = s_.at;
    say("customer_update");
}

void life::renew()
{
    wait(std::max(1s, *sub().current_period_ends_at - days(3) - s_.at));
    say("upcoming_renewal_notice");
    touch(until_period_ends());
    begin_period(*sub().current_period_ends_at);
    const bool moves = sub().next_plan.has_value();
    if (moves)
        s_.other_plan = std::exchange(sub().plan, *std::exchange(sub().next_plan, {}));
    bill();
    if (gets_invoices()) {
        number_invoice("renewal");
        s_.issued.paid_at = moment();
        say("invoice_pending");
    }
    pay();
    if (gets_invoices()) {
        s_.issued.paid_at = s_.at;
        say("invoice_issued");
    }
    if (moves)
        s_.bill.events.emplace_back(say("subscription_product_change"), "subscription_product_change");
    s_.bill.events.emplace_back(say("renewal_success"), "renewal_success");
    settle();
}

void life::miss_payment()
{
    touch(until_period_ends());
    begin_period(*sub().current_period_ends_at);
    sub().enter("past_due", s_.at);
    sub().next_assessment_at = s_.at + days(1);
    bill();
    pay({}, false);
    s_.dunning = {s_.at, s_.at};
    s_.bill.events.emplace_back(say("payment_failure"), "payment_failure");
    s_.bill.events.emplace_back(say("renewal_failure"), "renewal_failure");
    say("subscription_state_change");
    say_after(1s, "statement_closed");
}

void life::run_dunning()
{
    touch(days(1));
    sub().next_assessment_at = s_.at + days(3);
    pay({}, false);
    s_.dunning.attempted_at = s_.at;
    say("payment_failure");
    say("dunning_step_reached");
}

void life::pay_with_new_card()
{
    wait(days(2));
    s_.other_profile = std::exchange(sub().paid_with, new_profile(payment_method::credit_card));
    say("subscription_card_update");
    touch(60s);
    sub().enter("active", s_.at);
    pay();
    // As observed at Chargify: the state is new and the next assessment still the retry's, all in one second.
    say("subscription_state_change");
    sub().next_assessment_at = sub().current_period_ends_at;
    settle();
}

void life::upgrade()
{
    if (has(3))
        fail_upgrade();
    touch(days(5));
    s_.other_plan = std::exchange(sub().plan, largest_plan);
    s_.bill = statement();
    s_.bill.id = next_statement_;
    charge("one_time",
           std::max<std::int64_t>(100, largest_plan.price_in_cents - s_.other_plan.price_in_cents),
           "Upgrade");
    pay("one_time");
    say("upgrade_downgrade_success");
    say("subscription_product_change");
    say("payment_success");
}

void life::cancel()
{
    touch(days(2));
    sub().cancel_at_end_of_period = true;
    sub().delayed_cancel_at = sub().current_period_ends_at;
    sub().cancellation_message = "No longer needed; maybe later?";
    sub().cancellation_method = "merchant_ui";
    say("pending_cancellation_change");
    touch(until_period_ends());
    sub().enter("canceled", s_.at);
    say("subscription_state_change");
}

void life::come_back()
{
    touch(days(20));
    sub().enter("active", s_.at);
    begin_period(s_.at);
    bill();
    pay();
    say("subscription_state_change");
    settle();
}

std::int64_t life::say(std::string_view event)
{
    s_.event_id += static_cast<std::int64_t>(1 + random_.below(5));
    if (!given_.empty()) {
        s_.webhook_id = given_[told_.size()].webhook;
        s_.event_id = given_[told_.size()].event;
    }
    told_.push_back(event_webhook(event, s_));
    ++s_.webhook_id;
    return s_.event_id;
}

void life::say_after(seconds after, std::string_view event)
{
    wait(after);
    say(event);
}

void life::touch(seconds after)
{
    wait(after);
    sub().updated_at = s_.at;
    sub().previous_state = sub().state;
}

void life::begin_period(sys_seconds at)
{
    sub().current_period_started_at = at;
    sub().current_period_ends_at = sub().next_assessment_at = month_after(at);
}

seconds life::until_period_ends()
{
    return *sub().current_period_ends_at - s_.at + seconds(40 + random_.below(1800));
}

void life::bill()
{
    s_.bill = statement();
    s_.bill.id = next_statement_++;
    s_.bill.opened_at = statement_opened_at_;
    s_.bill.closed_at = statement_opened_at_ = s_.at;
    charge("baseline", sub().plan.price_in_cents, sub().plan.name);
    if (seats_ > 0)
        charge("quantity_based_component", seats_ * cents_per_seat,
               "Seats: " + std::to_string(seats_) + " seats", seats.id);
    if (messages_in_cents_ > 0)
        charge("metered_component", std::exchange(messages_in_cents_, 0), "Text messages", messages.id);
}

void life::charge(std::string_view kind, std::int64_t amount, std::string memo, std::int64_t component_id)
{
    transaction t;
    t.id = next_transaction_++;
    t.type = "Charge";
    t.kind = kind;
    t.amount_in_cents = amount;
    t.starting_balance_in_cents = sub().balance_in_cents;
    t.ending_balance_in_cents = sub().balance_in_cents += amount;
    t.memo = std::move(memo);
    t.created_at = s_.at;
    t.component_id = component_id;
    t.statement_id = s_.bill.id;
    s_.bill.transactions.push_back(std::move(t));
}

void life::pay(std::string_view kind, bool success)
{
    const std::int64_t balance = sub().balance_in_cents;
    transaction t;
    t.id = next_transaction_++;
    t.type = "Payment";
    t.kind = kind;
    t.amount_in_cents = t.starting_balance_in_cents = t.ending_balance_in_cents = balance;
    t.memo = sub().owner.full_name() + " - " + sub().plan.name + ": Payment";
    t.created_at = s_.at;
    t.statement_id = s_.bill.id;
    t.success = success;
    if (success) {
        t.ending_balance_in_cents = sub().balance_in_cents = 0;
        sub().total_revenue_in_cents += balance;
        for (transaction& charged : s_.bill.transactions)
            charged.payment_id = t.id;
    }
    s_.payment = std::move(t);
}

void life::settle()
{
    s_.bill.events.emplace_back(say("payment_success"), "payment_success");
    wait(1s);
    s_.bill.settled_at = s_.at;
    s_.bill.transactions.push_back(s_.payment);
    say("statement_settled");
}

void life::change_component(const component& what, std::string before, std::string after, std::string memo)
{
    s_.usage = component_change();
    s_.usage.what = what;
    s_.usage.before = std::move(before);
    s_.usage.after = std::move(after);
    s_.usage.memo = std::move(memo);
    s_.usage.allocation_id = next_transaction_++;
    say("component_allocation_change");
}

payment_profile life::new_profile(payment_method method)
{
    return invented_profile(next_profile_++, method, random_);
}

std::vector<webhook> subscription_life(const life_options& with)
{
    return life(with).run();
}

} // namespace chargifyd::simulate
