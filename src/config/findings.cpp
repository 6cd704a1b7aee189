#include "config/findings.hpp"

#include "config/words.hpp"

#include <algorithm>
#include <utility>

namespace chargifyd::config {

namespace {

void sort_by_line(std::vector<mistake>& all)
{
    std::stable_sort(all.begin(), all.end(),
                     [](const mistake& a, const mistake& b) { return a.line < b.line; });
}

/// The head of a table as it stands in the file.
std::string as_written(const std::string& table)
{
    return table == "site" ? "[[site]]" : "[" + table + "]";
}

} // namespace

void findings::mistake(std::size_t line, std::string text)
{
    mistakes_.push_back({line, std::move(text)});
}

void findings::warning(std::size_t line, std::string text)
{
    warnings_.push_back({line, std::move(text)});
}

void findings::effective(const std::string& full_key, const std::string& value, bool set_by_file)
{
    effective_.push_back(full_key + " = " + value + (set_by_file ? "" : "  # default"));
}

void findings::known(std::string_view table, std::string_view key)
{
    const auto same = [&](const key_name& k) { return k.table == table && k.key == key; };
    if (std::none_of(known_.begin(), known_.end(), same))
        known_.push_back({std::string(table), std::string(key)});
}

void findings::unknown(std::string_view table, std::string_view key, std::size_t line, bool is_table)
{
    unknown_.push_back({{std::string(table), std::string(key)}, line, is_table});
}

std::string findings::suggestion(const key_name& unknown) const
{
    std::vector<std::string> here;
    for (const key_name& k : known_) {
        if (k.table == unknown.table)
            here.push_back(k.key);
    }
    if (const std::string_view meant = nearest(unknown.key, here); !meant.empty())
        return "did you mean " + std::string(meant) + "?";
    for (const key_name& k : known_) {
        if (k.key == unknown.key)
            return k.table.empty() ? "it belongs at the top of the file, before the first table"
                                   : "it belongs in " + as_written(k.table);
    }
    return "remove it";
}

void findings::finish(loaded& out) &&
{
    for (const unknown_key& u : unknown_) {
        const std::string where =
            u.name.table.empty() ? "at the top of the file" : "in " + as_written(u.name.table);
        mistake(u.line, (u.is_table ? "unknown table " : "unknown key ") + in_quotes(u.name.key) + " " +
                            where + "; " + suggestion(u.name));
    }
    sort_by_line(mistakes_);
    sort_by_line(warnings_);
    out.mistakes = std::move(mistakes_);
    out.warnings = std::move(warnings_);
    if (out.mistakes.empty())
        out.value.effective = std::move(effective_);
}

} // namespace chargifyd::config
