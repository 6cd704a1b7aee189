#include "chargifyd/base/log.hpp"

#include "journal/compress.hpp"
#include "journal/names.hpp"
#include "journal/queue.hpp"
#include "journal/recent.hpp"
#include "journal/recovery.hpp"
#include "journal/shared.hpp"
#include "journal/writer.hpp"

#include "chargifyd/journal/journal.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <mutex>
#include <thread>

namespace chargifyd::journal {

namespace {

/// A batch has to stay below 4 GiB, also when one more of the largest bodies is put on top.
constexpr std::size_t largest_batch_bytes = std::size_t{1} << 30;

options with_limits(options with)
{
    with.batch_bytes = std::min(with.batch_bytes, largest_batch_bytes);
    return with;
}

bool removable(const std::vector<segment_info>& segments, std::uint64_t applied, timestamp before)
{
    if (segments.size() < 2)
        return false;
    const segment_info& oldest = segments.front();
    return oldest.sealed && oldest.last_sequence <= applied && oldest.sealed_at < before;
}

} // namespace

struct log::implementation {
    implementation(options with_options, file_system& with_files, clock_fn with_clock,
                   metrics::registry& registry, recent_webhooks recent, recovered start)
        : with(std::move(with_options))
        , files(with_files)
        , clock(std::move(with_clock))
        , meters(registry)
        , id(to_hex(std::string_view(reinterpret_cast<const char*>(start.id.data()), start.id.size())))
        , queue(with.queue_webhooks, with.queue_bytes)
        , segments(start.segments, registry.make_gauge("journal_bytes", "Size of the journal on disk."))
        , durable(start.next_sequence - 1)
        , work(with, files, clock, meters, queue, segments, durable, std::move(recent), std::move(start))
    {}

    result<void> remove_files(const segment_info& segment);

