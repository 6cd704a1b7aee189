#pragma once

#include "chargifyd/base/digest.hpp"
#include "chargifyd/base/error.hpp"
#include "chargifyd/base/metrics.hpp"
#include "chargifyd/base/time.hpp"
#include "chargifyd/journal/file_system.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

/// The durable inbox: an append-only log of webhooks in segment files (docs/journal-format.md).
///
/// One thread writes. It takes whatever waits, writes it as one batch, calls one fdatasync and completes the
/// batch; while it does, the next batch gathers by itself, so there is no timer. After a failed write or sync
/// the journal takes nothing more (the kernel may have dropped the pages): the daemon has to end and start
/// again.
namespace chargifyd::journal {

struct options {
    std::filesystem::path directory;                ///< made with mode 0700 when it does not exist
    std::uint64_t segment_bytes = 64 * 1024 * 1024; ///< a segment is sealed when the next batch does not fit
    std::size_t queue_webhooks = 8192;              ///< waiting appends; above: queue_full
    std::size_t queue_bytes = 64 * 1024 * 1024;     ///< bodies of waiting appends; above: queue_full
    std::size_t batch_bytes = 1024 * 1024;          ///< a batch is closed once it holds this much
    std::size_t remembered_webhooks = 65536;        ///< so many recent ones are not written twice
    std::uint64_t disk_floor_bytes = 256 * 1024 * 1024; ///< with less free space than this: disk_full
};

enum class append_status {
    stored,     ///< durable
    duplicate,  ///< an identical webhook (site and fingerprint) is durable already; nothing was written
    queue_full, ///< try later
    disk_full,  ///< try later
    stopped,    ///< closing, or after a storage failure
};

class append_operation;

/// The journal's own part of an operation: what waits is a list threaded through the operations.
class append_link {
    friend class append_queue;
    append_operation* next_ = nullptr;
};

/// One webhook on its way into the journal. The caller owns it and everything it points to, and keeps both
/// alive and unchanged until `complete` is called: no byte is copied before the batch is written.
class append_operation : public append_link {
public:
    std::string_view site;
    std::string_view peer; ///< address of the sender as text
    std::string_view body;
    timestamp received_at{};
    digest256 fingerprint{};    ///< the verified HMAC
    std::uint64_t sequence = 0; ///< where it went, once it is completed as stored

    /// Called exactly once for every operation that `submit` accepted, on the journal's thread, after the
    /// batch is durable (or cannot become so). Must not block and must not call into the journal. Operations
    /// of one batch are completed one after the other, then the hook of `log::on_batch` runs once.
    virtual void complete(append_status status) noexcept = 0;

protected:
    ~append_operation() = default;
};

/// A webhook read back.
struct record {
    std::uint64_t sequence = 0; ///< 1, 2, 3, … without gaps
    timestamp received_at{};
    digest256 fingerprint{};
    std::string site;
    std::string peer;
    std::string body;
};

/// One file of the journal.
struct segment_info {
    std::filesystem::path path;
    std::uint64_t first_sequence = 0;
    std::uint64_t last_sequence = 0; ///< below first_sequence while empty
    timestamp created_at{};
    timestamp sealed_at{};   ///< zero while it is being written
    std::uint64_t bytes = 0; ///< on disk
    bool sealed = false;
    bool compressed = false;
};

/// Reads a journal in order, in the daemon behind the writer, or in another process. One thread at a time.
/// A segment that is compressed or deleted while it is being read stays readable.
class reader {
public:
    ~reader();
    reader(reader&&) noexcept;
    reader& operator=(reader&&) noexcept;

    /// Stands before `after + 1`. errc::not_found when that sequence was deleted by retention (the message
    /// names the first one left); errc::corrupt and errc::io as for `next`. An empty or missing journal is
    /// not an error.
    static result<reader> open(const std::filesystem::path& directory, file_system& files,
                               std::uint64_t after);

    /// For `up_to`: reads to the end of what is there.
    static constexpr std::uint64_t open_end = std::uint64_t{1} << 62;

