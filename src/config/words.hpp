#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace chargifyd::config {

/// How much of a value a message shows.
inline constexpr std::size_t longest_shown = 80;

/// `text` in double quotes, cut at `limit` bytes. What is not printable ASCII is escaped.
std::string in_quotes(std::string_view text, std::size_t limit = longest_shown);

/// A TOML array of `texts`, uncut.
std::string in_brackets(std::span<const std::string> texts);

/// How many letters must be inserted, removed, replaced or swapped with their neighbour to turn `a` into `b`.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The candidate that `word` was most likely meant to be, or nothing when none is near.
std::string_view nearest(std::string_view word, std::span<const std::string> candidates);

} // namespace chargifyd::config
