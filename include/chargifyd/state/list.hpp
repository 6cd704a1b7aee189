#pragma once

#include "chargifyd/state/reader.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Lists that are read in pages, so that neither a reader's memory nor its transaction grows with them. A
/// page begins after a key, never at an offset: each costs the same, and rows that come or go in between move
/// nothing.
namespace chargifyd::state {

/// One walk along an index.
struct walk {
    std::string name; ///< leads its positions: of several walks each has its own
    /// The result columns that the walk is ordered by; never NULL, never with a slash.
    std::vector<std::string> key;
    /// The rows after a key (empty: from the start), `limit` at most, in the order of the key.
    std::function<query(std::span<const value> after, std::uint64_t limit)> page;
    /// Of a walk by a number that looks at many rows to find few: each page looks at the numbers up to
    /// `window` after its key, and the walk goes on from there up to `last`. 0: no such walk.
    std::int64_t window = 0;
    std::int64_t last = 0;
};

/// What is read walk after walk. All walks have the same result columns.
struct list {
    std::vector<walk> walks;
};

using each_row_fn = std::function<void(std::span<const value>)>;

/// Reads rows after `position` (empty: from the start), `limit` at most. Returns the position after which
/// there may be more; nothing at the end. `on_columns` may be called more than once, always with the same.
/// errc::invalid: no position of this list.
result<std::optional<std::string>> read_page(state_reader& from, const list& what, std::string_view position,
                                             std::uint64_t limit, const columns_fn& on_columns,
                                             const each_row_fn& on_row);

} // namespace chargifyd::state
