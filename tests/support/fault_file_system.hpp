#pragma once

#include "chargifyd/journal/file_system.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <vector>

namespace chargifyd::test {

/// Files in memory that know which of their bytes and names are on disk, and that can fail any call.
///
/// It is as unkind as the standards allow: a failed write leaves any of its sectors behind, a failed sync
/// writes any of them and takes the rest for written, and a power loss keeps any of what was not synced. Any
/// thread.
class fault_file_system final : public journal::file_system {
public:
    enum class call {
        open,
        make_directory,
        list,
        rename,
        remove,
        sync_directory,
        free_bytes,
        write,
        read,
        sync,
        allocate,
        truncate,
        size,
    };
    static constexpr std::size_t call_kinds = 13;

    enum class loss {
        all_unsynced, ///< what was not synced is gone
        random,       ///< of what was not synced, each sector and each change of a name is kept or not
    };

    /// Holds the directory `/state`.
    fault_file_system();

    /// Makes the `nth` call of this kind from now on fail (1: the next), once or from then on.
    void fail(call what, std::size_t nth, int errno_value, bool for_ever = false);
    void heal();
    /// Whether a call was made to fail so far.
    bool failed_once() const;
    std::size_t count(call what) const;
    /// Called before each sync of a file or a directory takes effect, on the thread that syncs.
    void before_sync(std::function<void()> hook);
    /// Space for the bytes of all files. Enough, at first.
    void set_capacity(std::uint64_t bytes);

    /// What the next start finds.
    std::unique_ptr<fault_file_system> after_power_loss(loss how, std::uint64_t seed) const;
    /// What another process finds now; unsynced bytes stay unsynced.
    std::unique_ptr<fault_file_system> copy() const;

    std::string content(const std::filesystem::path& path) const;
    bool exists(const std::filesystem::path& path) const;
    /// Puts a file there, or other bytes into it; at once durable.
    void set_content(const std::filesystem::path& path, std::string bytes);
    /// Everything that can be read: path and bytes.
    std::map<std::string, std::string> contents() const;

    int open(const std::filesystem::path& path, mode how,
             std::unique_ptr<journal::file>* opened) noexcept override;
    int make_directory(const std::filesystem::path& path) noexcept override;
    int list(const std::filesystem::path& directory, std::vector<std::string>* names) noexcept override;
    int rename(const std::filesystem::path& from, const std::filesystem::path& to) noexcept override;
    int remove(const std::filesystem::path& path) noexcept override;
    int sync_directory(const std::filesystem::path& directory) noexcept override;
    int free_bytes(const std::filesystem::path& path, std::uint64_t* bytes) noexcept override;

private:
    class open_file;
    struct node {
        bool directory = false;
        std::string now;         ///< what can be read
        std::string disk;        ///< what a power loss leaves for certain
        std::vector<bool> dirty; ///< by sector: the next sync writes it
    };
    using tree = std::map<std::string, std::shared_ptr<node>>;
    /// A change of one name that its directory has not been synced for.
    struct change {
        std::string directory;
        std::string removed;
        std::string added;
        std::shared_ptr<node> what;
    };
    struct rule {
        std::size_t nth = 0;
        int errno_value = 0;
        bool for_ever = false;
    };

    int begin(call what); // with mutex_ held: counts, and says whether to fail
    void call_hook();
    bool coin();
    void change_name(std::string removed, std::string added, std::shared_ptr<node> what);
    static void apply(tree& names, const change& what);
    static void mark_dirty(node& of, std::size_t from, std::size_t to);
    std::uint64_t used() const;

    mutable std::mutex mutex_;
    tree now_;
    tree disk_;
    std::vector<change> changes_;
    std::array<rule, call_kinds> rules_{};
    std::array<std::size_t, call_kinds> counts_{};
    std::function<void()> before_sync_;
    bool failed_ = false;
    std::uint64_t capacity_ = std::uint64_t{1} << 40;
    std::mt19937_64 random_{1};
};

} // namespace chargifyd::test
