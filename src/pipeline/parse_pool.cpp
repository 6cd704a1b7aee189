#include "parse_pool.hpp"

#include "chargifyd/base/thread.hpp"

namespace chargifyd::pipeline {

void parse(chunk& c)
{
    c.webhooks.clear();
    c.out_of_memory = false;
    try {
        c.webhooks.reserve(c.count);
        for (std::size_t i = 0; i < c.count; ++i) {
            const journal::record& r = c.records[i];
            c.webhooks.push_back(state::prepare(r.sequence, r.site, r.received_at, r.body));
        }
    } catch (const std::bad_alloc&) {
        c.webhooks.clear();
        c.out_of_memory = true;
    }
}

parse_pool::parse_pool(unsigned threads)
{
    threads_.reserve(threads);
    try {
        for (unsigned i = 0; i < threads; ++i)
            threads_.emplace_back([this] { work(); });
    } catch (...) {
        end();
        throw;
    }
}

parse_pool::~parse_pool()
{
    end();
}

void parse_pool::end()
{
    {
        const std::lock_guard hold(mutex_);
        stop_ = true;
    }
    submitted_.notify_all();
    for (std::thread& t : threads_)
        t.join();
}

void parse_pool::submit(chunk& c)
{
    {
        const std::lock_guard hold(mutex_);
        c.parsed = false;
        waiting_.push_back(&c);
    }
    submitted_.notify_one();
}

void parse_pool::wait(chunk& c)
{
    std::unique_lock hold(mutex_);
    finished_.wait(hold, [&c] { return c.parsed; });
}

void parse_pool::work()
{
    give_way_to_answers(work_kind::applying);
    std::unique_lock hold(mutex_);
    for (;;) {
        submitted_.wait(hold, [this] { return stop_ || !waiting_.empty(); });
        if (waiting_.empty())
            return;
        chunk* const mine = waiting_.front();
        waiting_.pop_front();
        hold.unlock();
        parse(*mine);
        hold.lock();
        mine->parsed = true;
        finished_.notify_all();
    }
}

} // namespace chargifyd::pipeline
