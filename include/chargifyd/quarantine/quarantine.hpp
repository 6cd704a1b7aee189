#pragma once

#include "chargifyd/base/digest.hpp"
#include "chargifyd/base/error.hpp"
#include "chargifyd/base/metrics.hpp"
#include "chargifyd/base/time.hpp"
#include "chargifyd/journal/file_system.hpp"
#include "chargifyd/journal/journal.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

/// Webhooks whose signature did not match, of sites that are set to keep them: apart from the journal, never
/// applied, bounded. Once the key is mended, those that verify go into the journal.
namespace chargifyd::quarantine {

inline constexpr const char* directory_name = "quarantine";

struct options {
    std::filesystem::path directory;              ///< made with mode 0700 when something is kept
    std::uint64_t max_webhooks = 10000;           ///< above: full
    std::uint64_t max_bytes = 64 * 1024 * 1024;   ///< of bodies; above: full
    std::uint64_t max_webhooks_per_source = 2000; ///< of one sender's address
    std::uint64_t max_bytes_per_source = 16 * 1024 * 1024;
    std::size_t queue_webhooks = 256; ///< waiting to be written; above: queue_full
};

/// One webhook that is kept.
struct entry {
    std::uint64_t number = 0; ///< grows; the name of its file
    timestamp received_at{};
    std::string site;
    std::string peer;
    digest256 signature{}; ///< as given
    std::string body;
};

/// The numbers of all that is kept, oldest first; nothing when the directory does not exist. errc::io.
result<std::vector<std::uint64_t>> list_entries(const std::filesystem::path& directory,
                                                journal::file_system& files);
/// errc::not_found; errc::corrupt: not a file of the quarantine; errc::io.
result<entry> read_entry(const std::filesystem::path& directory, journal::file_system& files,
                         std::uint64_t number);
/// Done when it is gone already. errc::io.
result<void> remove_entry(const std::filesystem::path& directory, journal::file_system& files,
                          std::uint64_t number);

/// A file each, in the order of arrival: rare, small, and readable without a tool.
class store {
public:
    /// Counts what is there. errc::io. Damaged files are left alone and reported by `read`.
    static result<std::unique_ptr<store>> open(options with, journal::file_system& files,
                                               metrics::registry& instruments);
    /// Ends the thread; what waits is refused.
    ~store();

    /// As journal::log::submit: `stored` means that `complete` will be called, with `stored` once the webhook
    /// is durable. `disk_full`: the store, or the share of this source, is full. Any thread.
    journal::append_status submit(journal::append_operation& operation) noexcept;
    /// Called on the store's thread after the operations of a batch were completed. Set before traffic
    /// begins.
    void on_batch(std::function<void()> handler);

    /// The numbers of all that is kept, oldest first. Any thread.
    std::vector<std::uint64_t> numbers() const;
    /// As read_entry. Any thread.
    result<entry> read(std::uint64_t number) const;
    /// As remove_entry, and makes room. Any thread.
    result<void> remove(std::uint64_t number);

    std::uint64_t count() const;
    std::uint64_t bytes() const;

private:
    store();
    struct implementation;
    std::unique_ptr<implementation> impl_;
};

/// What `release` did.
struct released {
    std::uint64_t moved = 0; ///< verified, journalled and removed
    std::uint64_t left = 0;  ///< do not verify
};

/// Moves every webhook that `genuine` accepts into the journal, in the order of arrival, and removes it from
/// the store once it is durable there. Ends early, with an error, when the journal takes no more; what was
/// moved stays moved, and to repeat it is harmless.
result<released> release(store& from, journal::log& into, const std::function<bool(const entry&)>& genuine);

} // namespace chargifyd::quarantine
