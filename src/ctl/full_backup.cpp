#include "ctl/full_backup.hpp"

#include "ctl/backup_files.hpp"
#include "ctl/file_copy.hpp"
#include "ctl/progress.hpp"
#include "ctl/soundness.hpp"

#include "chargifyd/base/time.hpp"
#include "chargifyd/journal/directory_lock.hpp"
#include "chargifyd/journal/segment_name.hpp"
#include "chargifyd/pipeline/rebuild.hpp"
#include "chargifyd/quarantine/quarantine.hpp"
#include "chargifyd/state/queries.hpp"
#include "chargifyd/state/sqlite_store.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cerrno>
#include <iostream>
#include <map>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>

namespace chargifyd::ctl {

namespace {

namespace fs = std::filesystem;

/// How often what was copied may turn out not to fit together, because retention deleted meanwhile.
constexpr int most_attempts = 5;
/// Beyond what is to be copied: the files that are there by then.
constexpr std::uint64_t spare_bytes = 64 * 1024 * 1024;

constexpr const char* unfinished_suffix = ".unfinished";
constexpr const char* lock_name = "lock";

std::vector<std::string> list(const fs::path& directory)
{
    std::vector<std::string> names;
    const int failed = journal::real_file_system().list(directory, &names);
    if (failed != 0 && failed != ENOENT)
        fail(failed, "read", directory);
    return names;
}

/// 0 when there is no such file. Of the newest segment it is more than was written.
std::uint64_t bytes_of(const fs::path& file)
{
    struct stat about {};
    return ::stat(file.c_str(), &about) == 0 ? static_cast<std::uint64_t>(about.st_size) : 0;
}

/// One backup on its way, in a directory that gets its name when all is done.
class backup_maker {
public:
    backup_maker(context& ctx, const fs::path& to)
        : ctx_(ctx)
        , from_(ctx.state_directory())
        , to_(to)
        , unfinished_(to.string() + unfinished_suffix)
        , lock_(claim())
    {}
    ~backup_maker()
    {
        std::error_code ignored;
        if (!finished_)
            fs::remove_all(unfinished_, ignored);
    }
    backup_maker(const backup_maker&) = delete;
    backup_maker& operator=(const backup_maker&) = delete;

    void run();
    void write_report();

private:
    /// Whoever holds the lock owns what is in the directory, also what a killed backup left there.
    journal::directory_lock claim();
    void clear();
    void check_space();
    bool copy_once();
    void copy_state(const char* name);
    bool copy_journal();
    bool copy_segment(std::uint64_t first, const journal::segment_name& best, bool newest);
    void copy_quarantine();
    void copy_configuration();
    void check();
    void write_sums();
    void finish();
    void count(std::uint64_t bytes)
    {
        done_ += bytes;
        if (progress_)
            progress_->show(done_, std::max(done_, total_));
    }

