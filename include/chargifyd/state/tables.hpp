#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// The columns of the object tables of `state.db`, in one place: the projection, the SQL and the
/// documentation's test all read them from here. docs/state.md says what each means.
namespace chargifyd::state {

/// What a column holds. NULL is the empty alternative.
using value = std::variant<std::monostate, std::int64_t, std::string>;

enum class column_kind {
    integer, ///< a whole number: ids, cents
    text,    ///< as received, cleaned to UTF-8
    decimal, ///< TEXT: a decimal number without superfluous zeros, so that equal numbers are equal texts
    time,    ///< `YYYY-MM-DDTHH:MM:SSZ`
    flag,    ///< 0 or 1
};

struct column {
    std::string_view name;
    column_kind kind;
    bool personal = false; ///< tells of a person; goes when the person is forgotten
};

enum class object_kind {
    subscription,
    customer,
    product,
    transaction,
    component,
    statement,
    invoice,
    payment_profile,
    custom_field,
    subscription_group,
    refund,
    dunning,
};
inline constexpr std::size_t object_kinds = 12;

/// The key of an object inside its site: one value per key column.
using object_key = std::vector<value>;

class column_index;

/// Every object table also has `site`, `attributes` and the projection's own columns.
struct object_table {
    std::string_view name;
    std::span<const column> keys;
    std::span<const column> columns;
    const column_index* index; ///< of `columns`, by name

    std::optional<std::size_t> find(std::string_view column_name) const noexcept;
};

const object_table& table_of(object_kind kind) noexcept;
const object_table& table_of(std::size_t kind) noexcept; ///< below object_kinds

} // namespace chargifyd::state
