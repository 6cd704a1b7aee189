#include "chargifyd/state/projection.hpp"

#include "chargifyd/chargify/states.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstring>
#include <limits>
#include <tuple>
#include <utility>

namespace chargifyd::state {

namespace {

using nlohmann::json;

/// Whether a patch is newer than a full statement. Statements of before May 2016 have no event id: one with
/// an event id is newer than one without, and two of which the patch has none are placed by their webhook
/// ids.
bool newer_than_base(const moment& patch, const version& base)
{
    if (base == version{})
        return true;
    if (patch.event_id == 0)
        return patch.webhook_id > base.webhook_id;
    return std::tie(patch.event_id, patch.webhook_id) > std::tie(base.event_id, base.webhook_id);
}

bool newer(const moment& a, const moment& b)
{
    return std::tie(a.event_id, a.clock, a.webhook_id) > std::tie(b.event_id, b.clock, b.webhook_id);
}

json to_json(const value& v)
{
    if (const auto* number = std::get_if<std::int64_t>(&v))
        return *number;
    if (const auto* text = std::get_if<std::string>(&v))
        return *text;
    return nullptr;
}

value from_json(const json& j)
{
    if (j.is_number_integer())
        return j.get<std::int64_t>();
    if (j.is_string())
        return j.get<std::string>();
    return {};
}

/// The patches of a row, by group and field: `{"columns": {name: [event_id, webhook_id, value]}, …}`; of an
/// object whose patches have a clock it is the fourth element. The newest patch with an event id and the
/// newest without one are kept apart, since either may be the one that shows: that makes the outcome a matter
/// of the set of patches, not of their order. nlohmann's objects are sorted by key, so the same set is the
/// same text.
class patch_set {
public:
    explicit patch_set(const std::string& stored)
        : all_(stored.empty() ? json::object() : json::parse(stored))
    {}

    /// Keeps the patch unless a newer one is known.
    void keep(const std::string& group, const std::string& name, const moment& when, json v)
    {
        json& slot = all_[when.event_id == 0 ? group + without_event : group][name];
        if (!slot.is_null() && !newer(when, moment_of(slot)))
            return;
        slot = json::array({when.event_id, when.webhook_id, std::move(v)});
        if (when.clock != 0)
            slot.push_back(when.clock);
    }

    /// Writes over the row every patch that is newer than its base.
    void lay_over(object_row& row, const object_table& table) const
    {
        for_each_shown("columns", row.base, [&](const std::string& name, const json& v) {
            if (const auto column = table.find(name))
                row.columns[*column] = from_json(v);
        });
        json attributes;
        for_each_shown("attributes", row.base, [&](const std::string& key, const json& v) {
            if (attributes.is_null())
                attributes = json::parse(row.attributes);
            attributes[key] = v;
        });
        if (!attributes.is_null())
            row.attributes = attributes.dump();
    }

    std::string text() const { return all_.empty() ? std::string() : all_.dump(); }

private:
    static constexpr const char* without_event = "_without_event";

    static moment moment_of(const json& slot)
    {
        moment when;
        when.event_id = slot[0].get<std::int64_t>();
        when.webhook_id = slot[1].get<std::int64_t>();
        when.clock = slot.size() > 3 ? slot[3].get<std::int64_t>() : 0;
        return when;
    }

    const json* find(const std::string& group, const std::string& name) const
    {
        const auto found = all_.find(group);
        if (found == all_.end())
            return nullptr;
        const auto slot = found->find(name);
        return slot == found->end() ? nullptr : &*slot;
    }

    /// Of two that show the one with the larger webhook id.
    template <class Show>
    void for_each_shown(const std::string& group, const version& base, Show show) const
    {
        const std::string other_group = group + without_event;
        if (const auto found = all_.find(group); found != all_.end()) {
            for (const auto& [name, slot] : found->items()) {
                const json* const other = find(other_group, name);
                const bool this_shows = newer_than_base(moment_of(slot), base);
                const bool other_shows = other != nullptr && newer_than_base(moment_of(*other), base);
                if (this_shows && (!other_shows || moment_of(slot).webhook_id > moment_of(*other).webhook_id))
                    show(name, slot[2]);
                else if (other_shows)
                    show(name, (*other)[2]);
            }
        }
        if (const auto found = all_.find(other_group); found != all_.end()) {
            for (const auto& [name, slot] : found->items()) {
                if (find(group, name) == nullptr && newer_than_base(moment_of(slot), base))
                    show(name, slot[2]);
            }
        }
    }