    context& ctx_;
    fs::path from_;
    fs::path to_;
    fs::path unfinished_;
    journal::directory_lock lock_;
    std::optional<progress_line> progress_;
    std::uint64_t total_ = 0;
    std::uint64_t done_ = 0;
    std::vector<std::string> files_; ///< copied, relative
    soundness found_;
    bool with_configuration_ = false;
    bool finished_ = false;
};

journal::directory_lock backup_maker::claim()
{
    std::error_code ignored;
    if (fs::exists(fs::symlink_status(to_, ignored)))
        throw failure(exit_code::usage, to_.string() + " exists already; a backup makes a new directory");
    if (fs::is_empty(from_, ignored) || !fs::exists(from_ / state::state_file_name, ignored))
        throw failure(exit_code::not_found, "there is no " + (from_ / state::state_file_name).string() +
                                                ", or it cannot be seen by this user");
    if (::access((from_ / pipeline::journal_directory_name).c_str(), R_OK | X_OK) != 0 && errno == EACCES)
        throw failure(exit_code::failed,
                      "the journal in " + from_.string() +
                          " cannot be read by this user; run it as root or as the daemon's user");
    make_directory(unfinished_);
    return value_or_fail(journal::directory_lock::acquire(unfinished_));
}

void backup_maker::clear()
{
    for (const std::string& name : list(unfinished_))
        if (name != lock_name)
            fs::remove_all(unfinished_ / name);
    files_.clear();
    done_ = 0;
}

void backup_maker::check_space()
{
    total_ = bytes_of(from_ / state::state_file_name) + bytes_of(from_ / state::snapshot_file_name);
    for (const char* folder : {pipeline::journal_directory_name, quarantine::directory_name})
        for (const std::string& name : list(from_ / folder))
            total_ += bytes_of(from_ / folder / name);
    const std::uint64_t wal = bytes_of(from_ / (std::string(state::state_file_name) + "-wal"));
    std::uint64_t free = 0;
    if (const int failed = journal::real_file_system().free_bytes(unfinished_, &free))
        fail(failed, "look at the disk of", unfinished_);
    if (free < total_ + wal + spare_bytes)
        throw failure(exit_code::failed,
                      to_.parent_path().string() + " has " + format_bytes(static_cast<double>(free)) +
                          " left, and the backup needs up to " +
                          format_bytes(static_cast<double>(total_ + wal + spare_bytes)) + "; make room");
}

void backup_maker::run()
{
    check_space();
    for (int attempt = 1;; ++attempt) {
        clear();
        if (copy_once())
            break;
        if (attempt == most_attempts)
            throw failure(
                exit_code::failed,
                "journal, state and snapshot do not fit together; if retention deletes segments right "
                "now try again, else see 'chargifyctl check'");
    }
    copy_quarantine();
    copy_configuration();
    write_sums();
    finish();
}

/// The order matters. The state first, the journal last: a state may lack what the journal holds, for that is
/// applied at the next start, but the journal may not lack what the state holds, for then webhooks would be
/// neither here nor sent again. The same goes for the snapshot. False: retention deleted segments meanwhile,
/// so that there is a gap between the snapshot and the first segment that is left.
bool backup_maker::copy_once()
{
    progress_.emplace(std::cerr, "backing up", progress_line::unit::bytes);
    copy_state(state::state_file_name);
    std::error_code ignored;
    if (fs::exists(from_ / state::snapshot_file_name, ignored))
        copy_state(state::snapshot_file_name);
    if (!copy_journal())
        return false;
    check();
    const std::uint64_t first = found_.journal.first_sequence;
    if (first <= 1)
        return true;
    const fs::path snapshot = unfinished_ / state::snapshot_file_name;
    if (found_.applied + 1 < first)
        return false;
    if (!fs::exists(snapshot))
        return !fs::exists(from_ / state::snapshot_file_name); // it may have come meanwhile
    return value_or_fail(value_or_fail(state::state_reader::open(snapshot)).cursor()) + 1 >= first;
}

void backup_maker::copy_state(const char* name)
{
    const fs::path to = unfinished_ / name;
    if (auto copied = state::copy_state(from_ / name, to); !copied)
        throw failure(copied.error());
    fs::permissions(to, fs::perms::owner_read | fs::perms::owner_write);
    files_.emplace_back(name);
    count(bytes_of(to));
}

/// False: a segment was deleted before it could be copied.
bool backup_maker::copy_journal()
{
    std::map<std::uint64_t, journal::segment_name> segments;
    for (const std::string& name : list(from_ / pipeline::journal_directory_name))
        if (const auto segment = journal::parse_segment_name(name)) {
            // With both, the compressed one is complete, and the other is about to go.
            journal::segment_name& best =
                segments.try_emplace(segment->first_sequence, *segment).first->second;
            best.compressed = best.compressed || segment->compressed;
        }
    make_directory(unfinished_ / pipeline::journal_directory_name);
    for (const auto& [first, segment] : segments)
        if (!copy_segment(first, segment, first == segments.rbegin()->first))
            return false;
    sync_directory(unfinished_ / pipeline::journal_directory_name);
    return true;
}

bool backup_maker::copy_segment(std::uint64_t first, const journal::segment_name& best, bool newest)
{
    // A segment that is compressed meanwhile is there under its other name; an open one can be read to its
    // end.
    for (const bool compressed : {best.compressed, true}) {
        const fs::path name =
            fs::path(pipeline::journal_directory_name) / journal::format_segment_name({first, compressed});
        const auto opened = open_for_reading(from_ / name);
        if (!opened)
            continue;
        const auto copied = [this](std::uint64_t bytes) { count(bytes); };
        if (newest && !compressed)
            copy_growing(*opened, from_ / name, unfinished_ / name, copied);
        else
            copy_into(*opened, from_ / name, unfinished_ / name, copied);
        files_.push_back(name.string());
        return true;
    }
    return false;
}

/// Also makes sure that the copy is one: a damaged journal must not become a backup that nobody looks at.
void backup_maker::check()
{
    progress_.reset();
    progress_line progress(std::cerr, "checking the backup", progress_line::unit::bytes);
    found_ = examine(unfinished_, true,
                     [&progress](std::uint64_t done, std::uint64_t total) { progress.show(done, total); });
    for (const std::string& p : found_.problems)
        ctx_.note(p);
    if (!found_.problems.empty())
        throw failure(exit_code::failed,
                      "what was copied is not sound, so there is no backup; see 'chargifyctl check'");
}

void backup_maker::copy_quarantine()
{
    const fs::path folder = quarantine::directory_name;
    const auto names = list(from_ / folder);
    if (names.empty())
        return;
    make_directory(unfinished_ / folder);
    for (const std::string& name : names) {
        if (!std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; }))
            continue; // one that is being written
        if (const auto opened = open_for_reading(from_ / folder / name)) {
            copy_into(*opened, from_ / folder / name, unfinished_ / folder / name,
                      [this](std::uint64_t bytes) { count(bytes); });
            files_.push_back((folder / name).string());
        }
    }
    sync_directory(unfinished_ / folder);
}

