#include "chargifyd/state/row_cache.hpp"

#include <utility>

namespace chargifyd::state {

namespace {

std::string name_of(object_kind kind, std::string_view site, const object_key& key)
{
    std::string name(1, static_cast<char>(kind));
    name += site;
    for (const value& part : key) {
        name += '\0'; // no text of a row holds one
        if (const auto* const number = std::get_if<std::int64_t>(&part))
            name.append(reinterpret_cast<const char*>(number), sizeof *number);
        else if (const auto* const text = std::get_if<std::string>(&part))
            name += *text;
    }
    return name;
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

bool same(const object_row& a, const object_row& b)
{
    return a.base == b.base && a.columns == b.columns && a.attributes == b.attributes &&
           a.patches == b.patches;
}

} // namespace

bool row_cache::keeps(object_kind kind) noexcept
{
    return kind == object_kind::subscription || kind == object_kind::customer || kind == object_kind::product;
}

row_cache::entry& row_cache::find(object_kind kind, std::string_view site, const object_key& key)
{
    std::string name = name_of(kind, site, key);
    if (const auto known = rows_.find(name); known != rows_.end())
        return known->second;
    entry fresh{kind, std::string(site), key, {}, {}};
    if (auto found = into_.load(kind, site, key)) {
        fresh.row = std::move(*found);
        fresh.stored = true;
    } else {
        fresh.row.columns.assign(table_of(kind).columns.size(), value());
    }
    fresh.bytes = bytes_of(fresh.row);
    bytes_ += sizeof(entry) + name.size() + fresh.bytes;
    return rows_.emplace(std::move(name), std::move(fresh)).first->second;
}

row_cache::opened row_cache::open(object_kind kind, std::string_view site, const object_key& key)
{
    entry& e = find(kind, site, key);
    const bool is_new = !e.stored && !e.changed;
    if (!e.changed) {
        changed_.push_back(&e);
        e.changed = true;
        if (e.stored)
            e.was = e.row;
    }
    return {e.row, is_new};
}

void row_cache::flush()
{
    for (entry* const e : changed_) {
        e->changed = false;
        if (!e->stored)
            into_.insert(e->kind, e->site, e->key, e->row);
        else if (!same(e->was, e->row))
            into_.update(e->kind, e->site, e->key, e->was, e->row);
        e->stored = true;
        e->was = {};
        const std::size_t bytes = bytes_of(e->row);
        bytes_ += bytes - e->bytes;
        e->bytes = bytes;
    }
    changed_.clear();
}

void row_cache::clear() noexcept
{
    changed_.clear();
    rows_.clear();
    bytes_ = 0;
}

} // namespace chargifyd::state
