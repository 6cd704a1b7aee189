#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace chargifyd::test {

/// SQLite's files, with calls that fail and a memory of what a power cut would leave. Registered as the
/// default of this process as long as it exists; one at a time. Any thread.
class fault_vfs {
public:
    enum class call { open, read, write, short_write, sync, truncate, size, lock, shm_map, shm_lock, remove };

    fault_vfs();
    ~fault_vfs();
    fault_vfs(const fault_vfs&) = delete;
    fault_vfs& operator=(const fault_vfs&) = delete;

    /// Makes the `nth` call of this kind from now on fail with `code` (1: the next), once or from then on.
    void fail(call what, std::size_t nth, int code, bool for_ever);
    void heal();
    /// Whether a call was made to fail since `fail`.
    bool fired() const;

    /// Called before a sync takes effect and after every so many writes, on the thread that does it.
    void on_moment(std::function<void()> hook, std::size_t every_writes);
    /// Files whose name ends so are never really synced: a disk that lies.
    void ignore_syncs_of(std::string suffix);
    /// Makes `to` what a power cut at this moment leaves of the files written since this object was made: of
    /// what was not synced, each sector of 512 bytes is kept or not.
    void power_loss(const std::filesystem::path& to, std::uint64_t seed) const;

    // For the methods that SQLite calls.
    int begin(call what); ///< SQLITE_OK, or the code to fail with
    void opened(const std::string& path);
    void written(const std::string& path, const char* bytes, std::size_t count, std::uint64_t offset);
    void truncated(const std::string& path, std::uint64_t size);
    void removed(const std::string& path);
    void synced(const std::string& path);
    static fault_vfs& current();

private:
    struct content {
        std::string now;
        std::string disk;
        std::vector<bool> dirty; ///< by sector of `now`
    };
    struct rule {
        call what = call::open;
        std::size_t nth = 0; ///< 0: none
        int code = 0;
        bool for_ever = false;
    };
    void moment();

    mutable std::mutex mutex_;
    rule rule_;
    std::size_t count_ = 0;
    bool fired_ = false;
    std::map<std::string, content> files_;
    std::string lied_about_;
    std::function<void()> hook_;
    std::size_t every_writes_ = 0;
    std::size_t writes_ = 0;
    bool in_hook_ = false;
};

} // namespace chargifyd::test
