#include "ctl/acting_as.hpp"
#include "ctl/judgement.hpp"

#include "chargifyd/journal/file_system.hpp"
#include "chargifyd/pipeline/rebuild.hpp"
#include "chargifyd/sqlite/database.hpp"
#include "chargifyd/state/sqlite_store.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <sys/stat.h>
#include <sys/timex.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <vector>

namespace chargifyd::ctl {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t write_bytes = 4096;
constexpr std::size_t writes = 50;
constexpr const char* probe_file = "doctor.unfinished";

constexpr const char* as_root = "run it as root or as the daemon's user";

std::string said(int errno_value, const std::string& what)
{
    return system_error(errno_value, what).message;
}

/// Only of files that the daemon makes, with the bits that it gives them.
void look_at_modes(const fs::path& directory, findings& into)
{
    struct rule {
        const char* name;
        mode_t allowed;
    };
    for (const rule& r : {rule{"", 0750}, rule{pipeline::journal_directory_name, 0700},
                          rule{state::state_file_name, 0640}, rule{state::snapshot_file_name, 0640}}) {
        const fs::path path = *r.name == '\0' ? directory : directory / r.name;
        struct stat about {};
        if (::stat(path.c_str(), &about) == 0)
            into.add(judge_mode(path.string(), about.st_mode, r.allowed));
        else if (errno != ENOENT)
            into.warning("modes", said(errno, "cannot look at " + path.string()), as_root);
    }
}

/// What else is in there has to belong to the same user, or the daemon cannot write it.
void look_at_owners(const fs::path& directory, uid_t owner, findings& into)
{
    std::vector<std::string> names;
    if (journal::real_file_system().list(directory, &names) != 0)
        return;
    for (const std::string& name : names) {
        struct stat about {};
        const fs::path path = directory / name;
        if (::lstat(path.c_str(), &about) == 0 && about.st_uid != owner && name != "lost+found")
            into.problem("owner", path.string() + " belongs to another user than its directory",
                         "chown --reference=" + directory.string() + " " + path.string());
    }
}

/// Times of writes that were synced, sorted; empty, and the reason, when they cannot be made.
std::vector<std::chrono::microseconds> measure_syncs(const fs::path& directory, int& failed)
{
    auto& files = journal::real_file_system();
    const fs::path path = directory / (probe_file + std::to_string(::getpid()));
    std::unique_ptr<journal::file> file;
    failed = files.open(path, journal::file_system::mode::create, &file);
    if (failed != 0)
        return {};
    std::vector<std::chrono::microseconds> took;
    const std::vector<char> block(write_bytes, 'x');
    for (std::size_t i = 0; i < writes && failed == 0; ++i) {
        const auto began = std::chrono::steady_clock::now();
        failed = file->write_at(block, i * write_bytes);
        if (failed == 0)
            failed = file->sync();
        took.push_back(
            std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - began));
    }
    file.reset();
    files.remove(path);
    std::ranges::sort(took);
    return failed == 0 ? took : std::vector<std::chrono::microseconds>();
}

} // namespace

void look_at_directory(const patient& of, findings& into)
{
    struct stat about {};
    if (::stat(of.directory.c_str(), &about) != 0) {
        if (errno == ENOENT)
            into.warning("directory", of.directory.string() + " does not exist",
                         "it is made when chargifyd starts for the first time");
        else
            into.warning("directory", said(errno, "cannot look at " + of.directory.string()), as_root);
        return;
    }
    if (about.st_uid == 0)
        into.warning("owner", of.directory.string() + " belongs to root",
                     "run chargifyd as a user of its own");
    look_at_modes(of.directory, into);
    look_at_owners(of.directory, about.st_uid, into);
}

void look_at_disk(const patient& of, findings& into)
{
    struct statfs about {};
    struct stat owner {};
    if (::statfs(of.directory.c_str(), &about) != 0 || ::stat(of.directory.c_str(), &owner) != 0) {
        if (errno != ENOENT) // which was said already
            into.warning("disk", said(errno, "cannot look at the disk of " + of.directory.string()), as_root);
        return;
    }
    into.add(judge_file_system(static_cast<std::uint32_t>(about.f_type)));
    std::uint64_t free = 0;
    if (const int failed = journal::real_file_system().free_bytes(of.directory, &free)) {
        into.warning("disk", said(failed, "cannot tell the free space"), as_root);
        return;
    }
    into.add(judge_space(free, of.settings.journal.disk_floor_bytes));
    if (free < writes * write_bytes)
        return;
    int failed = 0;
    std::vector<std::chrono::microseconds> took;
    {
        const acting_as them(identity{owner.st_uid, owner.st_gid});
        took = measure_syncs(of.directory, failed);
    }
    if (took.empty())
        into.warning("sync", said(failed, "cannot measure it in " + of.directory.string()), as_root);
    else
        into.add(judge_sync(took[took.size() / 2], took[took.size() * 99 / 100]));
}

void look_at_clock(findings& into)
{
    into.add(judge_year(std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now())));
    struct timex about {};
    if (::adjtimex(&about) < 0)
        into.warning("clock", said(errno, "cannot tell whether it is synchronised"), "look at timedatectl");
    else if ((about.status & STA_UNSYNC) != 0)
        into.warning("clock", "it is not synchronised: times of reception may be wrong",
                     "set up NTP (systemd-timesyncd, chrony)");
    else
        into.ok("clock", "it is synchronised");
}

void look_at_sqlite(findings& into)
{
    const std::string version(sqlite::version());
    if (has_wal_reset_fault(version))
        into.ok("sqlite",
                version + " can corrupt a file that several connections write; chargifyd writes through one, "
                          "and applications have to open state.db read-only (mode=ro)");
    else
        into.ok("sqlite", version);
}

} // namespace chargifyd::ctl