    json all_;
};

/// Takes over what is different; true: something was.
bool replace(object_row& row, const std::vector<value>& columns, const std::string& attributes)
{
    row_parts changed = 0;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        if (row.columns[i] == columns[i])
            continue;
        row.columns[i] = columns[i];
        changed |= row_part(i);
    }
    if (row.attributes != attributes) {
        row.attributes = attributes;
        changed |= row_part(columns.size());
    }
    row.changed |= changed;
    return changed != 0;
}

effect merge_full(object_row& row, const observation& seen, const moment& when)
{
    const version at{seen.updated_at, when.event_id, when.webhook_id};
    if (row.base != version{} && at <= row.base)
        return effect::stale;
    row.base = at;
    if (row.patches.empty())
        return replace(row, seen.columns, seen.attributes) ? effect::applied : effect::unchanged;
    object_row next;
    next.base = at;
    next.columns = seen.columns;
    next.attributes = seen.attributes;
    patch_set(row.patches).lay_over(next, table_of(seen.kind));
    return replace(row, next.columns, next.attributes) ? effect::applied : effect::unchanged;
}

effect merge_patch(object_row& row, const observation& seen, const moment& when)
{
    const object_table& table = table_of(seen.kind);
    patch_set patches(row.patches);
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
        if (!std::holds_alternative<std::monostate>(seen.columns[i]))
            patches.keep("columns", std::string(table.columns[i].name), when, to_json(seen.columns[i]));
    }
    for (const auto& [key, text] : seen.extras)
        patches.keep("attributes", key, when, json::parse(text));
    object_row next = row;
    patches.lay_over(next, table);
    std::string kept = patches.text();
    const bool nothing_kept = kept == row.patches;
    if (!nothing_kept) {
        row.patches = std::move(kept);
        row.changed |= row_part(table.columns.size() + 1);
    }
    if (replace(row, next.columns, next.attributes))
        return effect::applied;
    return nothing_kept || !newer_than_base(when, row.base) ? effect::stale : effect::unchanged;
}

bool is_passing(const std::string& state)
{
    const chargify::state_info* const info = chargify::find_state(state);
    return info != nullptr && info->passing;
}

void add_changes(store& into, const std::string& site, std::int64_t id, std::uint64_t sequence,
                 std::vector<change> told)
{
    for (change& c : told) {
        c.subscription_id = id;
        into.insert_change(site, sequence, {}, c);
    }
}

/// Replaces the changes that an entry made by others; those that stay the same stay the same rows.
void correct_changes(store& into, const std::string& site, std::int64_t id, std::uint64_t sequence,
                     std::vector<change> wanted)
{
    for (change& c : wanted)
        c.subscription_id = id;
    std::vector<change> there = into.changes_of(site, id, sequence);
    for (const change& old : there) {
        const auto kept = std::ranges::find_if(wanted, [&](const change& c) { return c.same_fact(old); });
        if (kept != wanted.end())
            wanted.erase(kept);
        else
            into.remove_change(old.id);
    }
    add_changes(into, site, id, sequence, std::move(wanted));
}

/// After an entry was put in before others: their changes, as far as they depend on it.
void correct_successors(store& into, const webhook& w, timeline_entry entry)
{
    const std::int64_t id = *w.subscription_id;
    for (;;) {
        auto next = into.after(w.site, id, entry.at);
        if (!next)
            return;
        correct_changes(into, w.site, id, next->sequence, compare(&entry.facts, entry.seen, next->facts));
        const seen_before seen = advance(entry.seen, &entry.facts, next->facts);
        if (seen == next->seen)
            return; // from here on nothing is different
        next->seen = seen;
        into.update_timeline(w.site, id, *next);
        entry = std::move(*next);
    }
}

