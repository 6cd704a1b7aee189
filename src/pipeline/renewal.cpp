#include "renewal.hpp"

#include "chargifyd/base/log.hpp"
#include "chargifyd/base/thread.hpp"
#include "chargifyd/state/sqlite_store.hpp"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <utility>

namespace chargifyd::pipeline {

namespace fs = std::filesystem;

namespace {

/// A state of newer rules is larger than the one it replaces, and the live one's write-ahead log takes it up.
constexpr std::uint64_t growth = 3;
constexpr std::uint64_t spare_bytes = 64 * 1024 * 1024;

std::uint64_t bytes_of(const fs::path& file)
{
    std::error_code none;
    const auto size = fs::file_size(file, none);
    return none ? 0 : size;
}

/// Lets those who take and apply webhooks have the machine: while any come, it works half of the time at
/// most.
class pace {
public:
    explicit pace(const journal::log& inbox)
        : inbox_(inbox)
        , seen_(inbox.durable_sequence())
    {}

    void give_way(const std::stop_token& stop)
    {
        const auto worked = std::chrono::steady_clock::now() - resumed_;
        const std::uint64_t durable = inbox_.durable_sequence();
        if (std::exchange(seen_, durable) != durable) {
            std::unique_lock hold(mutex_);
            wake_.wait_for(hold, stop, worked, [] { return false; });
        }
        resumed_ = std::chrono::steady_clock::now();
    }

private:
    const journal::log& inbox_;
    std::uint64_t seen_;
    std::chrono::steady_clock::time_point resumed_ = std::chrono::steady_clock::now();
    std::mutex mutex_;
    std::condition_variable_any wake_;
};

class mark {
public:
    explicit mark(std::atomic<bool>& flag)
        : flag_(flag)
    {
        flag_ = true;
    }
    ~mark() { flag_ = false; }
    mark(const mark&) = delete;
    mark& operator=(const mark&) = delete;

private:
    std::atomic<bool>& flag_;
};

options in_background(options with)
{
    with.workers = 1;
    return with;
}

} // namespace

renewal::renewal(fs::path state_directory, options with, state::options state_with, const journal::log& inbox,
                 hooks calls)
    : directory_(std::move(state_directory))
    , with_(in_background(with))
    , state_with_(std::move(state_with))
    , inbox_(inbox)
    , hooks_(std::move(calls))
{}

std::optional<rebuild_progress> renewal::now()
{
    if (!hooks_.is_needed())
        return std::nullopt;
    return progress_.with([](const rebuild_progress& p) { return p; });
}

/// More would be written than there is room for: then nothing is, so that webhooks are taken as long as
/// possible.
result<void> renewal::require_space(std::uint64_t bytes) const
{
    std::error_code failed;
    const auto space = fs::space(directory_, failed);
    if (!failed && space.available >= bytes + spare_bytes)
        return {};
    return make_error(errc::io, "the new state needs " + std::to_string(bytes + spare_bytes) +
                                    " bytes of free disk space in " + directory_.string() +
                                    (failed ? "; " + failed.message()
                                            : ", " + std::to_string(space.available) + " are left"));
}

result<std::uint64_t> renewal::make(const rebuild_lock& held, const std::stop_token& stop)
{
    if (auto room = require_space(growth * bytes_of(directory_ / state::state_file_name)); !room)
        return room.error();
    std::stop_source ended;
    const std::stop_callback forward(stop, [&ended] { ended.request_stop(); });
    bool disk_full = false;
    pace with_others(inbox_);
    const auto reached =
        rebuild(held, with_, state_with_, ended.get_token(), [&](std::uint64_t done, std::uint64_t total) {
            progress_.with([&](rebuild_progress& p) {
                p.done = done;
                p.total = total;
            });
            if (inbox_.health() == journal::append_status::disk_full) {
                disk_full = true;
                ended.request_stop();
            }
            with_others.give_way(ended.get_token());
        });
    if (!reached && disk_full)
        return make_error(errc::io, "the disk is nearly full; what was made was removed again");
    return reached;
}

result<std::uint64_t> renewal::attempt_once(const std::stop_token& stop)
{
    const auto held = rebuild_lock::acquire(directory_);
    if (!held)
        return held.error();
    const mark under_way(under_way_);
    return make_and_adopt(*held, stop);
}

result<std::uint64_t> renewal::make_and_adopt(const rebuild_lock& held, const std::stop_token& stop)
{
    const auto reached = make(held, stop);
    if (!reached)
        return reached;
    auto taken = require_space(bytes_of(directory_ / rebuild_file_name));
    if (taken)
        taken = hooks_.adopt(stop);
    remove_unfinished(held);
    if (!taken)
        return taken.error();
    return reached;
}

result<std::uint64_t> renewal::attempt(const std::stop_token& stop)
{
    try {
        return attempt_once(stop);
    } catch (const std::exception& e) {
        return make_error(errc::io, e.what());
    }
}

void renewal::note_failure(const error& e)
{
    const bool is_news =
        progress_.with([&](rebuild_progress& p) { return std::exchange(p.failure, e.message) != e.message; });
    if (is_news && e.code == errc::busy)
        log::info("the state will be made anew when the rebuild under way is over", {});
    else if (is_news)
        log::error("the state could not be made anew; it is tried again, and the old one serves meanwhile",
                   {{"error", e.message}});
}

void renewal::run(const std::stop_token& stop)
{
    give_way_to_answers(work_kind::applying);
    const auto began = std::chrono::steady_clock::now();
    log::info("rules of another version made the state; it is made anew in the background",
              {{"webhooks", inbox_.durable_sequence()}});
    std::mutex mutex;
    std::condition_variable_any wake;
    while (!stop.stop_requested() && hooks_.is_needed()) {
        const auto reached = attempt(stop);
        if (stop.stop_requested())
            return;
        if (reached) {
            const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
            log::info("the state was made anew", {{"webhooks", *reached}, {"seconds", took.count()}});
            return;
        }
        note_failure(reached.error());
        std::unique_lock hold(mutex);
        wake.wait_for(hold, stop, with_.rebuild_retry, [] { return false; });
    }
}

} // namespace chargifyd::pipeline
