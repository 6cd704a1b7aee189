#pragma once

#include "chargifyd/sqlite/database.hpp"

#include <cstdint>
#include <filesystem>
#include <string>

namespace chargifyd::test {

/// Every row of every table, as text: what "the same content, row for row" means.
inline std::string dump(const std::filesystem::path& file)
{
    sqlite::database db(file, sqlite::access::read_only);
    std::string all;
    sqlite::statement tables(
        db, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' "
            "ORDER BY name");
    sqlite::statement::run names(tables);
    while (names.step()) {
        const std::string table(names.text(0));
        all += "== " + table + "\n";
        const auto columns = db.integer("SELECT count(*) FROM pragma_table_info('" + table + "')");
        std::string order = "1";
        for (std::int64_t i = 2; i <= columns; ++i)
            order += ", " + std::to_string(i);
        sqlite::statement query(db, "SELECT * FROM " + table + " ORDER BY " + order);
        sqlite::statement::run rows(query);
        while (rows.step()) {
            for (int i = 0; i < rows.columns(); ++i)
                all += (rows.is_null(i) ? std::string("NULL") : std::string(rows.text(i))) + "|";
            all += '\n';
        }
    }
    return all;
}

} // namespace chargifyd::test
