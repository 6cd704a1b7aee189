#pragma once

#include "chargifyd/simulate/model.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// What webhooks tell of a subscription beside the subscription itself: plain values, as in model.hpp.
namespace chargifyd::simulate {

struct transaction {
    std::int64_t id = 0;
    std::string type; ///< Charge, Payment, Refund, Credit, Adjustment
    std::string kind;
    std::int64_t amount_in_cents = 0;
    std::int64_t starting_balance_in_cents = 0;
    std::int64_t ending_balance_in_cents = 0;
    std::string memo;
    std::chrono::sys_seconds created_at{};
    std::int64_t payment_id = 0;
    std::int64_t component_id = 0;
    std::int64_t statement_id = 0;
    bool success = true;
};

struct statement {
    std::int64_t id = 0;
    std::chrono::sys_seconds opened_at{};
    std::chrono::sys_seconds closed_at{};
    moment settled_at;
    std::vector<std::pair<std::int64_t, std::string>> events; ///< id and key
    std::vector<transaction> transactions;
};

/// Its lines and amounts are those of the statement beside it.
struct invoice {
    std::string uid; ///< `inv_…`
    std::int64_t number = 0;
    std::string role = "renewal";
    std::chrono::sys_seconds issued_at{};
    std::chrono::sys_seconds due_at{};
    moment paid_at;
};

struct component {
    std::int64_t id = 0;
    std::string
        kind; ///< quantity_based_component, on_off_component, metered_component, prepaid_usage_component
    std::string name;
    std::string handle;
    std::string unit_name;
};

/// An allocation or a usage. Quantities are decimal text, for there are fractions.
struct component_change {
    component what;
    std::string before = "0"; ///< allocation, or balance of units
    std::string after = "0";
    std::string quantity = "0";                                                    ///< of a usage
    std::string overage_before = "0", overage_after = "0", overage_quantity = "0"; ///< of a prepaid usage
    std::string memo;
    std::int64_t allocation_id = 0;
    std::int64_t payment_id = 0; ///< what the change cost at once; 0: nothing was paid
    std::int64_t payment_in_cents = 0;
};

struct refund {
    std::int64_t id = 0;
    std::int64_t amount_in_cents = 0;
    std::int64_t payment_id = 0;
    std::int64_t payment_in_cents = 0;
    std::string memo;
    std::string error = "The transaction cannot be refunded."; ///< of a failure
};

struct balance_change {
    std::string reason;
    std::int64_t balance_in_cents = 0;
    std::int64_t change_in_cents = 0;
    std::int64_t usage_in_cents = 0; ///< of a prepaid subscription
};

struct custom_field {
    std::string event_type = "created"; ///< or updated, deleted
    std::int64_t id = 0;
    std::string name;
    std::optional<std::string> old_value, new_value;
    bool of_customer = false; ///< otherwise of the subscription
};

struct dunning_step {
    std::chrono::sys_seconds began_at{};
    std::chrono::sys_seconds attempted_at{};
    int attempts = 1;
    int day = 1;
    std::string action = "retry";
    int next_day = 4; ///< 0: this was the last step
    std::string next_action = "cancel";
};

} // namespace chargifyd::simulate
