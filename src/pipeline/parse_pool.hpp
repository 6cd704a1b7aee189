#pragma once

#include "chargifyd/journal/journal.hpp"
#include "chargifyd/state/webhook.hpp"

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

namespace chargifyd::pipeline {

/// Some consecutive webhooks: as journalled, and as read. Belongs to the pool between `submit` and `wait`.
struct chunk {
    std::vector<journal::record> records; ///< reused from chunk to chunk; the first `count` are filled
    std::size_t count = 0;
    std::vector<state::webhook> webhooks; ///< `count` of them once parsed
    bool out_of_memory = false;           ///< they could not be; try again
    bool handed_over = false;             ///< to the pool
    bool parsed = false;                  ///< guarded by the pool's mutex
};

/// Reads every record of the chunk. Pure work on the chunk; any thread.
void parse(chunk& c);

/// Threads that parse chunks in parallel. The order is kept by whoever waits for them in the order submitted.
class parse_pool {
public:
    explicit parse_pool(unsigned threads);
    /// Finishes what was submitted.
    ~parse_pool();
    parse_pool(const parse_pool&) = delete;
    parse_pool& operator=(const parse_pool&) = delete;

    void submit(chunk& c);
    /// Returns once the chunk is parsed.
    void wait(chunk& c);

private:
    void work();
    void end();

    std::mutex mutex_;
    std::condition_variable submitted_;
    std::condition_variable finished_;
    std::deque<chunk*> waiting_;
    bool stop_ = false;
    std::vector<std::thread> threads_;
};

} // namespace chargifyd::pipeline
