#pragma once

#include "chargifyd/base/error.hpp"

#include <string>
#include <string_view>

namespace chargifyd::ctl {

/// Finds the signature in captured request headers: `Name: value` lines with any line ends, names in any
/// case, perhaps after a request line and perhaps each after `> ` (as curl shows them). What follows an empty
/// line is not read. The text as it stands there, without white space around it. errc::not_found: no
/// signature header; errc::invalid: several that differ.
result<std::string> signature_in(std::string_view headers);

} // namespace chargifyd::ctl
