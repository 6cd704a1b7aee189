#include "quarantine/file_format.hpp"

#include "chargifyd/base/log.hpp"

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>

namespace chargifyd::quarantine {

namespace {

using journal::append_operation;
using journal::append_status;
using journal::file;
using journal::file_system;

constexpr std::string_view unfinished_suffix = ".new";

struct share {
    std::uint64_t webhooks = 0;
    std::uint64_t bytes = 0;
};

} // namespace

struct store::implementation {
    implementation(options with_, file_system& files_, metrics::registry& instruments)
        : with(std::move(with_))
        , files(files_)
        , kept_gauge(
              instruments.make_gauge("quarantined_webhooks", "Webhooks kept whose signature did not match."))
        , bytes_gauge(instruments.make_gauge("quarantined_bytes", "Bytes of their bodies."))
    {}

    result<void> count_files();
    void run();
    void write_batch(std::deque<append_operation*>& batch);
    int write_one(const append_operation& operation, std::uint64_t number);
    bool has_room(const append_operation& operation) const;
    void add(std::uint64_t number, const std::string& source, std::uint64_t bytes);
    void show();

    const options with;
    file_system& files;
    metrics::gauge kept_gauge;
    metrics::gauge bytes_gauge;
    std::function<void()> batch_over;

    /// What is kept. Guarded by the mutex, like the queue.
    struct kept_file {
        std::string source;
        std::uint64_t bytes = 0;
    };
    mutable std::mutex mutex;
    std::condition_variable wake;
    std::deque<append_operation*> waiting;
    std::map<std::uint64_t, kept_file> kept;
    std::map<std::string, share> sources;
    std::uint64_t total_bytes = 0;
    std::uint64_t last_number = 0;
    bool directory_made = false;
    bool ending = false;
    std::thread writer;
};

void store::implementation::add(std::uint64_t number, const std::string& source, std::uint64_t bytes)
{
    kept[number] = {source, bytes};
    sources[source].webhooks += 1;
    sources[source].bytes += bytes;
    total_bytes += bytes;
    last_number = std::max(last_number, number);
}

void store::implementation::show()
{
    kept_gauge.set(static_cast<double>(kept.size()));
    bytes_gauge.set(static_cast<double>(total_bytes));
}

result<void> store::implementation::count_files()
{
    std::vector<std::string> names;
    const int failed = files.list(with.directory, &names);
    if (failed == ENOENT)
        return {};
    if (failed != 0)
        return system_error(failed, "cannot list " + with.directory.string());
    directory_made = true;
    for (const std::string& name : names) {
        if (name.ends_with(unfinished_suffix)) { // was never acknowledged
            files.remove(with.directory / name);
            continue;
        }
        const std::uint64_t number = number_of(name);
        if (number == 0)
            continue;
        // One that cannot be read still takes room, from nobody's share.
        const auto found = read_entry(with.directory, files, number);
        add(number, found ? found->peer : std::string(), found ? found->body.size() : 0);
    }
    show();
    return {};
}

bool store::implementation::has_room(const append_operation& operation) const
{
    const std::uint64_t size = operation.body.size();
    if (kept.size() + waiting.size() >= with.max_webhooks || total_bytes + size > with.max_bytes)
        return false;
    const auto source = sources.find(std::string(operation.peer));
    return source == sources.end() || (source->second.webhooks < with.max_webhooks_per_source &&
                                       source->second.bytes + size <= with.max_bytes_per_source);
}

int store::implementation::write_one(const append_operation& operation, std::uint64_t number)
{
    entry e;
    e.received_at = operation.received_at;
    e.site = operation.site;
    e.peer = operation.peer;
    e.signature = operation.fingerprint;
    e.body = operation.body;
    const std::string content = write_file(e);
    const auto path = with.directory / file_name(number);
    const std::filesystem::path unfinished = path.string() + std::string(unfinished_suffix);
    std::unique_ptr<file> made;
    int failed = files.open(unfinished, file_system::mode::create, &made);
    if (failed == 0)
        failed = made->write_at(content, 0);
    if (failed == 0)
        failed = made->sync();
    made.reset();
    if (failed == 0)
        failed = files.rename(unfinished, path);
    if (failed != 0)
        files.remove(unfinished);
    return failed;
}

/// Writes what waits, syncs the directory once, and completes.
void store::implementation::write_batch(std::deque<append_operation*>& batch)
{
    int failed = 0;
    if (!directory_made) {
        failed = files.make_directory(with.directory);
        if (failed == 0)
            failed = files.sync_directory(with.directory.parent_path());
        directory_made = failed == 0;
    }
    struct written {
        append_operation* operation;
        std::uint64_t number;
        append_status status;
    };
    std::vector<written> all;
    for (append_operation* const operation : batch) {
        const std::uint64_t number = ++last_number;
        const int why = failed != 0 ? failed : write_one(*operation, number);
        if (why != 0)
            log::error("cannot keep a webhook in quarantine",
                       {{"error", system_error(why, "write").message}});
        all.push_back({operation, number, why == 0 ? append_status::stored : append_status::disk_full});
    }
    const bool synced = failed == 0 && files.sync_directory(with.directory) == 0;
    for (written& w : all) {
        if (!synced)
            w.status = append_status::disk_full;
        if (w.status == append_status::stored) {
            const std::lock_guard hold(mutex);
            add(w.number, std::string(w.operation->peer), w.operation->body.size());
            show();
        }
        w.operation->sequence = w.number;
        w.operation->complete(w.status);
    }
    if (batch_over)
        batch_over();
}

void store::implementation::run()
{
    std::unique_lock hold(mutex);
    for (;;) {
        wake.wait(hold, [this] { return ending || !waiting.empty(); });
        std::deque<append_operation*> batch;
        batch.swap(waiting);
        if (batch.empty())
            return;
        hold.unlock();
        write_batch(batch);
        hold.lock();
    }
}

result<std::vector<std::uint64_t>> list_entries(const std::filesystem::path& directory, file_system& files)
{
    std::vector<std::string> names;
    const int failed = files.list(directory, &names);
    if (failed != 0 && failed != ENOENT)
        return system_error(failed, "cannot list " + directory.string());
    std::vector<std::uint64_t> numbers;
    for (const std::string& name : names) {
        if (const std::uint64_t number = number_of(name); number != 0)
            numbers.push_back(number);
    }
    return numbers;
}

result<entry> read_entry(const std::filesystem::path& directory, file_system& files, std::uint64_t number)
{
    const auto path = directory / file_name(number);
    std::unique_ptr<file> opened;
    int failed = files.open(path, file_system::mode::read, &opened);
    if (failed == ENOENT)
        return make_error(errc::not_found,
                          "quarantined webhook " + std::to_string(number) + " does not exist");
    std::uint64_t size = 0;
    if (failed == 0)
        failed = opened->size(&size);
    std::string content(size, '\0');
    std::size_t got = 0;
    if (failed == 0)
        failed = opened->read_at(content, 0, &got);
    if (failed != 0)
        return system_error(failed, "cannot read " + path.string());
    content.resize(got);
    return read_file(number, content);
}

result<void> remove_entry(const std::filesystem::path& directory, file_system& files, std::uint64_t number)
{
    const auto path = directory / file_name(number);
    int failed = files.remove(path);
    if (failed == 0)
        failed = files.sync_directory(directory);
    if (failed != 0 && failed != ENOENT)
        return system_error(failed, "cannot remove " + path.string());
    return {};
}

store::store() = default;

store::~store()
{
    if (!impl_ || !impl_->writer.joinable())
        return;
    {
        const std::lock_guard hold(impl_->mutex);
        impl_->ending = true;
    }
    impl_->wake.notify_one();
    impl_->writer.join();
}

result<std::unique_ptr<store>> store::open(options with, file_system& files, metrics::registry& instruments)
{
    std::unique_ptr<store> made(new store);
    made->impl_ = std::make_unique<implementation>(std::move(with), files, instruments);
    if (auto counted = made->impl_->count_files(); !counted)
        return counted.error();
    made->impl_->writer = std::thread([my = made->impl_.get()] { my->run(); });
    return made;
}

append_status store::submit(append_operation& operation) noexcept
{
    try {
        {
            const std::lock_guard hold(impl_->mutex);
            if (impl_->ending)
                return append_status::stopped;
            if (impl_->waiting.size() >= impl_->with.queue_webhooks)
                return append_status::queue_full;
            if (!impl_->has_room(operation))
                return append_status::disk_full;
            impl_->waiting.push_back(&operation);
        }
        impl_->wake.notify_one();
        return append_status::stored;
    } catch (...) { // out of memory
        return append_status::queue_full;
    }
}

void store::on_batch(std::function<void()> handler)
{
    impl_->batch_over = std::move(handler);
}

std::vector<std::uint64_t> store::numbers() const
{
    const std::lock_guard hold(impl_->mutex);
    std::vector<std::uint64_t> all;
    for (const auto& [number, about] : impl_->kept)
        all.push_back(number);
    return all;
}

result<entry> store::read(std::uint64_t number) const
{
    return read_entry(impl_->with.directory, impl_->files, number);
}

result<void> store::remove(std::uint64_t number)
{
    if (auto removed = remove_entry(impl_->with.directory, impl_->files, number); !removed)
        return removed;
    const std::lock_guard hold(impl_->mutex);
    const auto found = impl_->kept.find(number);
    if (found == impl_->kept.end())
        return {};
    share& from = impl_->sources[found->second.source];
    from.webhooks -= 1;
    from.bytes -= found->second.bytes;
    if (from.webhooks == 0)
        impl_->sources.erase(found->second.source);
    impl_->total_bytes -= found->second.bytes;
    impl_->kept.erase(found);
    impl_->show();
    return {};
}

std::uint64_t store::count() const
{
    const std::lock_guard hold(impl_->mutex);
    return impl_->kept.size();
}

std::uint64_t store::bytes() const
{
    const std::lock_guard hold(impl_->mutex);
    return impl_->total_bytes;
}

} // namespace chargifyd::quarantine
