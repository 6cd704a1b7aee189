#include "ctl/acting_as.hpp"
#include "ctl/backup_files.hpp"
#include "ctl/commands.hpp"
#include "ctl/file_copy.hpp"
#include "ctl/progress.hpp"
#include "ctl/soundness.hpp"

#include "chargifyd/base/file.hpp"
#include "chargifyd/journal/directory_lock.hpp"
#include "chargifyd/pipeline/rebuild.hpp"
#include "chargifyd/quarantine/quarantine.hpp"
#include "chargifyd/state/sqlite_store.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <iostream>
#include <memory>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

namespace chargifyd::ctl {

namespace {

namespace fs = std::filesystem;

constexpr const char* staging_name = "restore.unfinished";
constexpr std::size_t most_sums_bytes = 256 * 1024 * 1024;
constexpr std::uint64_t spare_bytes = 64 * 1024 * 1024;

struct restore_options {
    fs::path from;
    std::string owner;
};

/// Whom the restored files shall belong to.
identity choose_owner(const fs::path& state_directory, const std::string& wanted)
{
    const identity self{::geteuid(), ::getegid()};
    const std::string name = wanted.empty() ? "chargifyd" : wanted;
    const auto found = find_user(name);
    if (!wanted.empty() && !found)
        throw failure(exit_code::usage, "there is no user '" + wanted + "'");
    if (self.user != 0) {
        if (!wanted.empty() && found->user != self.user)
            throw failure(exit_code::usage, "only root can give files to another user");
        return self;
    }
    struct stat about {};
    const bool there = ::stat(state_directory.c_str(), &about) == 0;
    if (!wanted.empty() || !there || about.st_uid == 0)
        return found.value_or(self);
    return {about.st_uid, about.st_gid};
}

class restorer {
public:
    restorer(context& ctx, const restore_options& with)
        : ctx_(ctx)
        , from_(fs::absolute(with.from).lexically_normal())
        , to_(ctx.state_directory())
        , staging_(to_ / staging_name)
        , owner_(choose_owner(to_, with.owner))
    {}

    void run();

private:
    void read_sums();
    void refuse_if_used() const;
    void make_state_directory() const;
    void check_space() const;
    void stage();
    void copy_one(const summed_file& file, progress_line& progress);
    void check();
    void set_modes() const;
    void put_into_place() const;
    void write_report() const;

