#include "path.hpp"

namespace chargifyd::state {

namespace {

std::string joined(std::span<const std::string> parts)
{
    std::string all;
    for (const std::string& part : parts)
        all += (all.empty() ? "" : ", ") + part;
    return all;
}

/// `(a, b) > (?, ?)`
std::string beyond(std::span<const std::string> columns)
{
    std::string marks = "?";
    for (std::size_t i = 1; i < columns.size(); ++i)
        marks += ", ?";
    return "(" + joined(columns) + ") > (" + marks + ")";
}

} // namespace

walk along(path p)
{
    walk w;
    w.name = p.name;
    w.key = p.key;
    w.page = [p = std::move(p)](std::span<const value> after, std::uint64_t limit) {
        conditions where = p.where;
        if (!after.empty() && p.by_expression)
            where.add(p.order.front() + " >= ?", after.front());
        if (!after.empty())
            where.add(beyond(std::span(p.order).subspan(p.fixed)), after.subspan(p.fixed));
        else if (!p.start.empty())
            where.add(p.start, p.start_value);
        return where.finish(p.select, " ORDER BY " + joined(p.order), limit);
    };
    return w;
}

} // namespace chargifyd::state
