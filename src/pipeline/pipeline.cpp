#include "chargifyd/pipeline/pipeline.hpp"

#include "catch_up.hpp"
#include "checkpointer.hpp"
#include "match_journal.hpp"
#include "renewal.hpp"
#include "silence.hpp"

#include "chargifyd/base/guarded.hpp"
#include "chargifyd/base/heartbeat.hpp"
#include "chargifyd/base/log.hpp"
#include "chargifyd/base/thread.hpp"
#include "chargifyd/pipeline/follower.hpp"
#include "chargifyd/pipeline/rebuild.hpp"
#include "chargifyd/state/projection.hpp"
#include "chargifyd/state/sqlite_store.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <mutex>
#include <thread>

namespace chargifyd::pipeline {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

/// A transaction costs by itself as much as tens of webhooks: each page that it changes is written, whether
/// for one of them or for many. It begins no sooner than so long after the one before, unless a full one
/// waits.
constexpr auto round_interval = 25ms;
constexpr auto maintenance_interval = 60s;
constexpr auto retry_interval = 1s;
constexpr auto apply_patience = 20s;
/// A command has to answer in less than a minute.
constexpr auto forget_slice = 5s;

} // namespace

struct pipeline::implementation {
    implementation(fs::path directory_, options with_, state::options state_with_, journal::log& inbox_,
                   metrics::registry& instruments_, clock_fn clock_,
                   std::unique_ptr<state::sqlite_store> store_)
        : directory(std::move(directory_))
        , with(with_)
        , state_with(std::move(state_with_))
        , inbox(inbox_)
        , clock(std::move(clock_))
        , store(std::move(store_))
        , follow(directory / journal_directory_name, journal::real_file_system(), *store, with_,
                 &instruments_)
        , lag_webhooks(
              instruments_.make_gauge("apply_lag_webhooks", "Webhooks journalled but not yet applied."))
        , lag_seconds(instruments_.make_gauge("apply_lag_seconds",
                                              "Age of the last applied webhook while more wait."))
        , dead_gauge(instruments_.make_gauge("dead_letters", "Webhooks that could not be read or applied."))
        , wal_gauge(instruments_.make_gauge("state_wal_bytes", "Size of the write-ahead log of state.db."))
        , checkpoints(*store, instruments_)
        , applied(store->cursor())
        , dead(store->count_dead())
        , outdated(store->projection() != state::projection_version)
        , renew(directory, with, state_with, inbox,
                {[this] { return outdated.load(); },
                 [this](const std::stop_token& stop) { return adopt_own(stop); }})
        , silence(directory / state::state_file_name, instruments_)
    {}

    void run_applier(const std::stop_token& stop);
    void run_maintenance(const std::stop_token& stop);
    void apply_round(const std::stop_token& stop);
    void committed(const progress& p);
    void observe();
    void run_commands();
    result<void> maintain();
    result<void> make_snapshot();
    result<bool> adopt(const std::stop_token& stop);
    result<forgetting> forget(const std::string& site, std::int64_t customer_id, forgetting so_far);
    result<void> adopt_own(const std::stop_token& stop);

    /// Runs `command` on the applying thread between two batches and waits for its result. What it throws is
    /// a failure of the state (errc::io).
    template <class T>
    result<T> call(std::function<result<T>()> command);

    const fs::path directory;
    const options with;
    const state::options state_with;
    journal::log& inbox;
    const clock_fn clock;
    std::unique_ptr<state::sqlite_store> store; // the applying thread's once it runs
    follower follow;                            // likewise
    metrics::gauge lag_webhooks;
    metrics::gauge lag_seconds;
    metrics::gauge dead_gauge;
    metrics::gauge wal_gauge;

    checkpointer checkpoints; // the applying thread's
    heartbeat pulse;          // likewise

    std::atomic<std::uint64_t> applied;
    std::atomic<std::uint64_t> dead;
    std::atomic<timestamp> applied_received_at{timestamp{}};
    std::atomic<timestamp> committed_at{timestamp{}}; ///< timestamp{}: not since the start
    guarded<std::string> failure;
    std::atomic<bool> outdated; ///< rules of another version made the state
    renewal renew;
    silence_watch silence; ///< guarded by maintenance_mutex

    struct command_queue {
        std::deque<std::function<void()>> waiting;
        std::stop_source interrupt; ///< ends the wait for new webhooks
        bool closed = false;
    };
    guarded<command_queue> commands;

