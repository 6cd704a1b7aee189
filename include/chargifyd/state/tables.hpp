#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

/// The columns of the object tables of `state.db`, in one place: the projection, the SQL and the
/// documentation's test all read them from here. docs/state.md says what each means.
namespace chargifyd::state {

/// What a column holds. NULL is the empty alternative.
using value = std::variant<std::monostate, std::int64_t, std::string>;

enum class column_kind {
    integer, ///< a whole number: ids, cents
    text,    ///< as received, cleaned to UTF-8
    time,    ///< `YYYY-MM-DDTHH:MM:SSZ`
    flag,    ///< 0 or 1
};

struct column {
    std::string_view name;
    column_kind kind;
};

enum class object_kind { subscription, customer, product };

/// Every object table also has `site`, `id`, `attributes` and the projection's own columns.
struct object_table {
    std::string_view name;
    std::span<const column> columns;

    std::optional<std::size_t> find(std::string_view column_name) const noexcept;
};

const object_table& table_of(object_kind kind) noexcept;

} // namespace chargifyd::state
