#include "journal/queue.hpp"

#include "journal/format.hpp"

#include <utility>

namespace chargifyd::journal {

append_queue::append_queue(std::size_t most_webhooks, std::size_t most_bytes) noexcept
    : most_webhooks_(most_webhooks)
    , most_bytes_(most_bytes)
{}

append_status append_queue::push(append_operation& operation) noexcept
{
    operation.next_ = nullptr;
    // What a record cannot hold will never fit.
    if (operation.body.size() > format::longest_body || operation.site.size() > format::longest_text ||
        operation.peer.size() > format::longest_text)
        return append_status::queue_full;
    bool wake = false;
    {
        const std::lock_guard hold(mutex_);
        if (closed_)
            return append_status::stopped;
        if (webhooks_ >= most_webhooks_ || operation.body.size() > most_bytes_ - bytes_)
            return append_status::queue_full;
        ++webhooks_;
        bytes_ += operation.body.size();
        if (last_ != nullptr)
            last_->next_ = &operation;
        else
            first_ = &operation;
        last_ = &operation;
        wake = std::exchange(idle_, false);
    }
    if (wake)
        arrived_.notify_one();
    return append_status::stored;
}

append_status append_queue::state() const noexcept
{
    const std::lock_guard hold(mutex_);
    if (closed_)
        return append_status::stopped;
    return webhooks_ >= most_webhooks_ || bytes_ >= most_bytes_ ? append_status::queue_full
                                                                : append_status::stored;
}

void append_queue::close() noexcept
{
    {
        const std::lock_guard hold(mutex_);
        closed_ = true;
        idle_ = false;
    }
    arrived_.notify_one();
}

void append_queue::wake() noexcept
{
    {
        const std::lock_guard hold(mutex_);
        woken_ = true;
        idle_ = false;
    }
    arrived_.notify_one();
}

append_operation* append_queue::take(std::chrono::steady_clock::time_point until)
{
    std::unique_lock hold(mutex_);
    while (first_ == nullptr && !closed_ && !woken_) {
        idle_ = true;
        if (arrived_.wait_until(hold, until) == std::cv_status::timeout)
            break;
    }
    idle_ = false;
    woken_ = false;
    last_ = nullptr;
    return std::exchange(first_, nullptr);
}

bool append_queue::drained() const noexcept
{
    const std::lock_guard hold(mutex_);
    return closed_ && first_ == nullptr;
}

append_operation& append_queue::pop(append_operation*& list) noexcept
{
    append_operation& first = *list;
    list = std::exchange(first.next_, nullptr);
    return first;
}

std::size_t append_queue::release(std::size_t webhooks, std::size_t bytes) noexcept
{
    const std::lock_guard hold(mutex_);
    webhooks_ -= webhooks;
    bytes_ -= bytes;
    return webhooks_;
}

} // namespace chargifyd::journal
