#include "admin/parameters.hpp"

#include "chargifyd/base/time.hpp"
#include "chargifyd/state/when.hpp"

#include <algorithm>
#include <chrono>
#include <set>

namespace chargifyd::admin {

namespace {

using chargify::form;

constexpr std::int64_t default_limit = 100;
constexpr std::int64_t largest_limit = 1000;

std::string percent_encoded(std::string_view text)
{
    static constexpr std::string_view digits = "0123456789ABCDEF";
    static constexpr std::string_view bare =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
    std::string encoded;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (bare.find(c) != std::string_view::npos)
            encoded += c;
        else
            encoded += {'%', digits[byte >> 4], digits[byte & 15]};
    }
    return encoded;
}

} // namespace

parameters::parameters(const std::string& query, std::initializer_list<std::string_view> known)
{
    auto parsed = form::parse(query);
    if (!parsed)
        throw bad_parameter{parsed.error().message};
    tree_ = std::move(*parsed);
    std::set<std::string_view> seen;
    for (form::index i = tree_.at(form::root).first_child; i != form::none; i = tree_.at(i).next_sibling) {
        const std::string_view key = tree_.at(i).key;
        if (tree_.at(i).is_branch || std::ranges::find(known, key) == known.end())
            throw bad_parameter{"no such parameter here: " + chargify::clean_utf8(key.substr(0, 60))};
        if (!seen.insert(key).second)
            throw bad_parameter{std::string(key) + " stands more than once"};
    }
}

std::string parameters::text(std::string_view key) const
{
    return chargify::clean_utf8(tree_.text(form::root, key).value_or(std::string_view()));
}

std::optional<std::int64_t> parameters::number(std::string_view key) const
{
    if (!tree_.text(form::root, key))
        return std::nullopt;
    const auto value = tree_.integer(form::root, key);
    if (!value || *value < 0)
        throw bad_parameter{std::string(key) + " is a number"};
    return value;
}

std::optional<bool> parameters::flag(std::string_view key) const
{
    const std::string given = text(key);
    if (given.empty())
        return std::nullopt;
    if (given != "true" && given != "false")
        throw bad_parameter{std::string(key) + " is true or false"};
    return given == "true";
}

std::string parameters::moment(std::string_view key) const
{
    const std::string given = text(key);
    if (given.empty())
        return {};
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    const auto when = state::parse_moment(given, now);
    if (!when)
        throw bad_parameter{std::string(key) + ": " + when.error().message};
    return format_utc(*when);
}

std::uint64_t parameters::limit() const
{
    const std::int64_t given = number("limit").value_or(default_limit);
    if (given < 1 || given > largest_limit)
        throw bad_parameter{"limit is from 1 to " + std::to_string(largest_limit)};
    return static_cast<std::uint64_t>(given);
}

std::string parameters::continued(const std::string& after) const
{
    std::string query = "?";
    for (form::index i = tree_.at(form::root).first_child; i != form::none; i = tree_.at(i).next_sibling) {
        if (tree_.at(i).key != "after")
            query += percent_encoded(tree_.at(i).key) + "=" + percent_encoded(tree_.at(i).value) + "&";
    }
    return query + "after=" + percent_encoded(after);
}

} // namespace chargifyd::admin
