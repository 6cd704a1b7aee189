#pragma once

#include "ctl/context.hpp"

#include "chargifyd/journal/journal.hpp"

#include <cstdint>

namespace chargifyd::ctl {

/// The webhook of that sequence, from the journal; fails with not_found when it is not there (any more).
journal::record read_webhook(context& ctx, std::uint64_t sequence);

/// Writes a webhook's body, decoded, one pair to a row in the order received, with tokens masked; or, `raw`,
/// its bytes.
void write_body(context& ctx, const journal::record& r, bool raw);

} // namespace chargifyd::ctl
