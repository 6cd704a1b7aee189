#pragma once

#include "chargifyd/state/row_cache.hpp"
#include "chargifyd/state/store.hpp"
#include "chargifyd/state/webhook.hpp"

/// What webhooks mean. The rules are in docs/state.md; each is a pure function here, and `apply` puts them
/// together over a store.
///
/// Whatever the order in which a set of webhooks arrives, and however often each does, the objects and the
/// changes end up the same (only `changes.id` and `seq`, which tell when something was learned, differ).
namespace chargifyd::state {

/// The version of these rules, kept with the content that they made (`meta.projection`). Higher whenever the
/// same webhooks give other rows than before: a state that other rules made is then made anew.
inline constexpr int projection_version = 2;

enum class effect { applied, unchanged, stale };

/// Merges a statement into a row (a new one: `row` with empty columns). A full statement replaces a row whose
/// base is older, except for fields with a newer patch. A patch sets the fields it names, unless a newer
/// patch or a newer full statement spoke of them.
effect merge(object_row& row, const observation& seen, moment when);

/// What happened between two neighbours of a timeline; `before` is null for the first. The changes have no
/// subscription yet.
std::vector<change> compare(const subscription_facts* before, const seen_before& seen,
                            const subscription_facts& after);
/// What was seen, `after` included.
seen_before advance(seen_before seen, const subscription_facts* before, const subscription_facts& after);

/// The result of one webhook.
struct applied_webhook {
    outcome result = outcome::dead;
    bool duplicate = false; ///< it was there already: only its delivery was counted, `result` means nothing
};

/// Applies one webhook inside the store's open transaction: its unique row (promise P2), objects, timeline,
/// changes. Of the objects that `rows` keeps, what changes is written when that is flushed. After a failure
/// `rows` has to be cleared.
applied_webhook apply(store& into, row_cache& rows, const webhook& w);
/// The same for one webhook alone.
applied_webhook apply(store& into, const webhook& w);

} // namespace chargifyd::state
