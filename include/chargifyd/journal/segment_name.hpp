#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace chargifyd::journal {

/// A file of a journal, by its name in the journal's directory.
struct segment_name {
    std::uint64_t first_sequence = 0;
    bool compressed = false;
};

/// Nothing: another file, or one that is being made.
std::optional<segment_name> parse_segment_name(std::string_view name) noexcept;
std::string format_segment_name(const segment_name& name);

} // namespace chargifyd::journal
