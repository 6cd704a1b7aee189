#pragma once

#include "ingress/io.hpp"

#include "chargifyd/journal/journal.hpp"
#include "chargifyd/quarantine/quarantine.hpp"

#include <boost/asio/async_result.hpp>

#include <memory>
#include <mutex>
#include <optional>
#include <vector>

/// The way of a webhook into the journal and of the outcome back to the thread it came from.
namespace chargifyd::ingress {

class pending_append;

/// The completions of one batch, sorted by the threads they go back to: each thread is woken once for all of
/// its own. One for each thread that completes: the journal's, the quarantine's; these keep a share of it in
/// their hook, so it may be called after the server has gone.
class completion_desk {
public:
    explicit completion_desk(std::vector<net::io_context*> threads);

    /// The completing thread: an operation that came from `thread` is complete.
    void add(std::size_t thread, pending_append& done) noexcept;
    /// The completing thread: the batch is over. A failure to wake a thread would leave its webhooks
    /// unanswered for ever, so it ends the process.
    void batch_over() noexcept;
    /// The contexts are about to go. No operation may be under way.
    void close();

private:
    struct lane {
        net::io_context* context = nullptr;
        pending_append* first = nullptr;
        pending_append* last = nullptr;
    };

    std::vector<lane> lanes_; ///< the completing thread only
    std::mutex mutex_;        ///< held while contexts are used: they outlive every post
    bool open_ = true;
};

/// A webhook that is being appended. Reusable, for one after the other; lives until `store` has come back.
class pending_append final : public journal::append_operation {
public:
    explicit pending_append(std::size_t thread) noexcept
        : thread_(thread)
    {}

    /// Hands the fields set before to the journal, and comes back on the same thread when it is known what
    /// became of them. Cannot be cancelled: the journal reads the bytes where they are.
    task<journal::append_status> store(journal::log& inbox, completion_desk& desk);
    /// The same, into the quarantine.
    task<journal::append_status> keep(quarantine::store& apart, completion_desk& desk);

private:
    friend class completion_desk;
    using resumption = net::async_result<net::use_awaitable_t<executor>, void()>::handler_type;

    void complete(journal::append_status status) noexcept override;
    task<void> completed();
    void resume();

    completion_desk* desk_ = nullptr;
    const std::size_t thread_;
    journal::append_status status_ = journal::append_status::stopped;
    std::optional<resumption> waiting_;
    pending_append* next_ = nullptr;
};

} // namespace chargifyd::ingress
