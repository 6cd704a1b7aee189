#pragma once

#include "chargifyd/state/store.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace chargifyd::state {

/// The rows between the projection and the store. Webhooks about one subscription come in bursts, and nearly
/// all name one of a few products: a row is read once and written once for many of them.
///
/// For the one thread that applies, between the store's begin and commit. It knows of no changes but its own,
/// so it lives for one run of applying.
class row_cache {
public:
    /// A row that is going to be changed. Holds until `flush` or `clear`.
    struct opened {
        object_row& row; ///< says itself what is changed
        bool is_new;     ///< there was none; its columns are empty
        /// Of a subscription: the newest entry of its timeline, as the store has it; empty when it is not
        /// known.
        std::unique_ptr<timeline_entry>& newest;
    };

    explicit row_cache(store& into)
        : into_(into)
    {}
    row_cache(const row_cache&) = delete;
    row_cache& operator=(const row_cache&) = delete;

    /// The row, read unless it is known. What is done to it, and that it is there from now on, is written at
    /// the next `flush`.
    opened open(object_kind kind, std::string_view site, const object_key& key);

    /// Writes what was changed, and what the store holds back. When it fails, `clear` has to follow.
    void flush();
    /// Forgets everything, written or not.
    void clear() noexcept;
    /// About the memory that it takes, as of the last flush.
    std::size_t bytes() const noexcept { return bytes_; }

private:
    struct entry {
        object_kind kind = object_kind::subscription;
        std::string site;
        object_key key;
        object_row row;
        version stored_base; ///< as the store has it
        std::unique_ptr<timeline_entry> newest;
        bool stored = false;   ///< the store has it
        bool open = false;     ///< since the last flush
        std::size_t bytes = 0; ///< when it was last counted
    };
    using rows = std::unordered_map<std::string, entry>;

    entry& find(object_kind kind, std::string_view site, const object_key& key);

    store& into_;
    rows kept_;    ///< of the kinds that come again
    rows passing_; ///< of the others: until the next flush
    std::vector<entry*> open_;
    std::string name_; ///< of the row that is looked for
    std::size_t bytes_ = 0;
};

} // namespace chargifyd::state
