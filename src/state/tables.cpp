#include "chargifyd/state/tables.hpp"

#include <array>
#include <cstdint>

namespace chargifyd::state {

/// The columns of a table by name, for look-ups that do not grow with the number of columns.
class column_index {
public:
    explicit constexpr column_index(std::span<const column> columns)
    {
        slots_.fill(free);
        for (std::size_t i = 0; i < columns.size(); ++i) {
            std::size_t at = first_slot(columns[i].name);
            while (slots_[at] != free)
                at = (at + 1) % slots_.size();
            slots_[at] = static_cast<std::uint8_t>(i);
        }
    }

    std::optional<std::size_t> find(std::span<const column> columns, std::string_view name) const noexcept
    {
        for (std::size_t at = first_slot(name); slots_[at] != free; at = (at + 1) % slots_.size()) {
            if (columns[slots_[at]].name == name)
                return slots_[at];
        }
        return std::nullopt;
    }

private:
    static constexpr std::uint8_t free = 0xff;

    static constexpr std::size_t first_slot(std::string_view name) noexcept
    {
        if (name.empty())
            return 0;
        const auto letter = [name](std::size_t at) { return static_cast<unsigned char>(name[at]); };
        return (name.size() * 67 + letter(0) * 29 + letter(name.size() / 2) * 13 + letter(name.size() - 1)) %
               slots;
    }

