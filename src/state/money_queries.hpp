#pragma once

#include "chargifyd/state/queries_changes.hpp"

#include <vector>

namespace chargifyd::state {

/// The changes of `with.kinds` in a time as `kind, site, currency, amount_in_cents`, in no order, each once.
result<std::vector<query>> money_queries(state_reader& from, const change_filter& with);

} // namespace chargifyd::state
