#pragma once

#include "chargifyd/state/reader.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

/// Facts in words, for people.
namespace chargifyd::state {

/// A row of `changes` as a query gave it, with `currency` and `object_name` where known. Views of both.
class fact {
public:
    fact(std::span<const result_column> columns, std::span<const value> row) noexcept
        : columns_(columns)
        , row_(row)
    {}

    /// Nothing when the column is NULL, of another kind, or not among the columns.
    std::optional<std::string_view> text(std::string_view column) const noexcept;
    std::optional<std::int64_t> integer(std::string_view column) const noexcept;

private:
    const value* find(std::string_view column) const noexcept;
    std::span<const result_column> columns_;
    std::span<const value> row_;
};

/// Every kind of change, in order.
std::span<const std::string_view> change_kinds() noexcept;
bool is_change_kind(std::string_view kind) noexcept;
/// The kinds that are money coming, failing to come, or going back.
std::span<const std::string_view> money_kinds() noexcept;

/// One sentence: `subscription 15100141 renewed until 2026-04-01`. Total: a kind that is not among
/// change_kinds() is told by its values.
std::string describe(const fact& f);

/// `64.00 USD`; without a currency `64.00`.
std::string format_money(std::int64_t cents, std::optional<std::string_view> currency);

} // namespace chargifyd::state
