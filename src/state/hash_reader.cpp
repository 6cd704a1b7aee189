#include "hash_reader.hpp"

#include "chargifyd/base/time.hpp"
#include "chargifyd/chargify/timestamp.hpp"

#include <algorithm>

namespace chargifyd::state {

namespace {

using chargify::form;

/// What lets its holder charge a card or act for a customer stays in the journal and goes no further. The
/// public address of an invoice holds a token.
bool is_secret(std::string_view key)
{
    return key.ends_with("token") || key == "full_number" || key == "cvv" || key == "public_url";
}

constexpr std::size_t few_extras = 32;

std::optional<value> convert_integer(std::string_view text)
{
    std::int64_t number = 0;
    const bool negative = !text.empty() && text.front() == '-';
    if (negative || (!text.empty() && text.front() == '+'))
        text.remove_prefix(1);
    if (text.empty())
        return std::nullopt;
    for (const char c : text) {
        if (c < '0' || c > '9' || __builtin_mul_overflow(number, 10, &number) ||
            __builtin_sub_overflow(number, c - '0', &number))
            return std::nullopt;
    }
    if (!negative && __builtin_sub_overflow(std::int64_t{0}, number, &number))
        return std::nullopt;
    return value(number);
}

bool all_digits(std::string_view text)
{
    return std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

std::optional<value> convert_decimal(std::string_view text)
{
    constexpr std::size_t longest = 40;
    const bool negative = !text.empty() && text.front() == '-';
    if (negative || (!text.empty() && text.front() == '+'))
        text.remove_prefix(1);
    const std::size_t dot = std::min(text.find('.'), text.size());
    std::string_view whole = text.substr(0, dot);
    std::string_view fraction = text.substr(std::min(dot + 1, text.size()));
    if (text.size() > longest || (whole.empty() && fraction.empty()) || !all_digits(whole) ||
        !all_digits(fraction))
        return std::nullopt;
    while (whole.size() > 1 && whole.front() == '0')
        whole.remove_prefix(1);
    while (!fraction.empty() && fraction.back() == '0')
        fraction.remove_suffix(1);
    std::string number = whole.empty() ? "0" : std::string(whole);
    if (!fraction.empty())
        number += "." + std::string(fraction);
    return value(negative && number != "0" ? "-" + number : number);
}

} // namespace

std::optional<value> convert(column_kind kind, std::string_view text)
{
    switch (kind) {
    case column_kind::integer:
        return convert_integer(text);
    case column_kind::text:
        return value(chargify::clean_utf8(text));
    case column_kind::decimal:
        return convert_decimal(text);
    case column_kind::time:
        if (const auto when = chargify::parse_timestamp(text))
            return value(format_utc(*when));
        return std::nullopt;
    case column_kind::flag:
        if (text == "true" || text == "1")
            return value(std::int64_t{1});
        if (text == "false" || text == "0")
            return value(std::int64_t{0});
        return std::nullopt;
    }
    return std::nullopt;
}

std::string_view last_digits(std::string_view masked) noexcept
{
    std::size_t digits = 0;
    while (digits < 4 && digits < masked.size() && all_digits(masked.substr(masked.size() - digits - 1, 1)))
        ++digits;
    return masked.substr(masked.size() - digits);
}

std::string_view quantity_text(std::string_view text) noexcept
{
    if (text == "true" || text == "on")
        return "1";
    if (text == "false" || text == "off")
        return "0";
    return text;
}

hash_reader::hash_reader(const form& tree, observation& into)
    : tree_(tree)
    , into_(into)
    , table_(table_of(into.kind))
{
    into_.columns.assign(table_.columns.size(), value());
}

hash_reader& hash_reader::read(index hash, std::initializer_list<std::string_view> but)
{
    if (hash == form::none)
        return *this;
    for (index i = tree_.at(hash).first_child; i != form::none; i = tree_.at(i).next_sibling) {
        const std::string_view key = tree_.at(i).key;
        const bool is_key = key == "id" && (table_.keys.back().name == "id" || table_.keys.size() == 2);
        if (!is_key && std::ranges::find(but, key) == but.end())
            read_field(i);
    }
    return *this;
}

hash_reader& hash_reader::read_field(index i, std::string_view as)
{
    if (i == form::none)
        return *this;
    const form::node& field = tree_.at(i);
    if (is_secret(field.key))
        return *this;
    const auto column = field.is_branch ? std::nullopt : table_.find(as.empty() ? field.key : as);
    if (!column) {
        add_extra(chargify::clean_utf8(field.key), i);
    } else if (field.value.empty()) {
        if (into_.full)
            into_.columns[*column] = value();
    } else if (auto converted = convert(table_.columns[*column].kind, field.value)) {
        into_.columns[*column] = std::move(*converted);
    } else {
        add_extra(chargify::clean_utf8(field.key), i);
    }
    return *this;
}

hash_reader& hash_reader::read_key(index hash, std::string_view key, std::string_view as)
{
    if (hash == form::none)
        return *this;
    index last = form::none;
    for (index i = tree_.at(hash).first_child; i != form::none; i = tree_.at(i).next_sibling) {
        if (tree_.at(i).key == key)
            last = i;
    }
    return read_field(last, as);
}

hash_reader& hash_reader::set(std::string_view column, value v)
{
    if (!std::holds_alternative<std::monostate>(v) || into_.full)
        into_.columns[*table_.find(column)] = std::move(v);
    return *this;
}

void hash_reader::add_extra(std::string key, index node)
{
    // Few are found faster by looking at each; a map keeps a body with very many from taking long.
    std::size_t at = extras_.size();
    if (at < few_extras) {
        const auto same = [&key](const auto& extra) { return extra.first == key; };
        at = static_cast<std::size_t>(std::ranges::find_if(extras_, same) - extras_.begin());
    } else {
        for (std::size_t i = position_.size(); i < extras_.size(); ++i)
            position_.emplace(extras_[i].first, i);
        if (const auto known = position_.find(key); known != position_.end())
            at = known->second;
    }
    if (at == extras_.size())
        extras_.emplace_back(std::move(key), node);
    else
        extras_[at].second = node;
}

bool hash_reader::is_nil(index i) const
{
    return !tree_.at(i).is_branch && tree_.at(i).value.empty();
}

std::string hash_reader::json_of(index node) const
{
    if (tree_.at(node).is_branch)
        return tree_.to_json(node, is_secret);
    std::string text;
    form::append_json_string(text, tree_.at(node).value);
    return text;
}

void hash_reader::finish()
{
    if (!into_.full) {
        for (auto& [key, node] : extras_) {
            if (!is_nil(node))
                into_.extras.emplace_back(std::move(key), json_of(node));
        }
        return;
    }
    std::string& json = into_.attributes;
    json = "{";
    for (const auto& [key, node] : extras_) {
        if (json.size() > 1)
            json += ',';
        form::append_json_string(json, key);
        json += ':';
        json += is_nil(node) ? "null" : json_of(node);
    }
    json += '}';
}

} // namespace chargifyd::state