void backup_maker::copy_configuration()
{
    if (!ctx_.has_config_file())
        return;
    const auto opened = open_for_reading(ctx_.config_file());
    if (!opened)
        return;
    copy_into(*opened, ctx_.config_file(), unfinished_ / configuration_name, [](std::uint64_t) {});
    files_.emplace_back(configuration_name);
    with_configuration_ = true;
}

void backup_maker::write_sums()
{
    const nlohmann::ordered_json facts = {{"chargifyd", CHARGIFYD_VERSION},
                                          {"made_at", format_utc(system_now())},
                                          {"state_directory", from_.string()},
                                          {"journal_id", found_.journal.id},
                                          {"first_sequence", found_.journal.first_sequence},
                                          {"last_sequence", found_.journal.last_sequence},
                                          {"applied_sequence", found_.applied}};
    write_new(unfinished_ / facts_name,
              facts.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
    files_.emplace_back(facts_name);
    std::uint64_t total = 0;
    for (const std::string& path : files_)
        total += bytes_of(unfinished_ / path);
    progress_line progress(std::cerr, "summing up the backup", progress_line::unit::bytes);
    std::uint64_t done = 0;
    const auto show = [&](std::uint64_t bytes) { progress.show(done += bytes, total); };
    std::vector<summed_file> sums;
    for (const std::string& path : files_)
        sums.push_back({path, digest_of(unfinished_ / path, show)});
    write_new(unfinished_ / sums_name, format_sums(sums));
}

void backup_maker::finish()
{
    fs::remove(unfinished_ / lock_name);
    sync_directory(unfinished_);
    // rename(2) would replace an empty directory that somebody made meanwhile, and nothing else.
    rename_durably(unfinished_, to_);
    finished_ = true;
}

void backup_maker::write_report()
{
    std::uint64_t bytes = 0;
    for (const std::string& path : files_)
        bytes += bytes_of(to_ / path);
    if (with_configuration_)
        ctx_.note(
            "not in the backup: the files that the configuration names (shared keys, certificate and its "
            "key, token); keep copies of them elsewhere");
    else
        ctx_.note("not in the backup: the configuration, which cannot be read here, and the files it names");
    const auto integer = [](std::uint64_t value) { return static_cast<std::int64_t>(value); };
    write_object(ctx_.out(),
                 {{"directory"},
                  {"first_sequence", kind::integer},
                  {"last_sequence", kind::integer},
                  {"applied_sequence", kind::integer},
                  {"files", kind::integer},
                  {"bytes", kind::integer}},
                 {to_.string(), integer(found_.journal.first_sequence), integer(found_.journal.last_sequence),
                  integer(found_.applied), integer(files_.size()), integer(bytes)});
}

} // namespace

exit_code back_up_all(context& ctx, const fs::path& to)
{
    ::umask(0077);
    // Without a slash at its end, so that its parent is its parent.
    const fs::path target = fs::absolute(to.filename().empty() ? to.parent_path() : to).lexically_normal();
    backup_maker work(ctx, target);
    work.run();
    work.write_report();
    return exit_code::done;
}

} // namespace chargifyd::ctl
