#include "fault_vfs.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>
#include <new>
#include <random>
#include <stdexcept>
#include <utility>

namespace chargifyd::test {

namespace {

constexpr std::size_t sector = 512;
fault_vfs* the_one = nullptr;
sqlite3_vfs* below = nullptr;

/// What SQLite sees of a file; the file below lies behind it in the same allocation.
struct shim {
    sqlite3_file base{};
    std::string* path = nullptr;
};

shim& of(sqlite3_file* f)
{
    return *reinterpret_cast<shim*>(f);
}
sqlite3_file* real(sqlite3_file* f)
{
    return reinterpret_cast<sqlite3_file*>(reinterpret_cast<char*>(f) + sizeof(shim));
}
const sqlite3_io_methods& methods(sqlite3_file* f)
{
    return *real(f)->pMethods;
}

int close(sqlite3_file* f)
{
    const int code = methods(f).xClose(real(f));
    delete std::exchange(of(f).path, nullptr);
    return code;
}

int read(sqlite3_file* f, void* into, int count, sqlite3_int64 offset)
{
    if (const int failed = fault_vfs::current().begin(fault_vfs::call::read))
        return failed;
    return methods(f).xRead(real(f), into, count, offset);
}

int write_through(sqlite3_file* f, const void* from, int count, sqlite3_int64 offset)
{
    const int code = methods(f).xWrite(real(f), from, count, offset);
    if (code == SQLITE_OK)
        fault_vfs::current().written(*of(f).path, static_cast<const char*>(from),
                                     static_cast<std::size_t>(count), static_cast<std::uint64_t>(offset));
    return code;
}

int write(sqlite3_file* f, const void* from, int count, sqlite3_int64 offset)
{
    if (const int failed = fault_vfs::current().begin(fault_vfs::call::write))
        return failed;
    if (const int failed = fault_vfs::current().begin(fault_vfs::call::short_write)) {
        write_through(f, from, count / 2, offset);
        return failed;
    }
    return write_through(f, from, count, offset);
}

int truncate(sqlite3_file* f, sqlite3_int64 size)
{
    if (const int failed = fault_vfs::current().begin(fault_vfs::call::truncate))
        return failed;
    const int code = methods(f).xTruncate(real(f), size);
    if (code == SQLITE_OK)
        fault_vfs::current().truncated(*of(f).path, static_cast<std::uint64_t>(size));
    return code;
}

int sync(sqlite3_file* f, int)
{
    if (const int failed = fault_vfs::current().begin(fault_vfs::call::sync))
        return failed;
    fault_vfs::current().synced(*of(f).path); // there is no power to lose below: it need not be told
    return SQLITE_OK;
}

int file_size(sqlite3_file* f, sqlite3_int64* size)
{
    if (const int failed = fault_vfs::current().begin(fault_vfs::call::size))
        return failed;
    return methods(f).xFileSize(real(f), size);
}

int lock(sqlite3_file* f, int level)
{
    if (const int failed = fault_vfs::current().begin(fault_vfs::call::lock))
        return failed;
    return methods(f).xLock(real(f), level);
}

int unlock(sqlite3_file* f, int level)
{
    return methods(f).xUnlock(real(f), level);
}

int check_reserved_lock(sqlite3_file* f, int* held)
{
    return methods(f).xCheckReservedLock(real(f), held);
}

int file_control(sqlite3_file* f, int op, void* argument)
{
    return methods(f).xFileControl(real(f), op, argument);
}

int sector_size(sqlite3_file*)
{
    return static_cast<int>(sector);
}

int characteristics(sqlite3_file*)
{
    return 0; // nothing is promised: no atomic writes, no order, no safe append
}

int shm_map(sqlite3_file* f, int region, int size, int extend, void volatile** at)
{
    if (const int failed = fault_vfs::current().begin(fault_vfs::call::shm_map))
        return failed;
    return methods(f).xShmMap(real(f), region, size, extend, at);
}

int shm_lock(sqlite3_file* f, int offset, int count, int flags)
{
    // Giving a lock back cannot fail.
    if ((flags & SQLITE_SHM_LOCK) != 0) {
        if (const int failed = fault_vfs::current().begin(fault_vfs::call::shm_lock))
            return failed;
    }
    return methods(f).xShmLock(real(f), offset, count, flags);
}

void shm_barrier(sqlite3_file* f)
{
    methods(f).xShmBarrier(real(f));
}

int shm_unmap(sqlite3_file* f, int remove)
{
    return methods(f).xShmUnmap(real(f), remove);
}

const sqlite3_io_methods shim_methods = {2,
                                         close,
                                         read,
                                         write,
                                         truncate,
                                         sync,
                                         file_size,
                                         lock,
                                         unlock,
                                         check_reserved_lock,
                                         file_control,
                                         sector_size,
                                         characteristics,
                                         shm_map,
                                         shm_lock,
                                         shm_barrier,
                                         shm_unmap,
                                         nullptr,
                                         nullptr};

int open(sqlite3_vfs*, const char* name, sqlite3_file* f, int flags, int* got)
{
    f->pMethods = nullptr;
    if (const int failed = fault_vfs::current().begin(fault_vfs::call::open))
        return failed;
    const int code = below->xOpen(below, name, real(f), flags, got);
    if (code != SQLITE_OK)
        return code;
    new (f) shim{{&shim_methods}, new std::string(name != nullptr ? name : "")};
    if (name != nullptr)
        fault_vfs::current().opened(name);
    return SQLITE_OK;
}

int remove(sqlite3_vfs*, const char* name, int sync_directory)
{
    if (const int failed = fault_vfs::current().begin(fault_vfs::call::remove))
        return failed;
    const int code = below->xDelete(below, name, sync_directory);
    if (code == SQLITE_OK)
        fault_vfs::current().removed(name);
    return code;
}

sqlite3_vfs& registered()
{
    static sqlite3_vfs vfs = [] {
        below = sqlite3_vfs_find("unix");
        if (below == nullptr)
            throw std::runtime_error("SQLite has no unix file system");
        sqlite3_vfs made = *below; // the methods that need no file go straight to it
        made.szOsFile = static_cast<int>(sizeof(shim)) + below->szOsFile;
        made.zName = "fault";
        made.pNext = nullptr;
        made.xOpen = open;
        made.xDelete = remove;
        return made;
    }();
    return vfs;
}

} // namespace

fault_vfs::fault_vfs()
{
    the_one = this;
    if (sqlite3_vfs_register(&registered(), 1) != SQLITE_OK)
        throw std::runtime_error("cannot register the file system");
}

fault_vfs::~fault_vfs()
{
    sqlite3_vfs_unregister(&registered());
    sqlite3_vfs_register(below, 1);
    the_one = nullptr;
}

fault_vfs& fault_vfs::current()
{
    return *the_one;
}

void fault_vfs::fail(call what, std::size_t nth, int code, bool for_ever)
{
    const std::lock_guard hold(mutex_);
    rule_ = {what, nth, code, for_ever};
    count_ = 0;
    fired_ = false;
}

void fault_vfs::heal()
{
    const std::lock_guard hold(mutex_);
    rule_ = {};
}

bool fault_vfs::fired() const
{
    const std::lock_guard hold(mutex_);
    return fired_;
}

int fault_vfs::begin(call what)
{
    const std::lock_guard hold(mutex_);
    if (rule_.nth == 0 || rule_.what != what)
        return SQLITE_OK;
    ++count_;
    if (count_ != rule_.nth && !(rule_.for_ever && count_ > rule_.nth))
        return SQLITE_OK;
    fired_ = true;
    return rule_.code;
}

void fault_vfs::on_moment(std::function<void()> hook, std::size_t every_writes)
{
    const std::lock_guard hold(mutex_);
    hook_ = std::move(hook);
    every_writes_ = every_writes;
}

void fault_vfs::ignore_syncs_of(std::string suffix)
{
    const std::lock_guard hold(mutex_);
    lied_about_ = std::move(suffix);
}

/// Runs the hook; files that the hook itself opens make no moments.
void fault_vfs::moment()
{
    std::function<void()> hook;
    {
        const std::lock_guard hold(mutex_);
        if (in_hook_ || !hook_)
            return;
        in_hook_ = true;
        hook = hook_;
    }
    hook();
    const std::lock_guard hold(mutex_);
    in_hook_ = false;
}

void fault_vfs::opened(const std::string& path)
{
    const std::lock_guard hold(mutex_);
    if (in_hook_ || files_.contains(path))
        return;
    std::ifstream file(path, std::ios::binary);
    content& c = files_[path];
    c.now.assign(std::istreambuf_iterator<char>(file), {});
    c.disk = c.now;
    c.dirty.assign((c.now.size() + sector - 1) / sector, false);
}

void fault_vfs::written(const std::string& path, const char* bytes, std::size_t count, std::uint64_t offset)
{
    {
        const std::lock_guard hold(mutex_);
        const auto found = files_.find(path);
        if (in_hook_ || found == files_.end())
            return;
        content& c = found->second;
        if (c.now.size() < offset + count)
            c.now.resize(offset + count);
        std::memcpy(c.now.data() + offset, bytes, count);
        c.dirty.resize((c.now.size() + sector - 1) / sector, true);
        for (std::size_t s = offset / sector; s * sector < offset + count; ++s)
            c.dirty[s] = true;
        if (every_writes_ == 0 || ++writes_ % every_writes_ != 0)
            return;
    }
    moment();
}

void fault_vfs::truncated(const std::string& path, std::uint64_t size)
{
    const std::lock_guard hold(mutex_);
    const auto found = files_.find(path);
    if (in_hook_ || found == files_.end())
        return;
    found->second.now.resize(size);
    found->second.dirty.resize((size + sector - 1) / sector, true);
}

void fault_vfs::removed(const std::string& path)
{
    const std::lock_guard hold(mutex_);
    if (!in_hook_)
        files_.erase(path);
}

void fault_vfs::synced(const std::string& path)
{
    moment();
    const std::lock_guard hold(mutex_);
    const auto found = files_.find(path);
    if (in_hook_ || found == files_.end() || (!lied_about_.empty() && path.ends_with(lied_about_)))
        return;
    found->second.disk = found->second.now;
    std::fill(found->second.dirty.begin(), found->second.dirty.end(), false);
}

void fault_vfs::power_loss(const std::filesystem::path& to, std::uint64_t seed) const
{
    std::mt19937_64 random(seed);
    const auto coin = [&random] { return random() % 2 == 0; };
    const std::lock_guard hold(mutex_);
    std::filesystem::create_directories(to);
    for (const auto& [path, c] : files_) {
        std::string left = c.disk;
        const bool all_or_nothing = coin(); // some disks lose all, others a part
        const bool keep_all = coin();
        // The length is on disk or not, as every other change.
        if (left.size() != c.now.size() && (all_or_nothing ? keep_all : coin()))
            left.resize(c.now.size());
        for (std::size_t s = 0; s * sector < std::min(left.size(), c.now.size()); ++s) {
            if (!c.dirty[s] || !(all_or_nothing ? keep_all : coin()))
                continue;
            const std::size_t n = std::min(sector, std::min(left.size(), c.now.size()) - s * sector);
            std::memcpy(left.data() + s * sector, c.now.data() + s * sector, n);
        }
        std::ofstream(to / std::filesystem::path(path).filename(), std::ios::binary) << left;
    }
}

} // namespace chargifyd::test
