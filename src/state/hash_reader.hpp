#pragma once

#include "chargifyd/chargify/form.hpp"
#include "chargifyd/state/webhook.hpp"

#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace chargifyd::state {

/// The text as a column of that kind stores it; nothing when it does not fit.
std::optional<value> convert(column_kind kind, std::string_view text);

/// The digits that end a masked number, four at most; empty when there are none.
std::string_view last_digits(std::string_view masked) noexcept;
/// A quantity; of an on/off component it may be written as a word.
std::string_view quantity_text(std::string_view text) noexcept;

/// Fills the columns and attributes of an observation from fields of a body, in the order received; of a
/// repeated key the last wins, as in Rails. Tokens and card numbers are passed over. What has no column, or
/// does not fit its column, goes to the attributes as received, so that nothing is dropped in silence.
class hash_reader {
public:
    using index = chargify::form::index;

    /// `into` has its kind, key and `full` set.
    hash_reader(const chargify::form& tree, observation& into);

    /// Reads all fields of a hash but those named in `but` and the `id` that is its key.
    hash_reader& read(index hash, std::initializer_list<std::string_view> but = {});
    /// Reads one field, as if its key were `as` (empty: its own). `field` may be `none`.
    hash_reader& read_field(index field, std::string_view as = {});
    /// Reads the last field of that key under `hash`, leaf or branch, if there is one.
    hash_reader& read_key(index hash, std::string_view key, std::string_view as = {});
    /// Sets a column; a patch is not blanked.
    hash_reader& set(std::string_view column, value v);
    /// Writes the attributes.
    void finish();

private:
    void add_extra(std::string key, index node);
    bool is_nil(index i) const;
    std::string json_of(index node) const;

    const chargify::form& tree_;
    observation& into_;
    const object_table& table_;
    std::vector<std::pair<std::string, index>> extras_;
    std::map<std::string, std::size_t> position_; ///< of a key in extras_, once they are many
};

} // namespace chargifyd::state
