#pragma once

#include "chargifyd/state/list.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace chargifyd::state {

/// `a|b|c`; NULL is empty.
inline std::string line_of(std::span<const value> row)
{
    std::string line;
    for (const value& v : row) {
        line += &v == row.data() ? "" : "|";
        if (const auto* n = std::get_if<std::int64_t>(&v))
            line += std::to_string(*n);
        else if (const auto* t = std::get_if<std::string>(&v))
            line += *t;
    }
    return line;
}

/// What was read: the rows as lines, and the columns' names.
struct answer {
    std::vector<std::string> lines;
    std::vector<std::string> columns;
    std::optional<std::string> next; ///< of a page

    std::size_t place(const std::string& column) const
    {
        for (std::size_t i = 0; i < columns.size(); ++i) {
            if (columns[i] == column)
                return i;
        }
        ADD_FAILURE() << "no column " << column;
        return 0;
    }

    /// One column of all rows.
    std::vector<std::string> only(const std::string& column) const
    {
        std::vector<std::string> all;
        const std::size_t at = place(column);
        for (const std::string& line : lines) {
            std::size_t begin = 0;
            for (std::size_t i = 0; i < at; ++i)
                begin = line.find('|', begin) + 1;
            all.push_back(line.substr(begin, line.find('|', begin) - begin));
        }
        return all;
    }
};

inline columns_fn names_into(answer& a)
{
    return [&a](std::span<const result_column> columns) {
        a.columns.clear();
        for (const result_column& c : columns)
            a.columns.push_back(c.name);
    };
}

inline answer ask(state_reader& from, const query& q)
{
    answer a;
    const auto done = from.run(q, names_into(a), [&](std::span<const value> row) {
        a.lines.push_back(line_of(row));
        return true;
    });
    EXPECT_TRUE(done) << done.error().message;
    return a;
}

inline answer ask_page(state_reader& from, const list& what, const std::string& position, std::uint64_t limit)
{
    answer a;
    const auto next = read_page(from, what, position, limit, names_into(a),
                                [&](std::span<const value> row) { a.lines.push_back(line_of(row)); });
    EXPECT_TRUE(next) << next.error().message;
    if (next)
        a.next = *next;
    return a;
}

/// The whole list, read in pages of that size.
inline answer ask(state_reader& from, const list& what, std::uint64_t page_size = 1000)
{
    answer all;
    std::optional<std::string> position = std::string();
    for (int pages = 0; position && pages < 10000; ++pages) {
        answer page = ask_page(from, what, *position, page_size);
        EXPECT_LE(page.lines.size(), page_size);
        all.lines.insert(all.lines.end(), page.lines.begin(), page.lines.end());
        all.columns = page.columns;
        position = page.next;
    }
    EXPECT_FALSE(position) << "the list has no end";
    return all;
}

} // namespace chargifyd::state