    static constexpr std::size_t slots = 256; ///< several times the columns of any table
    std::array<std::uint8_t, slots> slots_{};
};

namespace {

using enum column_kind;

template <const auto& columns>
constexpr column_index index_of{columns};

constexpr bool personal = true;

constexpr column by_id[] = {{"id", integer}};
constexpr column by_uid[] = {{"uid", text}};
constexpr column by_subscription[] = {{"subscription_id", integer}};
constexpr column by_component[] = {{"subscription_id", integer}, {"component_id", integer}};
constexpr column by_field[] = {{"resource_type", text}, {"resource_id", integer}, {"name", text}};

constexpr column subscription_columns[] = {
    {"customer_id", integer},
    {"product_id", integer},
    {"product_handle", text},
    {"state", text},
    {"previous_state", text},
    {"reference", text, personal},
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
    {"cancellation_message", text, personal},
    {"cancellation_method", text},
    {"payment_collection_method", text},
    {"snap_day", text},
    {"coupon_code", text},
    {"scheduled_cancellation_at", time},
    {"reason_code", text},
    {"on_hold_at", time},
    {"automatically_resume_at", time},
    {"total_revenue_in_cents", integer},
    {"product_price_in_cents", integer},
    {"product_price_point_id", integer},
    {"next_product_id", integer},
    {"next_product_handle", text},
    {"next_product_price_point_id", integer},
    {"payment_type", text},
    {"payment_profile_id", integer},
    {"group_uid", text},
    {"payer_id", integer},
    {"signup_payment_id", integer},
    {"credit_balance_in_cents", integer},
    {"prepayment_balance_in_cents", integer},
    {"deleted", flag},
};

constexpr column customer_columns[] = {
    {"reference", text, personal}, {"first_name", text, personal},   {"last_name", text, personal},
    {"email", text, personal},     {"organization", text, personal}, {"created_at", time},
    {"updated_at", time},          {"parent_id", integer},           {"deleted", flag},
};

constexpr column product_columns[] = {
    {"handle", text},
    {"name", text},
    {"family_id", integer},
    {"family_handle", text},
    {"price_in_cents", integer},
    {"interval", integer},
    {"interval_unit", text},
    {"initial_charge_in_cents", integer},
    {"trial_price_in_cents", integer},
    {"trial_interval", integer},
    {"trial_interval_unit", text},
    {"version_number", integer},
    {"product_price_point_id", integer},
    {"created_at", time},
    {"updated_at", time},
    {"archived_at", time},
};

constexpr column transaction_columns[] = {
    {"subscription_id", integer},
    {"customer_id", integer},
    {"type", text},
    {"kind", text},
    {"success", flag},
    {"amount_in_cents", integer},
    {"memo", text, personal},
    {"created_at", time},
    {"starting_balance_in_cents", integer},
    {"ending_balance_in_cents", integer},
    {"refunded_amount_in_cents", integer},
    {"payment_id", integer},
    {"product_id", integer},
    {"component_id", integer},
    {"statement_id", integer},
    {"invoice_id", text},
    {"gateway_used", text},
    {"gateway_transaction_id", text},
    {"card_type", text},
};

constexpr column component_columns[] = {
    {"name", text},
    {"kind", text},
    {"unit_name", text},
    {"quantity", decimal},
    {"unit_balance", decimal},
    {"updated_at", time},
    {"handle", text},
    {"overage_unit_balance", decimal},
    {"price_point_id", integer},
    {"price_point_handle", text},
    {"price_point_name", text},
};

constexpr column statement_columns[] = {
    {"subscription_id", integer},
    {"customer_id", integer},
    {"opened_at", time},
    {"closed_at", time},
    {"settled_at", time},
    {"starting_balance_in_cents", integer},
    {"ending_balance_in_cents", integer},
    {"total_in_cents", integer},
    {"memo", text, personal},
    {"created_at", time},
    {"updated_at", time},
};

constexpr column invoice_columns[] = {
    {"subscription_id", integer},
    {"customer_id", integer},
    {"number", text},
    {"sequence_number", integer},
    {"role", text},
    {"status", text},
    {"issue_date", text},
    {"due_date", text},
    {"paid_date", text},
    {"currency", text},
    {"total_amount", decimal},
    {"due_amount", decimal},
    {"paid_amount", decimal},
    {"tax_amount", decimal},
    {"credit_amount", decimal},
    {"refund_amount", decimal},
    {"product_name", text},
    {"consolidation_level", text},
    {"created_at", time},
    {"updated_at", time},
};

constexpr column payment_profile_columns[] = {
    {"customer_id", integer},
    {"payment_type", text},
    {"card_type", text},
    {"last_four", text, personal},
    {"expiration_month", integer, personal},
    {"expiration_year", integer, personal},
    {"bank_name", text, personal},
    {"gateway_handle", text},
    {"disabled", flag},
};

constexpr column custom_field_columns[] = {
    {"metafield_id", integer},
    {"value", text, personal},
    {"deleted", flag},
};

constexpr column subscription_group_columns[] = {
    {"scheme", text},
    {"primary_subscription_id", integer},
};

constexpr column refund_columns[] = {
    {"subscription_id", integer},     {"customer_id", integer},
    {"payment_id", integer},          {"success", flag},
    {"amount_in_cents", integer},     {"currency", text},
    {"memo", text, personal},         {"gateway_used", text},
    {"gateway_transaction_id", text}, {"created_at", time},
};

constexpr column dunning_columns[] = {
    {"state", text},       {"attempts", integer},       {"revenue_at_risk_in_cents", integer},
    {"created_at", time},  {"last_attempted_at", time}, {"step_day", integer},
    {"step_action", text}, {"next_step_day", integer},  {"next_step_action", text},
};

constexpr std::array<object_table, object_kinds> tables{{
    {"subscriptions", by_id, subscription_columns, &index_of<subscription_columns>},
    {"customers", by_id, customer_columns, &index_of<customer_columns>},
    {"products", by_id, product_columns, &index_of<product_columns>},
    {"transactions", by_id, transaction_columns, &index_of<transaction_columns>},
    {"components", by_component, component_columns, &index_of<component_columns>},
    {"statements", by_id, statement_columns, &index_of<statement_columns>},
    {"invoices", by_uid, invoice_columns, &index_of<invoice_columns>},
    {"payment_profiles", by_id, payment_profile_columns, &index_of<payment_profile_columns>},
    {"custom_fields", by_field, custom_field_columns, &index_of<custom_field_columns>},
    {"subscription_groups", by_uid, subscription_group_columns, &index_of<subscription_group_columns>},
    {"refunds", by_id, refund_columns, &index_of<refund_columns>},
    {"dunning", by_subscription, dunning_columns, &index_of<dunning_columns>},
}};

} // namespace

std::optional<std::size_t> object_table::find(std::string_view column_name) const noexcept
{
    return index->find(columns, column_name);
}

const object_table& table_of(object_kind kind) noexcept
{
    return tables[static_cast<std::size_t>(kind)];
}

const object_table& table_of(std::size_t kind) noexcept
{
    return tables[kind];
}

} // namespace chargifyd::state
