#include "chargifyd/state/row_cache.hpp"

#include <utility>

namespace chargifyd::state {

namespace {

/// The kinds of which nearly every webhook names a row that the one before named too.
bool comes_again(object_kind kind) noexcept
{
    return kind == object_kind::subscription || kind == object_kind::customer || kind == object_kind::product;
}

void make_name(std::string& name, object_kind kind, std::string_view site, const object_key& key)
{
    name.assign(1, static_cast<char>(kind)).append(site);
    for (const value& part : key) {
        name += '\0'; // no text of a row holds one
        if (const auto* const number = std::get_if<std::int64_t>(&part))
            name.append(reinterpret_cast<const char*>(number), sizeof *number);
        else if (const auto* const text = std::get_if<std::string>(&part))
            name += *text;
    }
}

std::size_t bytes_of(const object_row& row)
{
    std::size_t bytes = row.columns.size() * sizeof(value) + row.attributes.size() + row.patches.size();
    for (const value& v : row.columns) {
        if (const auto* const text = std::get_if<std::string>(&v))
            bytes += text->size();
    }
    return bytes;
}

/// Its texts are moments and names, most of them just too long to lie inside.
constexpr std::size_t timeline_bytes = sizeof(timeline_entry) + 1024;

} // namespace

row_cache::entry& row_cache::find(object_kind kind, std::string_view site, const object_key& key)
{
    make_name(name_, kind, site, key);
    rows& among = comes_again(kind) ? kept_ : passing_;
    if (const auto known = among.find(name_); known != among.end())
        return known->second;
    auto found = into_.load(kind, site, key);
    entry& e = among.try_emplace(name_).first->second;
    e.kind = kind;
    e.site = site;
    e.key = key;
    e.stored = found.has_value();
    if (found) {
        e.row = std::move(*found);
        e.stored_base = e.row.base;
    } else {
        e.row.columns.assign(table_of(kind).columns.size(), value());
    }
    return e;
}

row_cache::opened row_cache::open(object_kind kind, std::string_view site, const object_key& key)
{
    entry& e = find(kind, site, key);
    const bool is_new = !e.stored && !e.open;
    if (!std::exchange(e.open, true))
        open_.push_back(&e);
    return {e.row, is_new, e.newest};
}

void row_cache::flush()
{
    for (entry* const each : open_) {
        entry& e = *each;
        if (!e.stored)
            into_.insert(e.kind, e.site, e.key, e.row);
        else if (e.row.changed != 0 || e.row.base != e.stored_base)
            into_.update(e.kind, e.site, e.key, e.row);
        if (!comes_again(e.kind))
            continue;
        e.stored = true;
        e.open = false;
        e.stored_base = e.row.base;
        e.row.changed = 0;
        const std::size_t bytes =
            sizeof(rows::value_type) + bytes_of(e.row) + (e.newest ? timeline_bytes : 0);
        bytes_ += bytes - e.bytes;
        e.bytes = bytes;
    }
    open_.clear();
    passing_.clear();
    into_.flush();
}

void row_cache::clear() noexcept
{
    open_.clear();
    kept_.clear();
    passing_.clear();
    bytes_ = 0;
}

} // namespace chargifyd::state
