#include "chargifyd/state/list.hpp"

#include "column_kinds.hpp"

#include <algorithm>
#include <charconv>

namespace chargifyd::state {

namespace {

/// A page of a list looks into so many windows at most.
constexpr int windows_of_page = 25;

std::string text_of(const value& v)
{
    if (const auto* number = std::get_if<std::int64_t>(&v))
        return std::to_string(*number);
    const auto* text = std::get_if<std::string>(&v);
    return text != nullptr ? *text : std::string();
}

/// `[name/]key/key…`
std::string position_text(const walk& at, std::span<const value> key)
{
    std::string all = at.name;
    for (const value& v : key)
        all += (all.empty() ? "" : "/") + text_of(v);
    return all;
}

std::optional<value> read_part(std::string_view column, std::string_view text)
{
    if (text.empty())
        return std::nullopt;
    if (kind_of_column(column) != column_kind::integer)
        return value(std::string(text));
    std::int64_t number = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, failed] = std::from_chars(text.data(), end, number);
    return failed == std::errc() && stop == end ? std::optional(value(number)) : std::nullopt;
}

/// The key of a position in this walk; nothing when it is a position in another.
std::optional<std::vector<value>> find_key(const walk& in, std::string_view position)
{
    if (!in.name.empty()) {
        if (!position.starts_with(in.name) || !position.substr(in.name.size()).starts_with('/'))
            return std::nullopt;
        position.remove_prefix(in.name.size() + 1);
    }
    std::vector<value> key;
    for (std::size_t i = 0; i < in.key.size(); ++i) {
        const bool last = i + 1 == in.key.size();
        const std::size_t slash = position.find('/');
        if ((slash == std::string_view::npos) != last)
            return std::nullopt;
        auto part = read_part(in.key[i], position.substr(0, slash));
        if (!part)
            return std::nullopt;
        key.push_back(std::move(*part));
        position.remove_prefix(last ? position.size() : slash + 1);
    }
    return key;
}

/// Where a page begins.
struct place {
    std::size_t walk = 0;
    std::vector<value> key; ///< empty: at the walk's start
};

std::optional<place> find_place(const list& what, std::string_view position)
{
    if (position.empty())
        return place();
    for (std::size_t i = 0; i < what.walks.size(); ++i) {
        if (auto key = find_key(what.walks[i], position))
            return place{i, std::move(*key)};
    }
    return std::nullopt;
}

/// Reads one page.
class page_reader {
public:
    page_reader(state_reader& from, const list& what, std::uint64_t limit, const columns_fn& on_columns,
                const each_row_fn& on_row)
        : from_(from)
        , what_(what)
        , left_(limit)
        , on_columns_(on_columns)
        , on_row_(on_row)
    {}

    result<std::optional<std::string>> read(place at);

private:
    result<bool> read_walk(const walk& w, std::vector<value>& key);

    state_reader& from_;
    const list& what_;
    std::uint64_t left_;
    const columns_fn& on_columns_;
    const each_row_fn& on_row_;
    int windows_ = windows_of_page;
};

/// Reads on in one walk; `key` becomes that of the last row. True when there are more rows after it.
result<bool> page_reader::read_walk(const walk& w, std::vector<value>& key)
{
    std::vector<std::size_t> places;
    bool more = false;
    // One row beyond what is wanted tells whether there is more.
    const auto done = from_.run(
        w.page(key, left_ + 1),
        [&](std::span<const result_column> columns) {
            on_columns_(columns);
            for (const std::string& name : w.key)
                places.push_back(static_cast<std::size_t>(
                    std::ranges::find(columns, name, &result_column::name) - columns.begin()));
        },
        [&](std::span<const value> row) {
            more = left_ == 0;
            if (more)
                return false;
            --left_;
            key.clear();
            for (const std::size_t i : places)
                key.push_back(row[i]);
            on_row_(row);
            return true;
        });
    if (!done)
        return done.error();
    return more;
}

/// The number from which a walk goes on after the window that began after `key`; nothing at its end.
std::optional<std::int64_t> next_window(const walk& w, std::span<const value> key)
{
    if (w.window == 0)
        return std::nullopt;
    const std::int64_t start = key.empty() ? 0 : std::get<std::int64_t>(key.front());
    if (start >= w.last - w.window)
        return std::nullopt;
    return start + w.window;
}

result<std::optional<std::string>> page_reader::read(place at)
{
    for (; at.walk < what_.walks.size(); ++at.walk, at.key.clear()) {
        const walk& w = what_.walks[at.walk];
        for (;;) {
            const auto goes_on = next_window(w, at.key);
            const auto more = read_walk(w, at.key);
            if (!more)
                return more.error();
            if (*more)
                return position_text(w, at.key);
            if (!goes_on)
                break;
            at.key.assign(1, value(*goes_on));
            if (left_ == 0 || --windows_ == 0)
                return position_text(w, at.key);
        }
        if (left_ == 0 && at.walk + 1 < what_.walks.size())
            return position_text(w, at.key);
    }
    return std::optional<std::string>();
}

} // namespace

result<std::optional<std::string>> read_page(state_reader& from, const list& what, std::string_view position,
                                             std::uint64_t limit, const columns_fn& on_columns,
                                             const each_row_fn& on_row)
{
    auto at = find_place(what, position);
    if (!at)
        return make_error(errc::invalid, "'" + std::string(position.substr(0, 200)) +
                                             "' is no place in this list; take it from the answer before");
    return page_reader(from, what, limit, on_columns, on_row).read(std::move(*at));
}

} // namespace chargifyd::state
