#pragma once

#include "chargifyd/simulate/body.hpp"

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// The hashes of which payloads are made, with the keys of captured bodies in their order, and no one's real
/// data.
namespace chargifyd::simulate {

/// Nothing is nil: an empty value.
using moment = std::optional<std::chrono::sys_seconds>;

/// Writes pairs below one bracketed path.
class hash_writer {
public:
    hash_writer(body_writer& to, std::string path)
        : to_(&to)
        , path_(std::move(path))
    {}

    hash_writer& add(std::string_view name, std::string_view value);
    hash_writer& add(std::string_view name, std::int64_t value);
    hash_writer& add(std::string_view name, const moment& value);
    hash_writer& add_flag(std::string_view name, bool value);
    hash_writer& add_id(std::string_view name, std::int64_t value); ///< 0 is nil
    hash_writer& add_nil(std::string_view name) { return add(name, std::string_view()); }
    hash_writer& add_nil(std::initializer_list<std::string_view> names);
    hash_writer below(std::string_view name) const;

private:
    std::string key(std::string_view name) const;

    body_writer* to_;
    std::string path_;
};

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
    std::string_view name;
    std::string_view handle;
    std::int64_t price_in_cents = 0;
};

struct card {
    std::int64_t id = 0;
    std::string last_digits;
    std::string vault_token;
    std::string customer_vault_token;

    std::string masked_number() const { return "XXXX-XXXX-XXXX-" + last_digits; }
};

struct subscription {
    std::int64_t id = 0;
    std::string state;
    std::string previous_state;
    std::int64_t balance_in_cents = 0;
    std::int64_t total_revenue_in_cents = 0;
    moment trial_started_at, trial_ended_at, activated_at;
    std::chrono::sys_seconds created_at{}, updated_at{};
    moment current_period_started_at, current_period_ends_at, next_assessment_at;
    moment canceled_at, delayed_cancel_at;
    bool cancel_at_end_of_period = false;
    std::string cancellation_message, cancellation_method;
    std::int64_t signup_payment_id = 0; ///< 0: none
    std::int64_t signup_revenue_in_cents = 0;
    customer owner;
    product plan;
    card paid_with;
};

struct transaction {
    std::int64_t id = 0;
    std::string_view type; ///< Charge or Payment
    std::string_view kind;
    std::int64_t amount_in_cents = 0;
    std::int64_t starting_balance_in_cents = 0;
    std::int64_t ending_balance_in_cents = 0;
    std::string memo;
    std::chrono::sys_seconds created_at{};
    std::int64_t payment_id = 0;   ///< 0: none
    std::int64_t component_id = 0; ///< 0: none
    std::int64_t statement_id = 0;
    bool success = true;
};

struct statement {
    std::int64_t id = 0;
    std::chrono::sys_seconds opened_at{};
    std::chrono::sys_seconds closed_at{};
    std::vector<std::pair<std::int64_t, std::string_view>> events; ///< id and key
    std::vector<transaction> transactions;
};

void add_site(body_writer& to, std::string_view subdomain);
void add_customer(hash_writer to, const customer& c);
void add_product(hash_writer to, const product& p, std::string_view subdomain);
void add_card(hash_writer to, const card& c, const customer& owner);
/// The full hash, with customer, product and credit card: `payload[subscription]`.
void add_subscription(body_writer& to, const subscription& s, std::string_view subdomain);
void add_transaction(hash_writer to, const transaction& t, const subscription& of);

// The shorter forms of events that do not carry the full hash.
void add_subscription_summary(body_writer& to, const subscription& s);
void add_customer_summary(body_writer& to, const customer& c);
void add_product_summary(body_writer& to, const product& p);
/// What comes before a renewal or at the end of a trial.
void add_notice(body_writer& to, const subscription& s, std::string_view message,
                std::int64_t amount_in_cents);
void add_statement(body_writer& to, const statement& of, const subscription& s, const moment& settled_at,
                   std::chrono::sys_seconds updated_at);
void add_dunning(body_writer& to, const subscription& s, std::chrono::sys_seconds attempted_at);

/// `19.00`
std::string decimal(std::int64_t cents);

} // namespace chargifyd::simulate
