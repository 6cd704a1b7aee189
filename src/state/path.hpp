#pragma once

#include "conditions.hpp"

#include "chargifyd/state/list.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace chargifyd::state {

/// A walk whose pages differ only in where they begin.
struct path {
    std::string name;
    std::string select; ///< up to and with FROM
    conditions where;
    std::vector<std::string> order; ///< columns as `select` knows them
    std::vector<std::string> key;   ///< the result columns that hold them
    std::size_t fixed = 0;          ///< so many of the first ones are the same in all rows
    /// Where the first page begins, a condition on the first column that later pages imply; or empty.
    std::string start;
    value start_value;
    /// The first column is an expression: SQLite looks for a row value in an index only by its plain columns.
    bool by_expression = false;
};

walk along(path p);

} // namespace chargifyd::state
