#include "chargifyd/sqlite/inserter.hpp"

#include <algorithm>

namespace chargifyd::sqlite {

namespace {

/// More would save little: what is shared is a tenth of a row's work by then.
constexpr std::size_t rows_together = 16;

} // namespace

inserter::inserter(database& db, std::string_view table, std::string_view columns)
    : db_(db)
    // OR FAIL: with the default SQLite would copy every page before it is changed, to take back the rows of a
    // statement before the one that is refused.
    , head_("INSERT OR FAIL INTO " + std::string(table) + " (" + std::string(columns) + ") VALUES ")
    , columns_(static_cast<std::size_t>(std::ranges::count(columns, ',')) + 1)
{}

inserter& inserter::add(const cell& c)
{
    cells_.push_back(c);
    if (cells_.size() == rows_together * columns_) {
        if (!many_)
            many_.emplace(db_, sql(rows_together));
        run(*many_, 0, cells_.size());
        clear();
    }
    return *this;
}

inserter& inserter::add(kind what, std::string_view bytes)
{
    const auto begin = static_cast<std::int64_t>(bytes_.size());
    bytes_.append(bytes);
    return add({what, bytes.size(), begin});
}

inserter& inserter::bind(std::string_view text)
{
    return add(kind::text, text);
}

inserter& inserter::bind_blob(std::string_view bytes)
{
    return add(kind::blob, bytes);
}

inserter& inserter::bind(std::int64_t value)
{
    return add({kind::integer, 0, value});
}

inserter& inserter::bind_null()
{
    return add({kind::null, 0, 0});
}

void inserter::flush()
{
    if (cells_.empty())
        return;
    if (!one_)
        one_.emplace(db_, sql(1));
    for (std::size_t first = 0; first < cells_.size(); first += columns_)
        run(*one_, first, columns_);
    clear();
}

void inserter::clear() noexcept
{
    cells_.clear();
    bytes_.clear();
}

std::string inserter::sql(std::size_t rows) const
{
    std::string row = "(?";
    for (std::size_t i = 1; i < columns_; ++i)
        row += ", ?";
    row += ")";
    std::string all = head_ + row;
    for (std::size_t i = 1; i < rows; ++i)
        all += ", " + row;
    return all;
}

void inserter::run(statement& with, std::size_t first, std::size_t cells)
{
    const std::string_view all = bytes_;
    statement::run execution(with);
    for (std::size_t i = first; i < first + cells; ++i) {
        const cell& c = cells_[i];
        switch (c.what) {
        case kind::null:
            execution.bind_null();
            break;
        case kind::integer:
            execution.bind(c.number);
            break;
        case kind::text:
            execution.bind(all.substr(static_cast<std::size_t>(c.number), c.bytes));
            break;
        case kind::blob:
            execution.bind_blob(all.substr(static_cast<std::size_t>(c.number), c.bytes));
            break;
        }
    }
    execution.step();
}

} // namespace chargifyd::sqlite