    std::mutex maintenance_mutex; ///< one compression or deletion at a time
    std::mutex progress_mutex;
    std::condition_variable_any progressed;
    std::stop_source ending; ///< ends what a command may wait for
    std::jthread applier;
    std::jthread maintainer;
    std::jthread renewer;
};

template <class T>
result<T> pipeline::implementation::call(std::function<result<T>()> command)
{
    auto task = std::make_shared<std::packaged_task<result<T>()>>(std::move(command));
    auto answer = task->get_future();
    const bool taken = commands.with([&](command_queue& q) {
        if (q.closed)
            return false;
        q.waiting.emplace_back([task] { (*task)(); });
        q.interrupt.request_stop();
        return true;
    });
    if (!taken)
        return make_error(errc::unavailable, "the daemon is stopping");
    try {
        return answer.get();
    } catch (const std::exception& e) {
        return make_error(errc::io, e.what());
    }
}

void pipeline::implementation::run_commands()
{
    std::deque<std::function<void()>> mine;
    commands.with([&](command_queue& q) {
        mine.swap(q.waiting);
        q.interrupt = std::stop_source();
    });
    for (const auto& command : mine)
        command();
}

void pipeline::implementation::committed(const progress& p)
{
    pulse.beat();
    applied_received_at = p.received_at;
    committed_at = clock();
    {
        const std::lock_guard hold(progress_mutex);
        applied = p.cursor;
    }
    progressed.notify_all();
    checkpoints.run_if_due();
    observe();
}

void pipeline::implementation::observe()
{
    const std::uint64_t durable = inbox.durable_sequence();
    const std::uint64_t done = applied;
    const std::uint64_t lag = durable > done ? durable - done : 0;
    lag_webhooks.set(static_cast<double>(lag));
    const auto age = clock() - applied_received_at.load();
    lag_seconds.set(lag == 0 || applied_received_at.load() == timestamp{}
                        ? 0
                        : std::chrono::duration<double>(age).count());
    wal_gauge.set(static_cast<double>(store->wal_bytes()));
}

void pipeline::implementation::apply_round(const std::stop_token& stop)
{
    try {
        const auto reached =
            follow.advance(inbox.durable_sequence(), stop, [this](const progress& p) { committed(p); });
        if (!reached) {
            const bool is_news =
                failure.with([&](std::string& f) { return std::exchange(f, reached.error().message) != f; });
            if (is_news)
                log::error("cannot apply webhooks; they stay in the journal and are tried again",
                           {{"error", reached.error().message}});
            return;
        }
        dead = store->count_dead();
        dead_gauge.set(static_cast<double>(dead));
        const bool recovered = failure.with([](std::string& f) { return !std::exchange(f, {}).empty(); });
        if (recovered)
            log::info("webhooks are applied again", {{"sequence", *reached}});
    } catch (const std::exception& e) {
        follow.restart();
        failure.with([&](std::string& f) { f = e.what(); });
        log::error("cannot apply webhooks; they stay in the journal and are tried again",
                   {{"error", e.what()}});
    }
}

void pipeline::implementation::run_applier(const std::stop_token& stop)
{
    using steady = std::chrono::steady_clock;
    give_way_to_answers(work_kind::applying);
    while (!stop.stop_requested()) {
        pulse.rest(); // a command, taking over a rebuilt state for one, takes as long as it takes
        run_commands();
        // A command that comes from here on interrupts the waits below.
        const std::stop_token interrupt =
            commands.with([](command_queue& q) { return q.interrupt.get_token(); });
        const std::stop_callback forward(
            stop, [this] { commands.with([](command_queue& q) { q.interrupt.request_stop(); }); });
        const auto pause_until = [&](steady::time_point then) {
            std::unique_lock hold(progress_mutex);
            progressed.wait_until(hold, interrupt, then, [] { return false; });
        };
        const std::uint64_t before = applied;
        const auto began = steady::now();
        pulse.beat();
        const bool tried = inbox.durable_sequence() > before;
        if (tried)
            apply_round(stop);
        observe();
        pulse.rest();
        if (tried && applied == before) {
            pause_until(steady::now() + retry_interval); // it failed
            continue;
        }
        if (inbox.durable_sequence() < applied + with.batch_webhooks)
            pause_until(began + round_interval);
        if (inbox.durable_sequence() == applied && !interrupt.stop_requested()) {
            const std::uint64_t durable = inbox.wait_beyond(applied, interrupt);
            // The journal has stopped: nothing will come, but commands are still served.
            if (durable == applied && !interrupt.stop_requested())
                pause_until(steady::now() + retry_interval);
        }
    }
    commands.with([](command_queue& q) { q.closed = true; });
    run_commands();
}

