#pragma once

#include "chargifyd/base/error.hpp"
#include "chargifyd/sqlite/database.hpp"
#include "chargifyd/state/forget.hpp"
#include "chargifyd/state/options.hpp"
#include "chargifyd/state/store.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>

/// `state.db`: the SQLite store, its schema, and how it is opened, copied and replaced.
namespace chargifyd::state {

inline constexpr const char* state_file_name = "state.db";
/// The copy of the state that retention made before it deleted journal segments.
inline constexpr const char* snapshot_file_name = "snapshot.db";
/// `PRAGMA user_version`.
inline constexpr int schema_version = 2;
/// `PRAGMA application_id`: "CHGD".
inline constexpr int application_id = 0x43484744;

/// The one writer of a state file. One thread at a time.
class sqlite_store final : public store {
public:
    /// Opens the file, makes it when there is none, migrates it when it is older. Refuses, and changes
    /// nothing, when it is damaged (errc::corrupt), belongs to another program, to a newer version or to
    /// another journal (errc::invalid).
    static result<std::unique_ptr<sqlite_store>> open(const std::filesystem::path& file,
                                                      const std::string& journal_id, const options& with);
    ~sqlite_store() override;

    std::uint64_t cursor() override;
    void begin() override;
    void commit(std::uint64_t cursor) override;
    void rollback() noexcept override;
    void flush() override;
    std::optional<std::uint64_t> find_event(const webhook& w) override;
    void insert_event(const webhook& w, outcome o) override;
    void count_delivery(const webhook& w, std::uint64_t sequence) override;
    bool remove_dead(const webhook& w) override;
    std::optional<object_row> load(object_kind kind, std::string_view site, const object_key& key) override;
    void insert(object_kind kind, std::string_view site, const object_key& key,
                const object_row& row) override;
    void update(object_kind kind, std::string_view site, const object_key& key,
                const object_row& row) override;
    std::optional<timeline_entry> before(std::string_view site, std::int64_t id, const version& at) override;
    std::optional<timeline_entry> after(std::string_view site, std::int64_t id, const version& at) override;
    void insert_timeline(std::string_view site, std::int64_t id, const timeline_entry& entry) override;
    void update_timeline(std::string_view site, std::int64_t id, const timeline_entry& entry) override;
    std::vector<change> changes_of(std::string_view site, std::int64_t subscription_id,
                                   std::uint64_t sequence) override;
    void remove_change(std::int64_t id) override;
    bool insert_change(std::string_view site, std::uint64_t sequence, const moment& when,
                       const change& c) override;

    /// The version of the rules that made all of the content (projection_version); 0: those of several, or of
    /// an older one. Whoever applies webhooks to a file that other rules made loses its number.
    int projection();
    /// Makes the indexes that a scratch file has gone without, synced one by one. Takes a while, and room for
    /// temporary files. Asks now and then whether to go on. False: not all are there.
    bool make_indexes(const std::function<bool()>& go_on);
    /// Says that this version's rules made all of it.
    void mark_projection();

    /// Copies the WAL into the file as far as readers let it; with `truncate` empties the WAL too, and waits
    /// so long for readers to end. True: all of it.
    bool checkpoint(bool truncate, std::chrono::milliseconds patience = {});
    /// Makes everything committed so far survive a power cut. Retention needs it before it deletes.
    void sync();
    /// Takes over the content of another state file of the same journal and schema, in one transaction:
    /// readers see the old state until the new one is complete. Not inside begin/commit.
    result<void> replace_by(const std::filesystem::path& file);
    /// The customer with that id and what is theirs; errc::not_found: the state does not know of them.
    result<person> find_person(const std::string& site, std::int64_t customer_id);
    /// Takes what is personal out of the rows of a customer, in one transaction. Pages that held it before
    /// are not all overwritten; a rebuild leaves none.
    void forget(const person& who);
    /// Dead letters now.
    std::uint64_t count_dead();
    /// The webhook of that sequence is a dead letter.
    std::vector<std::uint64_t> dead_sequences();
    /// Pages that the WAL held after the last commit, copied or not.
    std::uint64_t wal_pages() const noexcept { return db_.wal_pages(); }
    /// Length of the WAL file. It is kept for what comes.
    std::uint64_t wal_bytes() const;

private:
    /// What the open transaction adds to a row of `sites`.
    struct site_total {
        std::int64_t webhooks = 0;
        std::uint64_t last_sequence = 0;
        timestamp last_received_at{};
    };
    struct statements;
    void count_webhook(const webhook& w);
    void write_site_totals();

    sqlite_store(const std::filesystem::path& file, sqlite::database db, options with);

    std::filesystem::path file_;
    sqlite::database db_;
    options with_;
    std::unique_ptr<statements> sql_;
    std::map<std::string, site_total, std::less<>> totals_;
};

/// Copies a state file, consistent while it is written, to `to` (replaced at once when complete, synced). The
/// source is opened read-only.
result<void> copy_state(const std::filesystem::path& from, const std::filesystem::path& to);

} // namespace chargifyd::state
