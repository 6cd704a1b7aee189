#pragma once

#include "ctl/context.hpp"
#include "ctl/delivery.hpp"

#include "chargifyd/simulate/sender.hpp"

#include <functional>
#include <vector>

namespace chargifyd::ctl {

/// One attempt to deliver a webhook, when it is over.
struct delivered {
    const simulate::webhook& what;
    unsigned number; ///< of the attempt, from 1
    const simulate::attempt& answer;
    std::optional<std::chrono::milliseconds> again; ///< when it will be tried again

    bool acknowledged() const noexcept { return answer.status == 200; }
};

/// Sends what the queue hands out until nothing is left, over as many connections at once as there are
/// senders. `make` gives the webhook of a number, from any thread; `seen` is called for each attempt, one
/// call at a time. With one sender everything happens on the calling thread. An exception ends the deliveries
/// and comes out here.
void deliver(std::vector<simulate::sender>& over, delivery_queue queue,
             const std::function<simulate::webhook(std::size_t)>& make,
             const std::function<void(const delivered&)>& seen);

/// Sends the webhooks as the queue hands them out, and writes a row for each attempt as it comes. Failed when
/// one of them was not acknowledged in the end.
exit_code play(context& ctx, simulate::sender to, const std::vector<simulate::webhook>& all,
               delivery_queue queue);

} // namespace chargifyd::ctl