    /// Reads the next record if there is one with a sequence of at most `up_to`. False: none (yet). In the
    /// daemon `up_to` is log::durable_sequence(). Elsewhere `open_end`, or anything larger, reads to the end
    /// of what is there, where a batch that is incomplete ends the journal. A smaller number is taken as a
    /// promise that so much is durable. errc::corrupt: bytes at or below `up_to` are damaged; the message
    /// names file and offset. errc::not_found: retention deleted the segment that comes next.
    result<bool> next(record& into, std::uint64_t up_to);

private:
    struct implementation;
    explicit reader(std::unique_ptr<implementation> impl) noexcept;
    std::unique_ptr<implementation> impl_;
};

/// Overwrites a stored body in place (its length stays), or leaves it. True: it was changed. Called twice for
/// each webhook, so it has to decide by its arguments alone.
using body_editor = std::function<bool(std::string_view site, std::span<char> body)>;

/// How far log::replace_bodies came.
struct replaced_bodies {
    std::size_t webhooks = 0; ///< changed
    std::uint64_t next = 0;   ///< go on with this sequence; above `up_to`: all is done
};

/// The writing end. One per directory: the caller holds the state directory's lock.
class log {
public:
    /// Opens or creates the journal, recovers it and starts the writing thread. A torn tail (not acknowledged
    /// to anyone) is cut off and logged. errc::corrupt: damage below the durable point; nothing is changed,
    /// and the message names file, offset and what to do.
    static result<std::unique_ptr<log>> open(options with, file_system& files, clock_fn clock,
                                             metrics::registry& instruments);
    /// Closes.
    ~log();

    /// Queues a webhook. `stored` means accepted: `complete` will be called. Any other answer is final, at
    /// once, and `complete` will not be called. Any thread; never blocks on I/O. A webhook that can never be
    /// stored (a body above queue_bytes or 1 GiB, a site or peer above 65535 bytes) is answered queue_full.
    append_status submit(append_operation& operation) noexcept;

    /// What `submit` would say now to a small webhook.
    append_status health() const noexcept;

    /// Random, made with the journal and never changed, 32 hex digits: tells whose journal a state file was
    /// made from.
    const std::string& id() const noexcept;
    /// The first sequence that is still there (1 unless retention deleted), and the last that is durable (0:
    /// none).
    std::uint64_t first_sequence() const;
    std::uint64_t durable_sequence() const noexcept;
    /// When a batch became durable last; timestamp{}: none did since `open`. Any thread.
    timestamp last_commit() const noexcept;
    /// Waits until more than `sequence` is durable, the journal has stopped, or a stop is requested; then
    /// returns durable_sequence(). Any thread.
    std::uint64_t wait_beyond(std::uint64_t sequence, std::stop_token stop);

    /// How long the journal's thread has been at one batch. Any thread.
    std::chrono::steady_clock::duration stalled() const noexcept;

    /// Called once, on the journal's thread, after a write or sync failed and every waiting webhook was
    /// refused; at once when that has happened already. Set before traffic begins.
    void on_failure(std::function<void(const error&)> handler);
    /// Called on the journal's thread after all operations of a batch were completed, so that completions can
    /// be handed over together. Set before traffic begins.
    void on_batch(std::function<void()> handler);

    /// All segments, oldest first. Any thread.
    std::vector<segment_info> segments() const;
    /// Bytes of all segments on disk.
    std::uint64_t bytes() const;
    /// Replaces sealed segments that are applied (last sequence at most `applied`) by compressed copies. Runs
    /// on the caller's thread, may take seconds, delays no append. Returns how many were compressed.
    result<std::size_t> compress(std::uint64_t applied);
    /// Deletes sealed segments whose last sequence is at most `applied` and that were sealed before `before`,
    /// oldest first, never the newest segment. The caller has made a snapshot of the state first.
    result<std::size_t> remove_older(std::uint64_t applied, timestamp before);
    /// Ends the segment that is being written, if it holds a webhook, and begins another. Waits until that is
    /// done.
    void rotate();
    /// Overwrites bodies: `edit` is asked about every webhook of the sealed segments that hold sequences
    /// `from` to `up_to`; those in which it changes something are replaced by compressed copies. Stops behind
    /// the first segment that is done after `until`. The replaced files are unlinked, not overwritten: what
    /// becomes of their blocks is up to the file system. On the caller's thread; delays no append.
    result<replaced_bodies> replace_bodies(std::uint64_t from, std::uint64_t up_to, const body_editor& edit,
                                           std::chrono::steady_clock::time_point until);
    /// Whether `remove_older` would delete something.
    bool has_older(std::uint64_t applied, timestamp before) const;

    /// Takes no more, writes what was accepted, marks the end of the journal as clean, ends the thread.
    /// Idempotent.
    void close();

private:
    log();
    struct implementation;
    std::unique_ptr<implementation> impl_;
};

/// What `chargifyctl check` and `status` show, read without the writer.
struct verification {
    std::string id; ///< empty when there is no journal
    std::vector<segment_info> segments;
    std::uint64_t first_sequence = 0;
    std::uint64_t last_sequence = 0;
    std::uint64_t bytes = 0;
    std::vector<std::string> problems; ///< each names file and offset; empty: sound
};

/// Reads every byte of every segment (`thorough`), or only headers, lengths and the last segment. Changes
/// nothing. While a daemon writes, an incomplete batch at the very end is no problem.
result<verification>
verify(const std::filesystem::path& directory, file_system& files, bool thorough,
       const std::function<void(std::uint64_t done, std::uint64_t total)>& progress = {});

} // namespace chargifyd::journal
