#include "journal/shared.hpp"

#include <algorithm>

namespace chargifyd::journal {

void durable_mark::announce()
{
    // Both sides go through the two atomics in opposite order, so either the waiter sees the new sequence, or
    // it is seen here and is woken under its mutex.
    if (waiting_.load() == 0)
        return;
    {
        const std::lock_guard hold(mutex_);
    }
    moved_.notify_all();
}

void durable_mark::stop()
{
    {
        const std::lock_guard hold(mutex_);
        stopped_ = true;
    }
    moved_.notify_all();
}

std::uint64_t durable_mark::wait_beyond(std::uint64_t sequence, std::stop_token stop)
{
    if (get() > sequence)
        return get();
    std::unique_lock hold(mutex_);
    waiting_.fetch_add(1);
    moved_.wait(hold, std::move(stop), [this, sequence] { return stopped_ || get() > sequence; });
    waiting_.fetch_sub(1);
    return get();
}

segment_list::segment_list(std::vector<segment_info> segments, metrics::gauge bytes)
    : segments_(std::move(segments))
    , bytes_(bytes)
{
    count();
}

std::vector<segment_info> segment_list::get() const
{
    const std::lock_guard hold(mutex_);
    return segments_;
}

std::uint64_t segment_list::first_sequence() const
{
    const std::lock_guard hold(mutex_);
    return segments_.front().first_sequence;
}

std::uint64_t segment_list::bytes() const
{
    const std::lock_guard hold(mutex_);
    return total_;
}

void segment_list::add(segment_info segment)
{
    const std::lock_guard hold(mutex_);
    segments_.push_back(std::move(segment));
    count();
}

void segment_list::update(const segment_info& segment)
{
    const std::lock_guard hold(mutex_);
    for (segment_info& known : segments_) {
        if (known.first_sequence == segment.first_sequence)
            known = segment;
    }
    count();
}

void segment_list::remove(std::uint64_t first_sequence)
{
    const std::lock_guard hold(mutex_);
    std::erase_if(segments_, [first_sequence](const segment_info& known) {
        return known.first_sequence == first_sequence;
    });
    count();
}

void segment_list::count()
{
    total_ = 0;
    for (const segment_info& segment : segments_)
        total_ += segment.bytes;
    bytes_.set(static_cast<double>(total_));
}

} // namespace chargifyd::journal