result<void> pipeline::implementation::make_snapshot()
{
    const auto synced = call<bool>([this] {
        store->sync();
        return true;
    });
    if (!synced)
        return synced.error();
    return state::copy_state(directory / state::state_file_name, directory / state::snapshot_file_name);
}

result<void> pipeline::implementation::maintain()
{
    const std::lock_guard one_at_a_time(maintenance_mutex);
    silence.look(clock());
    const std::uint64_t done = applied;
    // A reader may have let go of the log since the last webhook was applied. While there are more, that is
    // seen with each commit.
    if (inbox.durable_sequence() == done) {
        const auto run = call<bool>([this] {
            checkpoints.run_if_due();
            observe();
            return true;
        });
        if (!run)
            return run.error();
    }
    if (const auto compressed = inbox.compress(done); !compressed)
        return compressed.error();
    // What the rules of another version could not read must not go before this version has read it.
    if (with.retention.count() == 0 || outdated)
        return {};
    const timestamp before = clock() - with.retention;
    if (!inbox.has_older(done, before))
        return {};
    if (auto made = make_snapshot(); !made)
        return made;
    const auto removed = inbox.remove_older(done, before);
    if (!removed)
        return removed.error();
    log::info("old journal segments deleted",
              {{"segments", *removed}, {"first_sequence", inbox.first_sequence()}});
    return {};
}

void pipeline::implementation::run_maintenance(const std::stop_token& stop)
{
    give_way_to_answers(work_kind::applying);
    std::mutex mutex;
    std::condition_variable_any wake;
    std::unique_lock hold(mutex);
    while (!stop.stop_requested()) {
        wake.wait_for(hold, stop, maintenance_interval, [] { return false; });
        if (stop.stop_requested())
            return;
        if (const auto done = maintain(); !done)
            log::error("cannot maintain the journal", {{"error", done.error().message}});
    }
}

/// On the applying thread.
result<bool> pipeline::implementation::adopt(const std::stop_token& stop)
{
    const fs::path rebuilt = directory / rebuild_file_name;
    if (auto done = catch_up(directory, with, state_with, inbox, applied, stop); !done)
        return done.error();
    if (auto taken = store->replace_by(rebuilt); !taken)
        return taken.error();
    follow.restart();
    applied = store->cursor();
    dead = store->count_dead();
    dead_gauge.set(static_cast<double>(dead));
    outdated = false;
    remove_database(rebuilt);
    store->checkpoint(true); // the old content is in the file until then
    log::info("a rebuilt state was taken over", {{"sequence", applied.load()}});
    return true;
}

result<void> pipeline::implementation::adopt_own(const std::stop_token& stop)
{
    const auto done = call<bool>([this, stop] { return adopt(stop); });
    if (!done)
        return done.error();
    return {};
}

namespace {

/// Of a rebuild that was killed. One that is under way in another process is left alone.
void remove_leftovers(const fs::path& directory)
{
    if (const auto held = rebuild_lock::acquire(directory))
        remove_unfinished(*held);
}

} // namespace

pipeline::pipeline(std::unique_ptr<implementation> impl) noexcept
    : impl_(std::move(impl))
{}

pipeline::~pipeline()
{
    stop(0ms);
}

result<std::unique_ptr<pipeline>> pipeline::open(const fs::path& state_directory, options with,
                                                 const state::options& state_with, journal::log& inbox,
                                                 metrics::registry& instruments, clock_fn clock)
{
    auto store = state::sqlite_store::open(state_directory / state::state_file_name, inbox.id(), state_with);
    if (!store)
        return store.error();
    try {
        remove_leftovers(state_directory);
        if (auto fits = match_journal(state_directory, **store, inbox, state_with); !fits)
            return fits.error();
        return std::unique_ptr<pipeline>(new pipeline(std::make_unique<implementation>(
            state_directory, with, state_with, inbox, instruments, std::move(clock), std::move(*store))));
    } catch (const std::exception& e) {
        return make_error(errc::io, e.what());
    }
}

void pipeline::start()
{
    implementation* const my = impl_.get();
    my->applier = std::jthread([my](const std::stop_token& stop) { my->run_applier(stop); });
    my->maintainer = std::jthread([my](const std::stop_token& stop) { my->run_maintenance(stop); });
    if (my->outdated)
        my->renewer = std::jthread([my](const std::stop_token& stop) { my->renew.run(stop); });
}

