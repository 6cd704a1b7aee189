#pragma once

#include "chargifyd/state/store.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace chargifyd::state {

/// The rows that webhooks speak of most, between the projection and the store: webhooks about one
/// subscription come in bursts, and nearly all name one of a few products, so that a row is read once and
/// written once for many of them.
///
/// For the one thread that applies, between the store's begin and commit. It knows of no changes but its own,
/// so it lives for one run of applying.
class row_cache {
public:
    /// A row that is going to be changed.
    struct opened {
        object_row& row; ///< holds until `clear`
        bool is_new;     ///< there was none; its columns are empty
    };

    explicit row_cache(store& into)
        : into_(into)
    {}
    row_cache(const row_cache&) = delete;
    row_cache& operator=(const row_cache&) = delete;

    /// Whether rows of that kind are kept: those of which nearly every webhook carries one.
    static bool keeps(object_kind kind) noexcept;

    /// The row, read unless it is known. What is done to it, and that it is there from now on, is written at
    /// the next `flush`.
    opened open(object_kind kind, std::string_view site, const object_key& key);

    /// Writes what was changed. When it fails, `clear` has to follow.
    void flush();
    /// Forgets everything, written or not.
    void clear() noexcept;
    /// About the memory that it takes, as of the last flush.
    std::size_t bytes() const noexcept { return bytes_; }

private:
    struct entry {
        object_kind kind;
        std::string site;
        object_key key;
        object_row row;
        object_row was;        ///< as the store has it, while `row` is changed
        bool stored = false;   ///< the store has it
        bool changed = false;  ///< since the last flush
        std::size_t bytes = 0; ///< of the row, when it was last counted
    };

    entry& find(object_kind kind, std::string_view site, const object_key& key);

    store& into_;
    std::unordered_map<std::string, entry> rows_;
    std::vector<entry*> changed_;
    std::size_t bytes_ = 0;
};

} // namespace chargifyd::state
