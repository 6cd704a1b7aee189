#include "ingress/append.hpp"

#include <boost/asio/post.hpp>

#include <utility>

namespace chargifyd::ingress {

completion_desk::completion_desk(std::vector<net::io_context*> threads)
{
    for (auto* context : threads)
        lanes_.push_back({context, nullptr, nullptr});
}

void completion_desk::add(std::size_t thread, pending_append& done) noexcept
{
    auto& to = lanes_[thread];
    done.next_ = nullptr;
    if (to.first == nullptr)
        to.first = &done;
    else
        to.last->next_ = &done;
    to.last = &done;
}

void completion_desk::batch_over() noexcept
{
    const std::lock_guard hold(mutex_);
    if (!open_)
        return;
    for (auto& one : lanes_) {
        if (one.first == nullptr)
            continue;
        auto* first = std::exchange(one.first, nullptr);
        net::post(*one.context, [first] {
            // Resumed operations may go at once, so the next one is read before.
            for (auto* done = first; done != nullptr;)
                std::exchange(done, done->next_)->resume();
        });
    }
}

void completion_desk::close()
{
    const std::lock_guard hold(mutex_);
    open_ = false;
}

task<journal::append_status> pending_append::store(journal::log& inbox, completion_desk& desk)
{
    desk_ = &desk;
    const auto accepted = inbox.submit(*this);
    if (accepted != journal::append_status::stored)
        co_return accepted;
    // The completion is posted to this thread, so it cannot come before this coroutine waits for it.
    co_await completed();
    co_return status_;
}

task<journal::append_status> pending_append::keep(quarantine::store& apart, completion_desk& desk)
{
    desk_ = &desk;
    const auto accepted = apart.submit(*this);
    if (accepted != journal::append_status::stored)
        co_return accepted;
    co_await completed();
    co_return status_;
}

task<void> pending_append::completed()
{
    auto keep = [](resumption&& resumes, pending_append* self) {
        self->waiting_.emplace(std::move(resumes));
    };
    auto token = in_task;
    return net::async_initiate<net::use_awaitable_t<executor>, void()>(keep, token, this);
}

void pending_append::resume()
{
    auto continuing = std::move(*waiting_);
    waiting_.reset();
    std::move(continuing)();
}

void pending_append::complete(journal::append_status status) noexcept
{
    status_ = status;
    desk_->add(thread_, *this);
}

} // namespace chargifyd::ingress
