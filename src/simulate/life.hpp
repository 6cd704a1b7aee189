#pragma once

#include "invented.hpp"

#include "chargifyd/simulate/body.hpp"
#include "chargifyd/simulate/event.hpp"

#include <cstdint>
#include <string_view>
#include <vector>

namespace chargifyd::simulate {

/// The signup of a life that is not told when.
inline constexpr std::chrono::sys_seconds default_start =
    std::chrono::sys_days(std::chrono::year(2026) / 1 / 15) + std::chrono::hours(15);

struct webhook_numbers {
    std::int64_t webhook = 0;
    std::int64_t event = 0;
};

/// One subscription's story: what happens to it changes the scene, and what is told of it is written from the
/// scene. Chapters that every life has are in life.cpp, those that only some have in life_chapters.cpp.
class life {
public:
    /// `numbers`: of the webhooks in their order, instead of those derived from the seed.
    explicit life(const life_options& with, std::vector<webhook_numbers> numbers = {});

    std::vector<webhook> run();

private:
    // In every life.
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

    // In some.
    void early_chapters();
    void middle_chapters();
    void late_chapters();
    void fail_to_sign_up();
    void wait_for_signup();
    void lose_trial_and_return();
    void send_messages();
    void switch_support_on();
    void buy_hours();
    void fill_in_fields();
    void get_refund();
    void dispute_payment();
    void hold_and_resume();
    void book_plan_change();
    void move_dates();
    void change_terms();
    void hand_over();
    void renew_term();
    void prepay();
    void join_group();
    void leave_group();
    void sign_up_group();
    void pay_by_debit();
    void renew_card();
    void owe_invoices();
    void use_other_accounts();
    void fail_upgrade();
    void fail_for_good();
    void expire();
    void be_purged();

    /// Whether this life has the chapter of that number: two of eight seeds in a row have it.
    bool has(unsigned chapter) const noexcept { return (seed_ + 2 + 3 * std::uint64_t{chapter}) % 8 < 2; }

    /// Writes the event and returns its id.
    std::int64_t say(std::string_view event);
    void say_after(std::chrono::seconds after, std::string_view event);

    void wait(std::chrono::seconds after) { s_.at += after; }
    /// As `wait`, and the subscription is written: its clock stands at now.
    void touch(std::chrono::seconds after);
    void begin_period(std::chrono::sys_seconds at);
    std::chrono::seconds until_period_ends();
    /// Closes the statement of the period in the scene: plan, seats, what was used.
    void bill();
    void charge(std::string_view kind, std::int64_t amount, std::string memo, std::int64_t component_id = 0);
    /// Of the whole balance, on the statement in the scene.
    void pay(std::string_view kind = {}, bool success = true);
    /// Says that the payment went through and the statement is settled, a second later.
    void settle();
    void number_invoice(std::string_view role);
    void change_component(const component& what, std::string before, std::string after, std::string memo);
    payment_profile new_profile(payment_method method);
    bool gets_invoices() const noexcept { return seed_ % 4 == 2; }

    subscription& sub() noexcept { return s_.subject; }

    std::uint64_t seed_;
    numbers random_;
    bool has_trial_;
    std::vector<webhook_numbers> given_;
    std::int64_t next_transaction_ = 0;
    std::int64_t next_statement_ = 0;
    std::int64_t next_profile_ = 0;
    std::int64_t next_invoice_ = 0;
    std::chrono::sys_seconds statement_opened_at_;
    std::int64_t seats_ = 0;
    std::int64_t messages_in_cents_ = 0; ///< used and not yet billed
    scene s_;
    std::vector<webhook> told_;
};

} // namespace chargifyd::simulate
