#pragma once

#include "chargifyd/base/error.hpp"
#include "chargifyd/chargify/form.hpp"

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace chargifyd::admin {

/// A query string, read strictly: a parameter that the route does not know, or that stands twice, is a
/// mistake of the caller's that would otherwise go unseen. Mistakes are thrown as `bad_parameter`.
class parameters {
public:
    struct bad_parameter {
        std::string why;
    };

    parameters(const std::string& query, std::initializer_list<std::string_view> known);

    /// Empty when it is missing.
    std::string text(std::string_view key) const;
    std::optional<std::int64_t> number(std::string_view key) const;
    /// `true` or `false`.
    std::optional<bool> flag(std::string_view key) const;
    /// RFC 3339, a date, or a duration back, as the state writes times.
    std::string moment(std::string_view key) const;
    /// 1 to 1000, 100 when it is missing.
    std::uint64_t limit() const;
    /// The query again, with another `after`.
    std::string continued(const std::string& after) const;

private:
    chargify::form tree_;
};

} // namespace chargifyd::admin