void pipeline::stop(std::chrono::milliseconds patience)
{
    implementation& my = *impl_;
    if (!my.applier.joinable())
        return;
    my.renewer.request_stop();
    {
        std::unique_lock hold(my.progress_mutex);
        my.progressed.wait_for(hold, patience, [&my] { return my.applied >= my.inbox.durable_sequence(); });
    }
    my.ending.request_stop();
    // Both may be waiting for the applier: they end first.
    my.maintainer.request_stop();
    my.maintainer.join();
    if (my.renewer.joinable())
        my.renewer.join();
    my.applier.request_stop();
    my.applier.join();
    try {
        my.store->checkpoint(true);
    } catch (const std::exception& e) {
        log::warning("state.db could not be checkpointed at the end", {{"error", e.what()}});
    }
}

status pipeline::now() const
{
    implementation& my = *impl_;
    status s;
    s.applied = my.applied;
    s.durable = my.inbox.durable_sequence();
    s.dead_letters = my.dead;
    s.failure = my.failure.with([](const std::string& f) { return f; });
    s.rebuilding = my.renew.now();
    const timestamp received = my.applied_received_at;
    const timestamp present = my.clock();
    // A clock may be set back.
    const auto age = [present](timestamp at) {
        return std::max(0.0, std::chrono::duration<double>(present - at).count());
    };
    if (s.durable > s.applied && received != timestamp{})
        s.lag_seconds = age(received);
    if (const timestamp at = my.inbox.last_commit(); at != timestamp{})
        s.journal_commit_seconds = age(at);
    if (const timestamp at = my.committed_at; at != timestamp{})
        s.state_commit_seconds = age(at);
    return s;
}

std::chrono::steady_clock::duration pipeline::stalled() const noexcept
{
    return impl_->pulse.stalled();
}

result<std::size_t> pipeline::retry_dead(std::vector<std::uint64_t> sequences)
{
    implementation* const my = impl_.get();
    return my->call<std::size_t>([my, wanted = std::move(sequences)]() -> result<std::size_t> {
        const auto done = my->follow.retry_dead(wanted.empty() ? my->store->dead_sequences() : wanted);
        my->dead = my->store->count_dead();
        my->dead_gauge.set(static_cast<double>(my->dead));
        return done;
    });
}

result<void> pipeline::adopt_rebuilt()
{
    implementation* const my = impl_.get();
    const auto done = my->call<bool>([my]() -> result<bool> {
        if (my->renew.is_under_way())
            return make_error(errc::busy, "the daemon itself makes the state anew after an upgrade; "
                                          "'chargifyctl status' shows how far it is");
        return my->adopt(my->ending.get_token());
    });
    if (!done)
        return done.error();
    return {};
}

result<forgetting> pipeline::implementation::forget(const std::string& site, std::int64_t customer_id,
                                                    forgetting so_far)
{
    const bool begins = so_far.next == 0;
    if (begins) {
        so_far.last = inbox.durable_sequence();
        std::unique_lock hold(progress_mutex);
        if (!progressed.wait_for(hold, ending.get_token(), apply_patience,
                                 [&] { return applied >= so_far.last; }))
            return make_error(errc::busy, "webhooks wait to be applied; try again when they are");
    }
    const auto who = call<state::person>([this, begins, &site, customer_id]() -> result<state::person> {
        auto found = store->find_person(site, customer_id);
        if (found && begins)
            store->forget(*found);
        return found;
    });
    if (!who)
        return who.error();
    if (begins) {
        const std::lock_guard one_at_a_time(maintenance_mutex);
        if (fs::exists(directory / state::snapshot_file_name)) {
            if (auto made = make_snapshot(); !made)
                return made.error();
        }
        inbox.rotate();
        so_far.next = inbox.first_sequence();
    }
    const auto edit = [&](std::string_view of, std::span<char> body) {
        return state::concerns(*who, of, {body.data(), body.size()}) && state::blank_personal(body);
    };
    const auto done =
        inbox.replace_bodies(so_far.next, so_far.last, edit, std::chrono::steady_clock::now() + forget_slice);
    if (!done)
        return done.error();
    so_far.next = done->next;
    so_far.webhooks += done->webhooks;
    return so_far;
}

result<forgetting> pipeline::forget(const std::string& site, std::int64_t customer_id,
                                    const forgetting& so_far)
{
    return impl_->forget(site, customer_id, so_far);
}

result<void> pipeline::maintain()
{
    return impl_->maintain();
}

} // namespace chargifyd::pipeline
