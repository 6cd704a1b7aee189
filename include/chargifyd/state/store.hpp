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

/// A stored object.
struct object_row {
    version base;               ///< of the newest full statement; all zero while there was none
    std::vector<value> columns; ///< one per column of the table
    std::string attributes = "{}";
    /// The newest patch of each field (docs/state.md, "Order"): JSON, empty when there was none.
    std::string patches;
};

/// What a full statement says about the facts that `changes` reports.
struct subscription_facts {
    std::string state;
    std::optional<std::int64_t> product_id;
    std::string product_handle;
    std::string created_at;
    std::string period_started_at;
    std::string period_ends_at;
    std::string cancel_at; ///< when a cancellation is scheduled; "scheduled" when the moment is not known
    std::string updated_at;

    bool operator==(const subscription_facts&) const = default;
};

/// One entry of a subscription's timeline.
struct timeline_entry {
    version at;
    std::uint64_t sequence = 0; ///< the webhook that brought it
    subscription_facts facts;
};

/// One row of `changes`.
struct change {
    std::string kind;
    std::optional<std::string> old_value;
    std::optional<std::string> new_value;
    std::optional<std::string> occurred_at;

    bool operator==(const change&) const = default;
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

    /// The sequence of the event row that already stands for this webhook (dead letters stand for none).
    virtual std::optional<std::uint64_t> find_event(const webhook& w) = 0;
    virtual void insert_event(const webhook& w, outcome o) = 0;
    /// Notes that the webhook that the row of `sequence` stands for was received once more, as `w`.
    virtual void count_delivery(const webhook& w, std::uint64_t sequence) = 0;
    /// Removes the row of a dead letter, to apply its webhook again. False: there is no such dead letter.
    virtual bool remove_dead(const webhook& w) = 0;

    virtual std::optional<object_row> load(object_kind kind, std::string_view site, std::int64_t id) = 0;
    virtual void save(object_kind kind, std::string_view site, std::int64_t id, const object_row& row) = 0;

    /// The entries next to `at` in a subscription's timeline.
    virtual std::optional<timeline_entry> before(std::string_view site, std::int64_t id,
                                                 const version& at) = 0;
    virtual std::optional<timeline_entry> after(std::string_view site, std::int64_t id,
                                                const version& at) = 0;
    virtual void insert_timeline(std::string_view site, std::int64_t id, const timeline_entry& entry) = 0;

    /// The changes that a timeline entry made, in order.
    virtual std::vector<change> changes_of(std::string_view site, std::int64_t id,
                                           std::uint64_t sequence) = 0;
    virtual void remove_changes(std::string_view site, std::int64_t id, std::uint64_t sequence) = 0;
    virtual void insert_change(std::string_view site, std::int64_t id, std::uint64_t sequence,
                               const change& c) = 0;
};

/// Whether a failure of `apply` is the fault of that one webhook (a value that the store refuses, a bug in
/// reading it) rather than of the storage: the one becomes a dead letter, the other is tried again.
bool is_fault_of_webhook(const std::exception& failure) noexcept;

} // namespace chargifyd::state
