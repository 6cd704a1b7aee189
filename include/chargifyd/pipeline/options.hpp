#pragma once

#include <chrono>
#include <cstddef>

namespace chargifyd::pipeline {

struct options {
    unsigned workers = 0;                         ///< threads that parse; 0: one per core
    std::size_t batch_webhooks = 256;             ///< most webhooks in one transaction
    std::size_t batch_bytes = 4 * 1024 * 1024;    ///< most body bytes in one transaction
    std::size_t kept_row_bytes = 4 * 1024 * 1024; ///< rows kept between transactions, about
    std::chrono::days retention{0};               ///< applied segments older than this are deleted; 0: kept
    /// A state that could not be made anew after an upgrade is tried again so much later.
    std::chrono::milliseconds rebuild_retry{60'000};
};

} // namespace chargifyd::pipeline
