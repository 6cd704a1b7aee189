#include "chargifyd/state/tables.hpp"

namespace chargifyd::state {

namespace {

using enum column_kind;

constexpr column subscription_columns[] = {
    {"customer_id", integer},
    {"product_id", integer},
    {"product_handle", text},
    {"state", text},
    {"previous_state", text},
    {"reference", text},
    {"balance_in_cents", integer},
    {"currency", text},
    {"current_period_started_at", time},
    {"current_period_ends_at", time},
    {"next_assessment_at", time},
    {"trial_started_at", time},
    {"trial_ended_at", time},
    {"activated_at", time},
    {"expires_at", time},
    {"created_at", time},
    {"updated_at", time},
    {"canceled_at", time},
    {"delayed_cancel_at", time},
    {"cancel_at_end_of_period", flag},
    {"cancellation_message", text},
    {"cancellation_method", text},
    {"payment_collection_method", text},
    {"snap_day", text},
    {"coupon_code", text},
};

constexpr column customer_columns[] = {
    {"reference", text},    {"first_name", text}, {"last_name", text},  {"email", text},
    {"organization", text}, {"created_at", time}, {"updated_at", time},
};

constexpr column product_columns[] = {
    {"handle", text},
    {"name", text},
    {"family_id", integer},
    {"family_handle", text},
    {"price_in_cents", integer},
    {"interval", integer},
    {"interval_unit", text},
};

constexpr object_table subscriptions{"subscriptions", subscription_columns};
constexpr object_table customers{"customers", customer_columns};
constexpr object_table products{"products", product_columns};

} // namespace

std::optional<std::size_t> object_table::find(std::string_view column_name) const noexcept
{
    for (std::size_t i = 0; i < columns.size(); ++i) {
        if (columns[i].name == column_name)
            return i;
    }
    return std::nullopt;
}

const object_table& table_of(object_kind kind) noexcept
{
    switch (kind) {
    case object_kind::subscription:
        return subscriptions;
    case object_kind::customer:
        return customers;
    case object_kind::product:
        return products;
    }
    return subscriptions;
}

} // namespace chargifyd::state
