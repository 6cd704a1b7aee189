#include "ctl/output.hpp"

#include "ctl/text.hpp"

#include <nlohmann/json.hpp>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <stdexcept>

namespace chargifyd::ctl {

namespace {

constexpr std::size_t rows_for_widths = 200;

using json = nlohmann::ordered_json;

bool is_null(const cell& c) noexcept
{
    return std::holds_alternative<std::monostate>(c);
}

bool truth(const cell& c) noexcept
{
    const auto* number = std::get_if<std::int64_t>(&c);
    const auto* flag = std::get_if<bool>(&c);
    return (number != nullptr && *number != 0) || (flag != nullptr && *flag);
}

json to_json(const column& of, const cell& c)
{
    if (is_null(c))
        return nullptr;
    if (of.what == kind::flag)
        return truth(c);
    if (const auto* text = std::get_if<std::string>(&c); text != nullptr && of.what == kind::json) {
        json parsed = json::parse(*text, nullptr, false);
        return parsed.is_discarded() ? json(*text) : parsed;
    }
    return std::visit(
        [](const auto& v) -> json {
            if constexpr (std::is_same_v<std::decay_t<decltype(v)>, std::monostate>)
                return nullptr;
            else
                return v;
        },
        c);
}

json to_json(const std::vector<column>& columns, const std::vector<cell>& cells)
{
    json out = json::object();
    for (std::size_t i = 0; i < columns.size(); ++i)
        out[columns[i].name] = to_json(columns[i], cells[i]);
    return out;
}

/// On a terminal only ASCII is written: JSON itself would let some control characters through.
std::string dump(const output& to, const json& value, int indent)
{
    return value.dump(indent, ' ', to.is_terminal(), json::error_handler_t::replace);
}

/// A value that is not NULL, as text; numbers as JSON writes them, so that they are read back alike.
std::string plain(const column& of, const cell& c)
{
    if (const auto* text = std::get_if<std::string>(&c))
        return *text;
    return to_json(of, c).dump();
}

std::string in_table(const column& of, const cell& c)
{
    if (is_null(c))
        return "-";
    if (of.what == kind::flag)
        return truth(c) ? "yes" : "no";
    if (const auto* number = std::get_if<double>(&c))
        return fmt::format("{:.3f}", *number);
    return printable(plain(of, c));
}

std::string in_csv(const output& to, const column& of, const cell& c)
{
    if (is_null(c))
        return {};
    const std::string text = plain(of, c);
    return csv_field(to.is_terminal() ? printable(text) : text);
}

template <class Each>
std::string csv_line(std::size_t count, Each&& each)
{
    std::string line;
    for (std::size_t i = 0; i < count; ++i) {
        if (i > 0)
            line += ',';
        line += each(i);
    }
    line += "\r\n";
    return line;
}

std::string csv_header(const std::vector<column>& columns)
{
    return csv_line(columns.size(), [&columns](std::size_t i) { return csv_field(columns[i].name); });
}

std::string csv_row(const output& to, const std::vector<column>& columns, const std::vector<cell>& cells)
{
    return csv_line(columns.size(), [&](std::size_t i) { return in_csv(to, columns[i], cells[i]); });
}

bool is_number(const column& c) noexcept
{
    return c.what == kind::integer || c.what == kind::real;
}

void check_count(const std::vector<column>& columns, const std::vector<cell>& cells)
{
    if (columns.size() != cells.size())
        throw std::logic_error("a row has another number of values than the table has columns");
}

} // namespace

void output::line(std::string_view text)
{
    write(terminal_ ? printable(text) : std::string(text));
    write("\n");
}

std::string output::strong(const std::string& text) const
{
    return colour_ ? "\x1b[1m" + text + "\x1b[0m" : text;
}

row_writer::row_writer(output& to, std::vector<column> columns, length how_long)
    : to_(to)
    , columns_(std::move(columns))
    , length_(how_long)
{}

void row_writer::row(std::vector<cell> cells)
{
    check_count(columns_, cells);
    if (to_.how() == form::table && widths_.empty()) {
        waiting_.push_back(std::move(cells));
        if (waiting_.size() >= rows_for_widths)
            open();
        return;
    }
    open();
    write_row(cells);
}

void row_writer::flush()
{
    open();
    to_.flush();
}

void row_writer::finish()
{
    open();
    if (to_.how() == form::json && length_ == length::finite)
        to_.write(written_ == 0 ? "]\n" : "\n]\n");
    to_.flush();
}

void row_writer::open()
{
    if (opened_)
        return;
    opened_ = true;
    switch (to_.how()) {
    case form::json:
        if (length_ == length::finite)
            to_.write("[");
        return;
    case form::csv:
        to_.write(csv_header(columns_));
        return;
    case form::table:
        break;
    }
    settle_widths();
    std::vector<std::string> names;
    for (const column& c : columns_)
        names.push_back(c.name);
    write_table_line(names, true);
    for (const auto& cells : waiting_)
        write_row(cells);
    waiting_ = {};
}

void row_writer::settle_widths()
{
    for (const column& c : columns_)
        widths_.push_back(std::max(c.width, display_width(c.name)));
    for (const auto& cells : waiting_) {
        for (std::size_t i = 0; i < cells.size(); ++i)
            widths_[i] = std::max(widths_[i], display_width(in_table(columns_[i], cells[i])));
    }
}

void row_writer::write_row(const std::vector<cell>& cells)
{
    switch (to_.how()) {
    case form::json:
        if (length_ == length::finite)
            to_.write(written_ == 0 ? "\n" : ",\n");
        to_.write(dump(to_, to_json(columns_, cells), -1));
        if (length_ == length::endless)
            to_.write("\n");
        break;
    case form::csv:
        to_.write(csv_row(to_, columns_, cells));
        break;
    case form::table: {
        std::vector<std::string> texts;
        for (std::size_t i = 0; i < cells.size(); ++i)
            texts.push_back(in_table(columns_[i], cells[i]));
        write_table_line(texts, false);
        break;
    }
    }
    ++written_;
}

void row_writer::write_table_line(const std::vector<std::string>& texts, bool header)
{
    std::string line;
    for (std::size_t i = 0; i < texts.size(); ++i) {
        const std::size_t width = display_width(texts[i]);
        const std::string gap(width < widths_[i] ? widths_[i] - width : 0, ' ');
        if (i > 0)
            line += "  ";
        if (is_number(columns_[i]))
            line += gap + texts[i];
        else
            line += i + 1 < texts.size() ? texts[i] + gap : texts[i];
    }
    to_.write(header ? to_.strong(line) + "\n" : line + "\n");
}

void write_object(output& to, const std::vector<column>& columns, const std::vector<cell>& cells)
{
    check_count(columns, cells);
    switch (to.how()) {
    case form::json:
        to.write(dump(to, to_json(columns, cells), 2) + "\n");
        break;
    case form::csv:
        to.write(csv_header(columns) + csv_row(to, columns, cells));
        break;
    case form::table: {
        std::size_t width = 0;
        for (const column& c : columns)
            width = std::max(width, display_width(c.name));
        for (std::size_t i = 0; i < columns.size(); ++i) {
            const std::string gap(width - display_width(columns[i].name) + 2, ' ');
            to.write(to.strong(columns[i].name) + gap + in_table(columns[i], cells[i]) + "\n");
        }
        break;
    }
    }
    to.flush();
}

} // namespace chargifyd::ctl
