#pragma once

#include "chargifyd/state/webhook.hpp"

#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Where state is kept, as the projection sees it. One writer, one thread. Failures are exceptions: what was
/// begun is then rolled back, and the same webhooks come again from the journal.
namespace chargifyd::state {

/// Parts of an object's row: a bit for each column, in the order of its table, then one for `attributes`,
/// then one for `patches`.
using row_parts = std::uint64_t;

constexpr row_parts row_part(std::size_t at) noexcept
{
    return row_parts{1} << at;
}

/// A stored object.
struct object_row {
    version base;               ///< of the newest full statement; all zero while there was none
    std::vector<value> columns; ///< one per column of the table
    std::string attributes = "{}";
    /// The newest patch of each field (docs/state.md, "Order"): JSON, empty when there was none.
    std::string patches;
    row_parts changed = 0; ///< what may differ from the row as it is stored
};

/// One entry of a subscription's timeline.
struct timeline_entry {
    version at;
    std::uint64_t sequence = 0; ///< the webhook that brought it
    subscription_facts facts;
    seen_before seen; ///< up to here
};

class store {
public:
    virtual ~store() = default;

    /// The last journal sequence whose effects are committed.
    virtual std::uint64_t cursor() = 0;

    virtual void begin() = 0;
    /// Commits everything since `begin` together with the cursor.
    virtual void commit(std::uint64_t cursor) = 0;
    virtual void rollback() noexcept = 0;
    /// Writes the rows that were held back: events, objects, timeline entries and changes may be, until
    /// something asks for them or the commit, so that one statement writes many. A row that is refused may be
    /// found to be so only then.
    virtual void flush() = 0;

    /// The sequence of the event row that already stands for this webhook (dead letters stand for none).
    virtual std::optional<std::uint64_t> find_event(const webhook& w) = 0;
    virtual void insert_event(const webhook& w, outcome o) = 0;
    /// Notes that the webhook that the row of `sequence` stands for was received once more, as `w`.
    virtual void count_delivery(const webhook& w, std::uint64_t sequence) = 0;
    /// Removes the row of a dead letter, to apply its webhook again. False: there is no such dead letter.
    virtual bool remove_dead(const webhook& w) = 0;

    virtual std::optional<object_row> load(object_kind kind, std::string_view site,
                                           const object_key& key) = 0;
    /// Adds a row.
    virtual void insert(object_kind kind, std::string_view site, const object_key& key,
                        const object_row& row) = 0;
    /// Writes the base and the changed parts of a row that is there. An index costs a write only when one of
    /// its columns is among them.
    virtual void update(object_kind kind, std::string_view site, const object_key& key,
                        const object_row& row) = 0;

    /// The entries next to `at` in a subscription's timeline.
    virtual std::optional<timeline_entry> before(std::string_view site, std::int64_t id,
                                                 const version& at) = 0;
    virtual std::optional<timeline_entry> after(std::string_view site, std::int64_t id,
                                                const version& at) = 0;
    virtual void insert_timeline(std::string_view site, std::int64_t id, const timeline_entry& entry) = 0;
    /// Writes `seen` of an entry that is there.
    virtual void update_timeline(std::string_view site, std::int64_t id, const timeline_entry& entry) = 0;

    /// The changes that a timeline entry made, in order.
    virtual std::vector<change> changes_of(std::string_view site, std::int64_t subscription_id,
                                           std::uint64_t sequence) = 0;
    virtual void remove_change(std::int64_t id) = 0;
    /// Adds a change that the webhook of that sequence told. Of the same identity the one that was told first
    /// in Chargify's order stays. False: that one is there already.
    virtual bool insert_change(std::string_view site, std::uint64_t sequence, const moment& when,
                               const change& c) = 0;
};

/// Whether a failure of `apply` is the fault of that one webhook (a value that the store refuses, a bug in
/// reading it) rather than of the storage: the one becomes a dead letter, the other is tried again.
bool is_fault_of_webhook(const std::exception& failure) noexcept;

} // namespace chargifyd::state