/// Puts a full statement into the subscription's timeline and keeps `changes` what they would be had all
/// statements come in order: the entry's own changes, and, unless it is the newest, those of its successors.
void extend_timeline(store& into, const webhook& w, const version& at, effect on_row,
                     const row_cache::opened& subscription)
{
    if (is_passing(w.timeline->state))
        return;
    const std::int64_t id = *w.subscription_id;
    timeline_entry entry{at, w.sequence, *w.timeline, {}};
    // A full statement that is not stale is the subscription's newest, and has the newest before it behind
    // itself.
    const bool is_newest = on_row != effect::stale;
    const bool is_known = is_newest && (subscription.newest || subscription.is_new);
    const auto stored = is_known ? std::nullopt : into.before(w.site, id, at);
    const timeline_entry* const before = stored ? &*stored : is_known ? subscription.newest.get() : nullptr;
    const seen_before seen = before != nullptr ? before->seen : seen_before();
    const subscription_facts* const facts = before != nullptr ? &before->facts : nullptr;
    std::vector<change> told = compare(facts, seen, entry.facts);
    entry.seen = advance(seen, facts, entry.facts);
    into.insert_timeline(w.site, id, entry);
    add_changes(into, w.site, id, w.sequence, std::move(told));
    if (!is_newest) {
        subscription.newest.reset(); // what was seen up to it may be corrected
        correct_successors(into, w, std::move(entry));
    } else {
        subscription.newest = std::make_unique<timeline_entry>(std::move(entry));
    }
}

/// A webhook without an id is ordered among its like by its body, below all that have one: any order will do,
/// as long as it does not depend on which came first.
moment moment_of(const webhook& w)
{
    moment when;
    when.event_id = w.event_id.value_or(0);
    when.webhook_id = w.webhook_id.value_or(0);
    if (!w.webhook_id && w.body_sha256) {
        std::int64_t order = 0;
        std::memcpy(&order, w.body_sha256->data(), sizeof order);
        when.webhook_id = order | std::numeric_limits<std::int64_t>::min();
    }
    return when;
}

outcome apply_observations(store& into, row_cache& rows, const webhook& w)
{
    if (w.observations.empty() && w.facts.empty())
        return w.known_event ? outcome::unchanged : outcome::unknown;
    const moment when = moment_of(w);
    bool applied = false;
    bool stale = false;
    for (const observation& seen : w.observations) {
        const row_cache::opened opened = rows.open(seen.kind, w.site, seen.key);
        const effect what = merge(opened.row, seen, when);
        applied |= opened.is_new || what == effect::applied;
        stale |= !opened.is_new && what == effect::stale;
        if (w.timeline && &seen == &w.observations.front())
            extend_timeline(into, w, {seen.updated_at, when.event_id, when.webhook_id}, what, opened);
    }
    for (const change& fact : w.facts)
        applied |= into.insert_change(w.site, w.sequence, when, fact);
    if (applied)
        return outcome::applied;
    return stale ? outcome::stale : outcome::unchanged;
}

} // namespace

effect merge(object_row& row, const observation& seen, moment when)
{
    when.clock = seen.full ? 0 : seen.updated_at;
    return seen.full ? merge_full(row, seen, when) : merge_patch(row, seen, when);
}

applied_webhook apply(store& into, row_cache& rows, const webhook& w)
{
    if (!w.error.empty()) {
        into.insert_event(w, outcome::dead);
        return {outcome::dead, false};
    }
    if (const auto known = into.find_event(w)) {
        into.count_delivery(w, *known);
        return {outcome::unchanged, true};
    }
    const outcome result = w.test ? outcome::test : apply_observations(into, rows, w);
    into.insert_event(w, result);
    return {result, false};
}

applied_webhook apply(store& into, const webhook& w)
{
    row_cache rows(into);
    const applied_webhook done = apply(into, rows, w);
    rows.flush();
    return done;
}

} // namespace chargifyd::state
