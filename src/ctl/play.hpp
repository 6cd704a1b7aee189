#pragma once

#include "ctl/context.hpp"
#include "ctl/delivery.hpp"

#include "chargifyd/simulate/sender.hpp"

#include <vector>

namespace chargifyd::ctl {

/// Sends the webhooks as the queue hands them out, and writes a row for each attempt as it comes. Failed when
/// one of them was not acknowledged in the end.
exit_code play(context& ctx, simulate::sender& to, const std::vector<simulate::webhook>& all,
               delivery_queue queue);

} // namespace chargifyd::ctl
