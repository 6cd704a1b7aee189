#include "config/table.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <utility>

namespace chargifyd::config {

std::string_view describe(const toml::node& value) noexcept
{
    switch (value.type()) {
    case toml::node_type::none:
        return "nothing";
    case toml::node_type::table:
        return "a table";
    case toml::node_type::array:
        return "a list";
    case toml::node_type::string:
        return "a text";
    case toml::node_type::integer:
        return "a whole number";
    case toml::node_type::floating_point:
        return "a fraction";
    case toml::node_type::boolean:
        return "true or false";
    case toml::node_type::date:
        return "a date";
    case toml::node_type::time:
        return "a time";
    case toml::node_type::date_time:
        return "a date and time";
    }
    return "something else";
}

table::table(const toml::table* values, std::string name, findings& to)
    : values_(values)
    , name_(std::move(name))
    , shown_(name_)
    , to_(to)
{}

std::string table::full(std::string_view key) const
{
    return key_name{name_, std::string(key)}.full();
}

bool table::has(std::string_view key) const
{
    return values_ && values_->contains(key);
}

std::size_t table::line(std::string_view key) const
{
    if (!values_)
        return 0;
    const auto found = values_->find(key);
    return found != values_->end() ? found->first.source().begin.line : values_->source().begin.line;
}

const toml::node* table::take(std::string_view key)
{
    to_.known(name_, key);
    taken_.emplace_back(key);
    return values_ ? values_->get(key) : nullptr;
}

std::optional<item> table::text(std::string_view key)
{
    const toml::node* const found = take(key);
    if (!found)
        return std::nullopt;
    if (const auto* const value = found->as_string())
        return item{value->get(), line(key)};
    wrong(key, fmt::format("must be a text, not {}; write it in double quotes", describe(*found)));
    return std::nullopt;
}

std::vector<item> table::texts(std::string_view key)
{
    std::vector<item> all;
    const toml::node* const found = take(key);
    if (!found)
        return all;
    const toml::array* const list = found->as_array();
    if (!list) {
        wrong(key, fmt::format("must be a list, not {}; write [\"…\"]", describe(*found)));
        return all;
    }
    for (const toml::node& element : *list) {
        const std::size_t at = element.source().begin.line;
        if (const auto* const value = element.as_string())
            all.push_back({value->get(), at});
        else
            wrong_at(at, key, fmt::format("must hold texts, not {}; write [\"…\"]", describe(element)));
    }
    return all;
}

void table::flag(std::string_view key, bool& into)
{
    if (const toml::node* const found = take(key)) {
        if (const auto* const value = found->as_boolean())
            into = value->get();
        else
            wrong(key,
                  fmt::format("must be true or false, not {}; write it without quotes", describe(*found)));
    }
    note(key, into ? "true" : "false");
}

std::optional<std::int64_t> table::whole_number(std::string_view key, std::int64_t least, std::int64_t most)
{
    const toml::node* const found = take(key);
    if (!found)
        return std::nullopt;
    const auto* const value = found->as_integer();
    if (!value) {
        wrong(key, fmt::format("must be a whole number, not {}; write a number from {} to {}",
                               describe(*found), least, most));
        return std::nullopt;
    }
    if (value->get() < least || value->get() > most) {
        wrong(key,
              fmt::format("is {}, out of range; write a number from {} to {}", value->get(), least, most));
        return std::nullopt;
    }
    return value->get();
}

void table::seconds(std::string_view key, std::chrono::milliseconds& into)
{
    auto whole = std::chrono::duration_cast<std::chrono::seconds>(into).count();
    number(key, whole, 1, 3600);
    into = std::chrono::seconds(whole);
}

void table::note(std::string_view key, const std::string& value)
{
    to_.effective(key_name{shown_, std::string(key)}.full(), value, has(key));
}

void table::wrong(std::string_view key, const std::string& text)
{
    wrong_at(line(key), key, text);
}

void table::wrong_at(std::size_t at, std::string_view key, const std::string& text)
{
    to_.mistake(at, full(key) + " " + text);
}

void table::warn_at(std::size_t at, std::string_view key, const std::string& text)
{
    to_.warning(at, full(key) + " " + text);
}

std::vector<std::string> table::keys() const
{
    std::vector<std::string> all;
    if (values_) {
        for (const auto& [key, value] : *values_)
            all.emplace_back(key.str());
    }
    return all;
}

void table::finish()
{
    if (!values_)
        return;
    for (const auto& [key, value] : *values_) {
        if (std::find(taken_.begin(), taken_.end(), key.str()) == taken_.end())
            to_.unknown(name_, key.str(), key.source().begin.line,
                        value.is_table() || value.is_array_of_tables());
    }
}

} // namespace chargifyd::config
