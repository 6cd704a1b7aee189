#include "chargifyd/state/json.hpp"

#include <nlohmann/json.hpp>

namespace chargifyd::state {

namespace {

using nlohmann::ordered_json;

ordered_json cell(const result_column& column, const value& v)
{
    if (const auto* number = std::get_if<std::int64_t>(&v)) {
        if (column.kind == column_kind::flag)
            return *number != 0;
        return *number;
    }
    const auto* text = std::get_if<std::string>(&v);
    if (text == nullptr)
        return nullptr;
    if (column.name == "attributes") {
        ordered_json parsed = ordered_json::parse(*text, nullptr, false);
        return parsed.is_discarded() ? ordered_json(*text) : parsed;
    }
    return *text;
}

} // namespace

ordered_json to_json(std::span<const result_column> columns, std::span<const value> row)
{
    ordered_json object = ordered_json::object();
    for (std::size_t i = 0; i < columns.size(); ++i)
        object[columns[i].name] = cell(columns[i], row[i]);
    return object;
}

result<void> read_json(state_reader& from, const section& shown, ordered_json& into)
{
    std::vector<result_column> columns;
    into = shown.single ? ordered_json() : ordered_json::array();
    return from.run(
        shown.rows, [&](std::span<const result_column> found) { columns.assign(found.begin(), found.end()); },
        [&](std::span<const value> row) {
            if (shown.single)
                into = to_json(columns, row);
            else
                into.push_back(to_json(columns, row));
            return true;
        });
}

} // namespace chargifyd::state