    const options with;
    file_system& files;
    const clock_fn clock;
    instruments meters;
    const std::string id;
    append_queue queue;
    segment_list segments;
    durable_mark durable;
    writer work;
    std::mutex maintenance; ///< one compression or removal at a time
    std::mutex closing;
    std::thread thread;
    std::thread::id thread_id;
};

log::log() = default;

log::~log()
{
    close();
}

result<std::unique_ptr<log>> log::open(options with, file_system& files, clock_fn clock,
                                       metrics::registry& instruments)
{
    const auto start = std::chrono::steady_clock::now();
    with = with_limits(std::move(with));
    recent_webhooks recent(with.remembered_webhooks);
    result<recovered> found = recover(with, files, clock, recent);
    if (!found)
        return found.error();
    std::unique_ptr<log> opened(new log);
    opened->impl_ = std::make_unique<implementation>(std::move(with), files, std::move(clock), instruments,
                                                     std::move(recent), std::move(*found));
    implementation& impl = *opened->impl_;
    if (const result<void> prepared = impl.work.prepare(); !prepared)
        return prepared.error();
    impl.thread = std::thread(&writer::run, &impl.work);
    impl.thread_id = impl.thread.get_id();
    const auto took = std::chrono::steady_clock::now() - start;
    chargifyd::log::info(
        "journal: opened",
        {{"directory", impl.with.directory.string()},
         {"segments", impl.segments.get().size()},
         {"last_sequence", impl.durable.get()},
         {"milliseconds", std::chrono::duration_cast<std::chrono::milliseconds>(took).count()}});
    return opened;
}

append_status log::submit(append_operation& operation) noexcept
{
    return impl_->queue.push(operation);
}

append_status log::health() const noexcept
{
    const append_status state = impl_->queue.state();
    return state == append_status::stored && impl_->work.disk_full() ? append_status::disk_full : state;
}

const std::string& log::id() const noexcept
{
    return impl_->id;
}

std::uint64_t log::first_sequence() const
{
    return impl_->segments.first_sequence();
}

std::uint64_t log::durable_sequence() const noexcept
{
    return impl_->durable.get();
}

timestamp log::last_commit() const noexcept
{
    return impl_->work.last_commit();
}

std::chrono::steady_clock::duration log::stalled() const noexcept
{
    return impl_->work.stalled();
}

std::uint64_t log::wait_beyond(std::uint64_t sequence, std::stop_token stop)
{
    return impl_->durable.wait_beyond(sequence, std::move(stop));
}

void log::on_failure(std::function<void(const error&)> handler)
{
    impl_->work.on_failure(std::move(handler));
}

void log::on_batch(std::function<void()> handler)
{
    impl_->work.on_batch(std::move(handler));
}

std::vector<segment_info> log::segments() const
{
    // In this order: what was durable before the list was copied is not behind the newest segment of the
    // copy.
    const std::uint64_t durable = impl_->durable.get();
    std::vector<segment_info> all = impl_->segments.get();
    segment_info& newest = all.back();
    if (!newest.sealed)
        newest.last_sequence = std::max(durable, newest.first_sequence - 1);
    return all;
}

std::uint64_t log::bytes() const
{
    return impl_->segments.bytes();
}

result<std::size_t> log::compress(std::uint64_t applied)
{
    const std::lock_guard hold(impl_->maintenance);
    std::size_t done = 0;
    for (const segment_info& segment : impl_->segments.get()) {
        if (!segment.sealed || segment.compressed || segment.last_sequence > applied)
            continue;
        const result<segment_info> copy = compress_segment(impl_->files, impl_->with.directory, segment);
        if (!copy)
            return copy.error();
        impl_->segments.update(*copy);
        ++done;
        if (const int failed = impl_->files.remove(segment.path))
            return file_error(failed, "cannot remove", segment.path);
    }
    return done;
}

result<void> log::implementation::remove_files(const segment_info& segment)
{
    if (const int failed = files.remove(segment.path); failed != 0 && failed != ENOENT)
        return file_error(failed, "cannot remove", segment.path);
    // Its raw file is still there when it could not be removed after compression.
    if (segment.compressed) {
        const std::filesystem::path raw = raw_path(with.directory, segment.first_sequence);
        if (const int failed = files.remove(raw); failed != 0 && failed != ENOENT)
            return file_error(failed, "cannot remove", raw);
    }
    // Before the next one goes: a crash must not leave a gap.
    if (const int failed = files.sync_directory(with.directory))
        return file_error(failed, "cannot sync", with.directory);
    return {};
}

result<std::size_t> log::remove_older(std::uint64_t applied, timestamp before)
{
    const std::lock_guard hold(impl_->maintenance);
    std::size_t done = 0;
    for (;;) {
        const std::vector<segment_info> all = impl_->segments.get();
        if (!removable(all, applied, before))
            return done;
        if (const result<void> removed = impl_->remove_files(all.front()); !removed)
            return removed.error();
        impl_->segments.remove(all.front().first_sequence);
        ++done;
    }
}

void log::rotate()
{
    impl_->work.rotate();
}

result<replaced_bodies> log::replace_bodies(std::uint64_t from, std::uint64_t up_to, const body_editor& edit,
                                            std::chrono::steady_clock::time_point until)
{
    const std::lock_guard hold(impl_->maintenance);
    replaced_bodies done;
    done.next = up_to + 1;
    for (segment_info& segment : impl_->segments.get()) {
        if (!segment.sealed || segment.last_sequence < from || segment.first_sequence > up_to)
            continue;
        if (done.next <= up_to && std::chrono::steady_clock::now() >= until)
            return done;
        const result<std::size_t> changed = edit_segment(impl_->files, impl_->with.directory, segment, edit);
        impl_->segments.update(segment);
        if (!changed)
            return changed.error();
        done.webhooks += *changed;
        done.next = segment.last_sequence + 1;
    }
    done.next = std::max(done.next, up_to + 1);
    return done;
}

bool log::has_older(std::uint64_t applied, timestamp before) const
{
    return removable(impl_->segments.get(), applied, before);
}

void log::close()
{
    if (!impl_)
        return;
    impl_->queue.close();
    if (std::this_thread::get_id() == impl_->thread_id)
        return; // from the failure handler: the thread ends by itself
    const std::lock_guard hold(impl_->closing);
    if (impl_->thread.joinable())
        impl_->thread.join();
}

} // namespace chargifyd::journal
