#pragma once

#include "chargifyd/state/reader.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace chargifyd::state {

/// The conditions of a query and their values.
class conditions {
public:
    void add(std::string_view condition)
    {
        text_ += text_.empty() ? " WHERE " : " AND ";
        text_ += condition;
    }
    void add(std::string_view condition, value v)
    {
        add(condition);
        parameters_.push_back(std::move(v));
    }
    void add(std::string_view condition, std::span<const value> values)
    {
        add(condition);
        parameters_.insert(parameters_.end(), values.begin(), values.end());
    }
    /// Only when there is something to compare with.
    void add_text(std::string_view condition, const std::string& v)
    {
        if (!v.empty())
            add(condition, v);
    }
    void add_integer(std::string_view condition, std::optional<std::int64_t> v)
    {
        if (v)
            add(condition, *v);
    }

    /// Parameters of `select` come first, in the order in which they stand.
    query finish(const std::string& select, const std::string& order, std::uint64_t limit,
                 std::vector<value> of_select = {}) const
    {
        query q{select + text_ + order, std::move(of_select)};
        q.parameters.insert(q.parameters.end(), parameters_.begin(), parameters_.end());
        if (limit != 0)
            q.sql += " LIMIT " + std::to_string(limit);
        return q;
    }

private:
    std::string text_;
    std::vector<value> parameters_;
};

} // namespace chargifyd::state
