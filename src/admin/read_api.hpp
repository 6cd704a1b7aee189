#pragma once

#include "chargifyd/ingress/operator_server.hpp"

#include <filesystem>
#include <optional>

namespace chargifyd::admin {

/// GET /v1/…: the questions people ask of the state (docs/operations.md). Nothing: no such path.
///
/// A list is an array; a `Link` header with rel="next" says how to go on. A statement that takes longer than
/// two seconds is ended with 503.
std::optional<ingress::operator_reply> answer_read(const std::filesystem::path& state_file,
                                                   const ingress::operator_request& request);

} // namespace chargifyd::admin
