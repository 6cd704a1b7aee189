#pragma once

#include "chargifyd/quarantine/quarantine.hpp"

#include <string>
#include <string_view>

namespace chargifyd::quarantine {

/// A file of the store: lines of text, an empty line, the body.
///
///   chargifyd-quarantine 1
///   received 1780000000123456      microseconds since 1970
///   site acme
///   peer 192.0.2.7
///   signature 64 hex digits
///   bytes 4096                     of the body
///
///   id=1&event=…
std::string write_file(const entry& e);
/// errc::corrupt
result<entry> read_file(std::uint64_t number, std::string_view content);

/// 20 digits, so that the order of names is the order of numbers.
std::string file_name(std::uint64_t number);
/// 0: not a name of ours.
std::uint64_t number_of(std::string_view file_name) noexcept;

} // namespace chargifyd::quarantine
