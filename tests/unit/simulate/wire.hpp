#pragma once

#include "chargifyd/chargify/envelope.hpp"
#include "chargifyd/simulate/body.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Judges bodies by the rules of Chargify's encoding, apart from the code that writes them.
namespace chargifyd::simulate {

using wire_pairs = std::vector<std::pair<std::string, std::string>>; ///< as written, not decoded

inline wire_pairs split_body(std::string_view body)
{
    wire_pairs pairs;
    while (true) {
        const std::size_t end = body.find('&');
        const std::string_view pair = body.substr(0, end);
        const std::size_t equals = pair.find('=');
        pairs.emplace_back(pair.substr(0, equals),
                           equals == std::string_view::npos ? "(no =)" : pair.substr(equals + 1));
        if (end == std::string_view::npos)
            return pairs;
        body.remove_prefix(end + 1);
    }
}

inline bool is_wire_letter(char c)
{
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string_view("-._!'()").find(c) != std::string::npos;
}

/// `name` or `payload[name][name]…[]`, all bare.
inline bool is_wire_key(std::string_view key)
{
    const std::size_t bracket = key.find('[');
    const auto is_name = [](std::string_view part) {
        return !part.empty() && std::ranges::all_of(part, [](char c) {
            return c == '_' || std::islower(static_cast<unsigned char>(c)) != 0 ||
                   std::isdigit(static_cast<unsigned char>(c)) != 0;
        });
    };
    if (!is_name(key.substr(0, bracket)))
        return false;
    std::string_view rest = bracket == std::string_view::npos ? std::string_view() : key.substr(bracket);
    while (!rest.empty()) {
        const std::size_t end = rest.find(']');
        if (rest.front() != '[' || end == std::string_view::npos)
            return false;
        const std::string_view part = rest.substr(1, end - 1);
        rest.remove_prefix(end + 1);
        if (!is_name(part) && !(part.empty() && rest.empty()))
            return false;
    }
    return true;
}

/// Bare where it may be, `%XX` in upper case elsewhere, and never where it need not be.
inline bool is_wire_value(std::string_view value)
{
    const auto digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F'); };
    for (std::size_t i = 0; i < value.size(); ++i) {
        if (is_wire_letter(value[i]))
            continue;
        if (value[i] != '%' || i + 2 >= value.size() || !digit(value[i + 1]) || !digit(value[i + 2]))
            return false;
        const char byte = static_cast<char>(std::stoi(std::string(value.substr(i + 1, 2)), nullptr, 16));
        if (is_wire_letter(byte))
            return false;
        i += 2;
    }
    return true;
}

inline void expect_wire_exact(const webhook& sent)
{
    const wire_pairs pairs = split_body(sent.body);
    ASSERT_GE(pairs.size(), 3U) << sent.event;
    EXPECT_EQ(pairs[0], (wire_pairs::value_type{"id", std::to_string(sent.id)})) << sent.event;
    EXPECT_EQ(pairs[1], (wire_pairs::value_type{"event", sent.event}));
    for (std::size_t i = 0; i < pairs.size(); ++i) {
        EXPECT_TRUE(is_wire_key(pairs[i].first)) << sent.event << ": " << pairs[i].first;
        EXPECT_TRUE(is_wire_value(pairs[i].second)) << sent.event << ": " << pairs[i].first;
        EXPECT_EQ(pairs[i].first.starts_with("payload["), i >= 2) << sent.event << ": " << pairs[i].first;
        EXPECT_EQ(pairs[i].first == "payload[event_id]" && i + 1 < pairs.size(), false) << sent.event;
    }
}

/// As a receiver reads it.
inline chargify::envelope read(const webhook& sent)
{
    auto tree = chargify::form::parse(sent.body);
    EXPECT_TRUE(tree) << sent.event;
    auto found = chargify::read_envelope(tree ? std::move(*tree) : chargify::form());
    EXPECT_TRUE(found) << sent.event;
    return found ? std::move(*found) : chargify::envelope();
}

} // namespace chargifyd::simulate
