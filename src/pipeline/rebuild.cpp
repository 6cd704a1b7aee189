#include "chargifyd/pipeline/rebuild.hpp"

#include "chargifyd/pipeline/follower.hpp"
#include "chargifyd/state/sqlite_store.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>
#include <utility>

namespace chargifyd::pipeline {

namespace fs = std::filesystem;

namespace {

/// What came meanwhile is followed too, until so little is left that whoever takes the state over can do it.
constexpr std::uint64_t close_webhooks = 1000;
constexpr int most_rounds = 20;
/// Nothing has to be durable before the end, but what the system holds back would have to be written at once
/// then, and the journal on the same disk would wait for it.
constexpr std::uint64_t webhooks_between_syncs = 10'000;
constexpr std::size_t kept_row_bytes = 64 * 1024 * 1024;

result<std::uint64_t> make(const fs::path& target, const rebuild_lock& held, const options& with,
                           const state::options& state_with, const std::stop_token& stop,
                           const std::function<void(std::uint64_t, std::uint64_t)>& on_progress)
{
    journal::file_system& files = journal::real_file_system();
    const fs::path journal_directory = held.directory() / journal_directory_name;
    auto found = journal::verify(journal_directory, files, false);
    if (!found)
        return found.error();
    if (found->id.empty())
        return make_error(errc::not_found, "there is no journal in " + journal_directory.string());
    if (found->first_sequence > 1) {
        if (auto copied = state::copy_state(held.directory() / state::snapshot_file_name, target); !copied)
            return copied.error();
    }
    state::options scratch = state_with;
    scratch.scratch = true;
    auto store = state::sqlite_store::open(target, found->id, scratch);
    if (!store)
        return store.error();
    options generous = with;
    generous.kept_row_bytes = kept_row_bytes;
    follower follow(journal_directory, files, **store, generous, nullptr);
    std::uint64_t synced = 0;
    const auto committed = [&](const progress& p) {
        if (on_progress)
            on_progress(p.cursor, found->last_sequence);
        if (p.cursor - synced >= webhooks_between_syncs) {
            (*store)->sync();
            synced = p.cursor;
        }
    };
    std::uint64_t reached = 0;
    const auto come_close = [&]() -> result<void> {
        for (int round = 0; round < most_rounds; ++round) {
            const auto advanced = follow.advance(found->last_sequence, stop, committed);
            if (!advanced)
                return advanced.error();
            if (stop.stop_requested())
                return make_error(errc::busy, "interrupted");
            reached = *advanced;
            found = journal::verify(journal_directory, files, false);
            if (!found)
                return found.error();
            if (found->last_sequence <= reached + close_webhooks)
                break;
        }
        return {};
    };
    const auto go_on = [&] {
        if (on_progress)
            on_progress(reached, found->last_sequence);
        return !stop.stop_requested();
    };
    if (auto close = come_close(); !close)
        return close.error();
    if (!(*store)->make_indexes(go_on))
        return make_error(errc::busy, "interrupted");
    // Webhooks came while the indexes were made.
    if (auto close = come_close(); !close)
        return close.error();
    (*store)->sync();
    (*store)->mark_projection();
    (*store)->sync();
    return reached;
}

} // namespace

rebuild_lock::rebuild_lock(fs::path directory, int fd) noexcept
    : directory_(std::move(directory))
    , fd_(fd)
{}

rebuild_lock::rebuild_lock(rebuild_lock&& other) noexcept
    : directory_(std::move(other.directory_))
    , fd_(std::exchange(other.fd_, -1))
{}

rebuild_lock& rebuild_lock::operator=(rebuild_lock&& other) noexcept
{
    std::swap(directory_, other.directory_);
    std::swap(fd_, other.fd_);
    return *this;
}

rebuild_lock::~rebuild_lock()
{
    if (fd_ >= 0)
        ::close(fd_);
}

result<rebuild_lock> rebuild_lock::acquire(const fs::path& state_directory)
{
    const fs::path file = state_directory / rebuild_lock_name;
    const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 && errno == ENOENT)
        return make_error(errc::not_found, "there is no " + state_directory.string());
    if (fd < 0)
        return system_error(errno, "cannot open " + file.string());
    rebuild_lock lock(state_directory, fd);
    if (::flock(fd, LOCK_EX | LOCK_NB) == 0)
        return lock;
    if (errno == EWOULDBLOCK)
        return make_error(errc::busy, "another rebuild is under way in " + state_directory.string() +
                                          "; 'chargifyctl status' shows the daemon's own");
    return system_error(errno, "cannot lock " + file.string());
}

void remove_database(const fs::path& file)
{
    std::error_code ignored;
    for (const char* const suffix : {"", "-wal", "-shm"})
        fs::remove(file.string() + suffix, ignored);
}

void remove_unfinished(const rebuild_lock& held)
{
    const fs::path file = held.directory() / rebuild_file_name;
    remove_database(file);
    remove_database(file.string() + ".tmp");
}

result<std::uint64_t> rebuild(const rebuild_lock& held, const options& with, const state::options& state_with,
                              std::stop_token stop,
                              const std::function<void(std::uint64_t, std::uint64_t)>& on_progress)
{
    remove_unfinished(held);
    try {
        const auto reached =
            make(held.directory() / rebuild_file_name, held, with, state_with, stop, on_progress);
        if (!reached)
            remove_unfinished(held);
        return reached;
    } catch (const std::exception& e) {
        remove_unfinished(held);
        return make_error(errc::io, std::string("cannot write the rebuilt state: ") + e.what());
    }
}

} // namespace chargifyd::pipeline