    context& ctx_;
    fs::path from_;
    fs::path to_;
    fs::path staging_;
    identity owner_;
    std::vector<summed_file> files_; ///< what goes into the state directory
    bool with_configuration_ = false;
    std::uint64_t total_ = 0;
    std::uint64_t done_ = 0;
    soundness found_;
};

void restorer::run()
{
    ::umask(0027);
    read_sums();
    refuse_if_used();
    make_state_directory();
    {
        const auto lock = [this] {
            const acting_as them(owner_);
            return value_or_fail(journal::directory_lock::acquire(to_));
        }();
        refuse_if_used(); // nothing can begin to use it now
        check_space();
        try {
            stage();
            const acting_as them(owner_);
            check();
            set_modes();
            put_into_place();
        } catch (...) {
            const acting_as them(owner_);
            std::error_code ignored;
            fs::remove_all(staging_, ignored);
            throw;
        }
    }
    write_report();
}

void restorer::read_sums()
{
    const auto text = read_small_file(from_ / sums_name, most_sums_bytes);
    if (!text)
        throw failure(exit_code::not_found, from_.string() +
                                                " is not a backup that 'chargifyctl backup --all' "
                                                "made, or it cannot be read: " +
                                                text.error().message);
    for (summed_file& f : value_or_fail(parse_sums(*text))) {
        std::error_code missing;
        total_ += fs::file_size(from_ / f.path, missing);
        if (missing)
            throw failure(exit_code::failed,
                          "the backup is not whole: " + (from_ / f.path).string() + " is missing");
        with_configuration_ = with_configuration_ || f.path == configuration_name;
        files_.push_back(std::move(f));
    }
}

/// Anything that could be lost, or mixed with what comes.
void restorer::refuse_if_used() const
{
    constexpr std::array<std::string_view, 5> harmless = {"lock", "control.sock", pipeline::rebuild_lock_name,
                                                          staging_name, "lost+found"};
    if (const pid_t pid = journal::directory_lock::holder(to_); pid != 0 && pid != ::getpid())
        throw failure(exit_code::failed, to_.string() + " is in use by process " + std::to_string(pid) +
                                             "; stop the daemon first");
    std::vector<std::string> names;
    const int failed = journal::real_file_system().list(to_, &names);
    if (failed != 0 && failed != ENOENT)
        fail(failed, "read", to_);
    for (const std::string& name : names)
        if (std::ranges::find(harmless, name) == harmless.end())
            throw failure(exit_code::failed, to_.string() + " is not empty: it has " + name +
                                                 "; move what is in it away first, or restore to another "
                                                 "directory with --state-directory");
}

void restorer::make_state_directory() const
{
    if (::mkdir(to_.c_str(), 0750) == 0 || errno == EEXIST) {
        struct stat about {};
        if (::stat(to_.c_str(), &about) != 0)
            fail(errno, "read", to_);
        if (::geteuid() == 0 && about.st_uid != owner_.user &&
            ::lchown(to_.c_str(), owner_.user, owner_.group) != 0)
            fail(errno, "change the owner of", to_);
        return;
    }
    fail(errno, "make", to_);
}

void restorer::check_space() const
{
    std::uint64_t free = 0;
    if (const int failed = journal::real_file_system().free_bytes(to_, &free))
        fail(failed, "look at the disk of", to_);
    if (free < total_ + spare_bytes)
        throw failure(exit_code::failed, to_.string() + " has " + format_bytes(static_cast<double>(free)) +
                                             " left, and the backup needs " +
                                             format_bytes(static_cast<double>(total_ + spare_bytes)) +
                                             "; make room");
}

void restorer::stage()
{
    {
        const acting_as them(owner_);
        fs::remove_all(staging_); // of a restore that was interrupted
        make_directory(staging_);
        for (const char* folder : {pipeline::journal_directory_name, quarantine::directory_name})
            make_directory(staging_ / folder);
    }
    progress_line progress(std::cerr, "restoring", progress_line::unit::bytes);
    for (const summed_file& f : files_)
        copy_one(f, progress);
}

void restorer::copy_one(const summed_file& file, progress_line& progress)
{
    // Read with the caller's rights, written with the owner's.
    const auto opened = open_for_reading(from_ / file.path);
    if (!opened)
        throw failure(exit_code::failed,
                      "the backup is not whole: " + (from_ / file.path).string() + " is missing");
    const acting_as them(owner_);
    copy_into(*opened, from_ / file.path, staging_ / file.path, [&](std::uint64_t bytes) {
        done_ += bytes;
        progress.show(done_, total_);
    });
    if (digest_of(staging_ / file.path) != file.digest)
        throw failure(exit_code::failed,
                      (from_ / file.path).string() +
                          " is not what was backed up: the backup is damaged or was changed; "
                          "nothing was restored");
}

void restorer::check()
{
    progress_line progress(std::cerr, "checking what was restored", progress_line::unit::bytes);
    found_ = examine(staging_, true,
                     [&progress](std::uint64_t done, std::uint64_t total) { progress.show(done, total); });
    for (const std::string& p : found_.problems)
        ctx_.note(p);
    if (!found_.problems.empty())
        throw failure(exit_code::failed, "the backup is not sound; nothing was restored");
}

void restorer::set_modes() const
{
    for (const char* name : {state::state_file_name, state::snapshot_file_name}) {
        const fs::path file = staging_ / name;
        if (::chmod(file.c_str(), 0640) != 0 && errno != ENOENT)
            fail(errno, "change the mode of", file);
    }
    struct stat about {};
    // That new files get its group, if it says so, stays.
    if (::stat(to_.c_str(), &about) != 0 || ::chmod(to_.c_str(), (about.st_mode & S_ISGID) | 0750U) != 0)
        fail(errno, "change the mode of", to_);
}

/// The journal comes when all it needs is there, and the state, which can be made from it, last: whenever
/// this is interrupted, there is either nothing that a daemon would start with, or all it needs.
void restorer::put_into_place() const
{
    for (const char* folder : {pipeline::journal_directory_name, quarantine::directory_name})
        sync_directory(staging_ / folder);
    sync_directory(staging_);
    for (const char* name : {state::snapshot_file_name, quarantine::directory_name,
                             pipeline::journal_directory_name, state::state_file_name}) {
        std::error_code ignored;
        if (fs::exists(staging_ / name, ignored))
            rename_durably(staging_ / name, to_ / name);
    }
    fs::remove_all(staging_);
    sync_directory(to_);
}

void restorer::write_report() const
{
    if (with_configuration_)
        ctx_.note(
            "next: put the configuration (" + (from_ / configuration_name).string() +
            ") and the files it names into place, run 'chargifyctl config check', then start chargifyd");
    else
        ctx_.note("next: write the configuration, run 'chargifyctl config check', then start chargifyd");
    const auto integer = [](std::uint64_t value) { return static_cast<std::int64_t>(value); };
    write_object(ctx_.out(),
                 {{"state_directory"},
                  {"first_sequence", kind::integer},
                  {"last_sequence", kind::integer},
                  {"applied_sequence", kind::integer}},
                 {to_.string(), integer(found_.journal.first_sequence), integer(found_.journal.last_sequence),
                  integer(found_.applied)});
}

} // namespace

void add_restore(CLI::App& app, context& ctx)
{
    const auto with = std::make_shared<restore_options>();
    CLI::App& command = add_command(
        app, ctx, "restore", "Put a whole backup into an empty state directory",
        "Takes what 'chargifyctl backup --all' made, checks every byte of it, and refuses it when it is torn "
        "or "
        "was\nchanged. The state directory has to be empty or absent, and no daemon may use it. The "
        "configuration is\nleft alone.\n\n"
        "Examples:\n"
        "  chargifyctl restore /backup/2026-03-01\n"
        "  chargifyctl restore --state-directory /srv/chargifyd --owner chargifyd /backup/2026-03-01",
        [with](context& c) {
            restorer(c, *with).run();
            return exit_code::done;
        });
    command.add_option("DIR", with->from, "The backup")->type_name("")->required();
    command
        .add_option(
            "--owner", with->owner,
            "Whom the files shall belong to, for root (default: the owner of the state directory if that "
            "is not root, else chargifyd)")
        ->type_name("USER");
}

} // namespace chargifyd::ctl
