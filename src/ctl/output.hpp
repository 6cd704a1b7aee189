#pragma once

#include "ctl/sink.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace chargifyd::ctl {

/// How data is written.
enum class form {
    table, ///< for a person: aligned, escaped
    json,  ///< an array of objects, or one object
    csv,   ///< RFC 4180, with a header line
};

/// What a column holds, which decides how it is aligned and how JSON writes it.
enum class kind {
    text,
    integer,
    real,
    time, ///< `YYYY-MM-DDTHH:MM:SSZ`
    flag, ///< a bool, or 0 and 1
    json, ///< JSON text, which becomes part of JSON output as it is
};

struct column {
    column(std::string n, kind k = kind::text, std::size_t w = 0)
        : name(std::move(n))
        , what(k)
        , width(w)
    {}

    std::string name;
    kind what;
    std::size_t width; ///< the least width in a table, when the first rows do not tell it
};

/// One value; std::monostate is NULL.
using cell = std::variant<std::monostate, bool, std::int64_t, double, std::string>;

/// A command's stdout: where, in which form, and what the terminal can do.
class output {
public:
    output(sink& to, form how, bool terminal, bool colour)
        : to_(to)
        , how_(how)
        , terminal_(terminal)
        , colour_(colour)
    {}

    form how() const noexcept { return how_; }
    bool is_terminal() const noexcept { return terminal_; }

    void write(std::string_view bytes) { to_.write(bytes); }
    /// A line of text, escaped on a terminal.
    void line(std::string_view text);
    void flush() { to_.flush(); }
    /// In bold when the terminal has colours.
    std::string strong(const std::string& text) const;

private:
    sink& to_;
    form how_;
    bool terminal_;
    bool colour_;
};

/// Writes rows as they come. Memory does not grow with their number: a table's widths are taken from its
/// first rows (or those before the first `flush`), and later values that are wider only move their own line.
class row_writer {
public:
    enum class length {
        finite,
        endless, ///< no array around the objects of JSON: one object to a line, for a reader that follows
    };

    row_writer(output& to, std::vector<column> columns, length how_long = length::finite);

    /// One value for each column.
    void row(std::vector<cell> cells);
    /// Makes visible what has come so far.
    void flush();
    /// Completes the output. Without it, JSON is left open: what a reader got is seen to be incomplete.
    void finish();

private:
    void open();
    void write_row(const std::vector<cell>& cells);
    void settle_widths();
    void write_table_line(const std::vector<std::string>& texts, bool header);

    output& to_;
    std::vector<column> columns_;
    length length_;
    std::vector<std::vector<cell>> waiting_;
    std::vector<std::size_t> widths_;
    std::size_t written_ = 0;
    bool opened_ = false;
};

/// One thing: `name  value` lines, one JSON object, or CSV with one line.
void write_object(output& to, const std::vector<column>& columns, const std::vector<cell>& cells);

} // namespace chargifyd::ctl
