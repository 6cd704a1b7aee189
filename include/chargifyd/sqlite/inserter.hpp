#pragma once

#include "chargifyd/sqlite/database.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chargifyd::sqlite {

/// Adds rows to one table, several with one statement: what a statement costs besides its rows (its cursors,
/// their way from the root, its end) is then paid once for all of them.
///
/// The last rows are held back until `flush`, which has to come before the table is read or the transaction
/// ends. A row that is refused makes the transaction one to be rolled back: others of its statement are
/// written, or are not. Belongs to the thread of its database, and must be destroyed before it.
class inserter {
public:
    /// `columns` as in an INSERT, separated by commas.
    inserter(database& db, std::string_view table, std::string_view columns);

    /// As `statement::run`: the next value of the row under way. Its last one ends the row. Text and blobs
    /// are copied.
    inserter& bind(std::string_view text);
    inserter& bind(std::int64_t value);
    inserter& bind_null();
    inserter& bind_blob(std::string_view bytes);
    template <class T>
    inserter& bind(const std::optional<T>& value)
    {
        return value ? bind(*value) : bind_null();
    }

    void flush();
    /// Forgets what is held back, written or not.
    void clear() noexcept;
    bool empty() const noexcept { return cells_.empty(); }

private:
    enum class kind : unsigned char { null, integer, text, blob };
    struct cell {
        kind what;
        std::size_t bytes;   ///< of a text or blob
        std::int64_t number; ///< the integer, or where in `bytes_` the text or blob begins
    };

    inserter& add(kind what, std::string_view bytes);
    inserter& add(const cell& c);
    std::string sql(std::size_t rows) const;
    void run(statement& with, std::size_t first, std::size_t cells);

    database& db_;
    const std::string head_;
    const std::size_t columns_;
    std::optional<statement> one_; ///< made when they are needed first
    std::optional<statement> many_;
    std::vector<cell> cells_;
    std::string bytes_;
};

} // namespace chargifyd::sqlite
