#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Whom webhooks speak of: plain values. Money is in cents, times are
/// instants. An id that is only referred to is left empty when it is 0.
namespace chargifyd::simulate {

/// Nothing is nil: an empty value.
using moment = std::optional<std::chrono::sys_seconds>;

/// An object's own id that is written as an empty value, as in some signup failures.
inline constexpr std::int64_t nil_id = -1;

/// `19.00`; a negative amount keeps its sign.
std::string decimal(std::int64_t cents);

struct customer {
    std::int64_t id = 0;
    std::string first_name;
    std::string last_name;
    std::string organization;
    std::string phone;
    std::string city;
    std::chrono::sys_seconds created_at{};
    std::chrono::sys_seconds updated_at{};

    std::string full_name() const { return first_name + " " + last_name; }
    std::string email() const { return "customer" + std::to_string(id) + "@example.com"; }
    std::string reference() const { return "customer-" + std::to_string(id); }
};

struct product {
    std::int64_t id = 0;
    std::string name;
    std::string handle;
    std::int64_t price_in_cents = 0;
};

enum class payment_method { credit_card, bank_account, paypal_account };

/// `credit_card`, …: also the name of the hash that holds the profile.
std::string_view to_string(payment_method m) noexcept;

struct payment_profile {
    std::int64_t id = 0;
    payment_method method = payment_method::credit_card;
    std::string last_digits; ///< four
    std::string vault_token;
    std::string customer_vault_token;
    int expiration_month = 10;
    int expiration_year = 2030;

    std::string masked_number() const { return "XXXX-XXXX-XXXX-" + last_digits; }
};

/// Subscriptions that are paid together.
struct subscription_group {
    std::string uid; ///< empty: not in a group
    std::int64_t primary_subscription_id = 0;
};

struct subscription {
    std::int64_t id = 0;
    std::string state = "active";
    std::string previous_state = "active";
    std::int64_t balance_in_cents = 0;
    std::int64_t total_revenue_in_cents = 0;
    moment trial_started_at, trial_ended_at, activated_at, expires_at;
    std::chrono::sys_seconds created_at{}, updated_at{};
    moment current_period_started_at, current_period_ends_at, next_assessment_at;
    moment canceled_at, delayed_cancel_at, on_hold_at, automatically_resume_at;
    bool cancel_at_end_of_period = false;
    std::string cancellation_message, cancellation_method, reason_code;
    std::string payment_collection_method = "automatic"; ///< or remittance, prepaid, invoice
    std::string coupon_code;
    std::int64_t signup_payment_id = 0;
    std::int64_t signup_revenue_in_cents = 0;
    std::int64_t credit_balance_in_cents = 0;
    std::int64_t prepayment_balance_in_cents = 0;
    customer owner;
    product plan;
    std::optional<product> next_plan; ///< a change that is booked for the next renewal
    payment_profile paid_with;
    subscription_group group;

    /// Changes the state, and the times that belong to it: of cancellation, hold, expiration, activation and
    /// the next assessment.
    void enter(std::string_view next_state, std::chrono::sys_seconds at);
};

} // namespace chargifyd::simulate
