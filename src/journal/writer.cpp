#include "journal/writer.hpp"

#include "journal/names.hpp"

#include "chargifyd/base/log.hpp"

#include <algorithm>
#include <cerrno>
#include <exception>
#include <thread>

namespace chargifyd::journal {

namespace {

constexpr std::size_t most_webhooks_in_batch = 1024;

// What a batch costs by itself, on a disk that syncs in less time than this, is more than its webhooks cost:
// the sync, and waking the threads that wait for it. Where webhooks come in numbers, a batch begins no sooner
// than so long after the one before, and has more of them. On a slower disk they gather during the sync.
constexpr std::size_t in_numbers = 4;
constexpr std::chrono::microseconds batch_interval{500};

// How often free space is looked at: the first while there is enough and webhooks come, or while there is too
// little; the second while nothing comes.
constexpr std::chrono::seconds look_interval{1};
constexpr std::chrono::seconds idle_look_interval{10};

std::size_t record_bytes(const append_operation& operation) noexcept
{
    return format::record_bytes(operation.site.size() + operation.peer.size() + operation.body.size());
}

} // namespace

instruments::instruments(metrics::registry& from)
    : sync_seconds(from.make_histogram("journal_sync_seconds", "Duration of one fdatasync of the journal.",
                                       metrics::duration_buckets()))
    , batch_webhooks(from.make_histogram("journal_batch_webhooks",
                                         "Webhooks written by one write and one sync.",
                                         {1, 2, 4, 8, 16, 32, 64, 128, 256, 512}))
    , queue_webhooks(
          from.make_gauge("journal_queue_webhooks", "Webhooks that wait to be written to the journal."))
    , free_bytes(from.make_gauge("disk_free_bytes", "Space left on the file system that holds the journal."))
    , duplicates(
          from.make_counter("journal_duplicates_total",
                            "Webhooks that were not written because an identical one was stored recently."))
{}

writer::writer(const options& with, file_system& files, const clock_fn& clock, instruments& meters,
               append_queue& queue, segment_list& segments, durable_mark& durable, recent_webhooks recent,
               recovered start)
    : with_(with)
    , files_(files)
    , clock_(clock)
    , meters_(meters)
    , queue_(queue)
    , segments_(segments)
    , durable_(durable)
    , recent_(std::move(recent))
    , id_(start.id)
    , next_sequence_(start.next_sequence)
    , active_(std::move(start.active))
{
    gathered_.reserve(most_webhooks_in_batch);
}

result<void> writer::prepare()
{
    if (look_at_disk() == space::none || active_)
        return {};
    const result<space> made = create_segment(with_.segment_bytes);
    if (!made)
        return made.error();
    return {};
}

void writer::run() noexcept
{
    try {
        work();
    } catch (const std::exception& e) {
        fail(make_error(errc::io, std::string("journal: ") + e.what()));
    }
    pulse_.rest();
    end_rotations(true);
}

void writer::rotate()
{
    std::unique_lock hold(rotation_mutex_);
    if (ended_)
        return;
    rotation_wanted_ = true;
    queue_.wake();
    rotated_.wait(hold, [this] { return ended_ || !rotation_wanted_; });
}

bool writer::rotate_now()
{
    if (active_ && active_->header().first_sequence != next_sequence_) {
        result<void> done = seal_active();
        if (done && have_space()) {
            if (const result<space> made = create_segment(with_.segment_bytes); !made)
                done = made.error();
        }
        if (!done) {
            fail(done.error());
            return false;
        }
    }
    end_rotations(false);
    return true;
}

void writer::end_rotations(bool for_good) noexcept
{
    {
        const std::lock_guard hold(rotation_mutex_);
        rotation_wanted_ = false;
        ended_ = for_good;
    }
    rotated_.notify_all();
}

void writer::work()
{
    for (;;) {
        if (waiting_ == nullptr) {
            pulse_.rest();
            std::this_thread::sleep_until(next_batch_);
            const auto now = std::chrono::steady_clock::now();
            waiting_ = queue_.take(disk_full() ? next_look_ : now + idle_look_interval);
        }
        pulse_.beat();
        if (rotation_wanted_ && !rotate_now())
            return;
        const bool may_write = have_space();
        if (waiting_ != nullptr) {
            gather(may_write);
            if (!write_gathered())
                return;
        } else if (queue_.drained()) {
            return finish();
        } else if (may_write && !active_) {
            // After a shortage: see whether there is space again without waiting for a webhook.
            const result<space> made = create_segment(with_.segment_bytes);
            if (!made)
                return fail(made.error());
        }
    }
}

void writer::gather(bool may_write)
{
    const auto began = std::chrono::steady_clock::now();
    gathered_.clear();
    gathered_bytes_ = 0;
    batch_.assign(format::header_bytes, '\0');
    records_ = 0;
    first_number_ = recent_.next_number();
    const std::uint64_t largest = std::max(with_.segment_bytes, active_segment::bytes_for(0));
    while (waiting_ != nullptr && gathered_.size() < most_webhooks_in_batch) {
        const std::size_t bytes = batch_.size() + record_bytes(*waiting_);
        if (records_ > 0 && (batch_.size() >= with_.batch_bytes || bytes > active_segment::room_in(largest)))
            break;
        append_operation& operation = append_queue::pop(waiting_);
        const fate what = classify(operation, may_write);
        gathered_.push_back({&operation, what});
        gathered_bytes_ += operation.body.size();
        if (what == fate::fresh && may_write) {
            operation.sequence = next_sequence_ + records_;
            format::append_record(batch_, {operation.sequence, operation.received_at, operation.fingerprint,
                                           operation.site, operation.peer, operation.body});
            ++records_;
        }
    }
    if (gathered_.size() >= in_numbers)
        next_batch_ = began + batch_interval;
}

writer::fate writer::classify(const append_operation& operation, bool may_write)
{
    if (!may_write)
        return recent_.contains(operation.site, operation.fingerprint) ? fate::known : fate::fresh;
    const auto number = recent_.insert(operation.site, operation.fingerprint);
    if (!number)
        return fate::fresh;
    return *number < first_number_ ? fate::known : fate::as_fresh;
}

bool writer::write_gathered()
{
    if (records_ == 0) {
        complete_gathered(append_status::disk_full); // the fresh ones, if any
        return true;
    }
    const result<space> room = make_room(batch_.size());
    if (!room) {
        fail(room.error());
        return false;
    }
    if (*room == space::none) {
        recent_.forget_from(first_number_);
        complete_gathered(append_status::disk_full);
        return true;
    }
    io_status done = active_->write(batch_, next_sequence_, records_, clock_());
    if (!done.failed()) {
        const auto start = std::chrono::steady_clock::now();
        done = active_->sync();
        meters_.sync_seconds.observe(
            std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    }
    if (done.failed()) {
        fail(describe(done, active_->path()));
        return false;
    }
    next_sequence_ += records_;
    durable_.set(next_sequence_ - 1);
    last_commit_.store(clock_(), std::memory_order_relaxed);
    meters_.batch_webhooks.observe(records_);
    complete_gathered(append_status::stored);
    return true;
}

void writer::complete_gathered(append_status fresh)
{
    meters_.queue_webhooks.set(static_cast<double>(queue_.release(gathered_.size(), gathered_bytes_)));
    std::size_t duplicates = 0;
    for (const entry& e : gathered_) {
        append_status status = fresh;
        if (e.what == fate::known || (e.what == fate::as_fresh && fresh == append_status::stored)) {
            status = append_status::duplicate;
            ++duplicates;
        }
        e.operation->complete(status);
    }
    gathered_.clear();
    if (duplicates > 0)
        meters_.duplicates.add(static_cast<double>(duplicates));
    if (on_batch_)
        on_batch_();
    durable_.announce();
}

bool writer::have_space()
{
    if (std::chrono::steady_clock::now() < next_look_)
        return !disk_full();
    return look_at_disk() == space::enough;
}

writer::space writer::look_at_disk()
{
    next_look_ = std::chrono::steady_clock::now() + look_interval;
    std::uint64_t free = 0;
    if (files_.free_bytes(with_.directory, &free) != 0)
        return space::enough; // whether there is space shows when the next segment is allocated
    meters_.free_bytes.set(static_cast<double>(free));
    if (free < with_.disk_floor_bytes) {
        set_full(true, "less free space than the floor");
        return space::none;
    }
    // Without a segment the shortage ends when one could be made.
    if (active_)
        set_full(false, "");
    return space::enough;
}

result<writer::space> writer::make_room(std::uint64_t batch_bytes)
{
    const std::uint64_t wanted = std::max(with_.segment_bytes, active_segment::bytes_for(batch_bytes));
    if (active_ && active_->room() >= batch_bytes)
        return space::enough;
    if (active_ && active_->header().first_sequence == next_sequence_) {
        // Still empty, so it can only be too small.
        const io_status grown = active_->grow(wanted);
        if (grown.no_space()) {
            set_full(true, "a segment cannot be allocated");
            return space::none;
        }
        if (grown.failed())
            return describe(grown, active_->path());
        segments_.update(active_info(*active_));
        return space::enough;
    }
    if (active_) {
        if (const result<void> sealed = seal_active(); !sealed)
            return sealed.error();
    }
    if (look_at_disk() == space::none)
        return space::none;
    return create_segment(wanted);
}

result<void> writer::seal_active()
{
    const timestamp now = clock_();
    if (const io_status sealed = active_->seal(next_sequence_, now); sealed.failed())
        return describe(sealed, active_->path());
    segment_info info = active_info(*active_);
    info.last_sequence = next_sequence_ - 1;
    info.sealed = true;
    info.sealed_at = now;
    active_.reset();
    segments_.update(info);
    chargifyd::log::debug(
        "journal: segment sealed",
        {{"file", info.path.string()}, {"last_sequence", info.last_sequence}, {"bytes", info.bytes}});
    return {};
}

result<writer::space> writer::create_segment(std::uint64_t bytes)
{
    const auto header = make_segment_header(next_sequence_, id_, clock_());
    const std::uint64_t length = std::max(bytes, active_segment::bytes_for(0));
    const io_status created = active_segment::create(files_, with_.directory, header, length, &active_);
    const std::filesystem::path path = raw_path(with_.directory, next_sequence_);
    if (created.no_space()) {
        // Nothing was stored in it. Left lying it would be in the way of the next attempt.
        if (const int failed = files_.remove(path); failed != 0 && failed != ENOENT)
            return describe({failed, "cannot remove"}, path);
        set_full(true, "a segment cannot be allocated");
        return space::none;
    }
    if (created.failed())
        return describe(created, path);
    segments_.add(active_info(*active_));
    set_full(false, "");
    return space::enough;
}

void writer::set_full(bool full, std::string_view why)
{
    if (full_.exchange(full) == full)
        return;
    if (full)
        chargifyd::log::warning("journal: disk full, webhooks are refused until there is space",
                                {{"directory", with_.directory.string()}, {"reason", why}});
    else
        chargifyd::log::warning("journal: there is space again, webhooks are accepted",
                                {{"directory", with_.directory.string()}});
}

error writer::describe(const io_status& status, const std::filesystem::path& path) const
{
    error e = file_error(status.code, status.action, path);
    e.code = errc::io;
    return e;
}

void writer::finish()
{
    if (active_) {
        if (const io_status marked = active_->mark_clean(next_sequence_, clock_()); marked.failed())
            return fail(describe(marked, active_->path()));
        active_.reset();
    }
    durable_.stop();
}

void writer::fail(const error& why) noexcept
{
    queue_.close();
    active_.reset();
    const std::size_t refused = refuse_everything();
    durable_.stop();
    try {
        if (refused > 0 && on_batch_)
            on_batch_();
        chargifyd::log::error("journal: stopped, nothing more is accepted until a restart",
                              {{"error", why.message}});
        std::function<void(const error&)> handler;
        {
            const std::lock_guard hold(failure_mutex_);
            failure_ = why;
            handler = std::move(on_failure_);
        }
        if (handler)
            handler(why);
    } catch (const std::exception&) {
        // The journal is closed and everyone was answered; there is nothing else to be done about it.
    }
}

std::size_t writer::refuse_everything() noexcept
{
    std::size_t count = gathered_.size();
    for (const entry& e : gathered_)
        e.operation->complete(append_status::stopped);
    gathered_.clear();
    do {
        while (waiting_ != nullptr) {
            append_queue::pop(waiting_).complete(append_status::stopped);
            ++count;
        }
        waiting_ = queue_.take({});
    } while (waiting_ != nullptr);
    meters_.queue_webhooks.set(0);
    return count;
}

void writer::on_failure(std::function<void(const error&)> handler)
{
    error already;
    {
        const std::lock_guard hold(failure_mutex_);
        if (!failure_) {
            on_failure_ = std::move(handler);
            return;
        }
        already = *failure_;
    }
    if (handler)
        handler(already);
}

} // namespace chargifyd::journal
