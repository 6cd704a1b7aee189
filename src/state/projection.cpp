#include "chargifyd/state/projection.hpp"

#include "chargifyd/chargify/states.hpp"

#include <nlohmann/json.hpp>

#include <cstring>
#include <limits>

namespace chargifyd::state {

namespace {

using nlohmann::json;

/// Whether a patch is newer than a full statement. A statement that carries no event id (before May 2016) is
/// placed by its webhook id.
bool newer_than_base(const moment& patch, const version& base)
{
    if (base == version{})
        return true;
    if (patch.event_id != 0 && base.event_id != 0 && patch.event_id != base.event_id)
        return patch.event_id > base.event_id;
    return patch.webhook_id > base.webhook_id;
}

bool newer(const moment& a, const moment& b)
{
    return a.event_id != b.event_id ? a.event_id > b.event_id : a.webhook_id > b.webhook_id;
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

/// The patches of a row: `{"columns": {name: [event_id, webhook_id, value]}, "attributes": {key: […]}}`.
/// nlohmann's objects are sorted by key, so the same set of patches is the same text in whatever order they
/// came.
class patch_set {
public:
    explicit patch_set(const std::string& stored)
        : all_(stored.empty() ? json::object() : json::parse(stored))
    {}

    /// Keeps the patch unless a newer one is known.
    void keep(const char* group, const std::string& name, const moment& when, json v)
    {
        json& slot = all_[group][name];
        if (!slot.is_null() && !newer(when, moment_of(slot)))
            return;
        slot = json::array({when.event_id, when.webhook_id, std::move(v)});
    }

    /// Writes over the row every patch that is newer than its base.
    void lay_over(object_row& row, const object_table& table) const
    {
        if (const auto group = all_.find("columns"); group != all_.end()) {
            for (const auto& [name, slot] : group->items()) {
                const auto column = table.find(name);
                if (column && newer_than_base(moment_of(slot), row.base))
                    row.columns[*column] = from_json(slot[2]);
            }
        }
        const auto group = all_.find("attributes");
        if (group == all_.end())
            return;
        json attributes;
        for (const auto& [key, slot] : group->items()) {
            if (!newer_than_base(moment_of(slot), row.base))
                continue;
            if (attributes.is_null())
                attributes = json::parse(row.attributes);
            attributes[key] = slot[2];
        }
        if (!attributes.is_null())
            row.attributes = attributes.dump();
    }

    std::string text() const { return all_.empty() ? std::string() : all_.dump(); }

private:
    static moment moment_of(const json& slot)
    {
        return {slot[0].get<std::int64_t>(), slot[1].get<std::int64_t>()};
    }

    json all_;
};

effect merge_full(object_row& row, const observation& seen, const moment& when)
{
    const version at{seen.updated_at, when.event_id, when.webhook_id};
    if (row.base != version{} && at <= row.base)
        return effect::stale;
    object_row next;
    next.base = at;
    next.columns = seen.columns;
    next.attributes = seen.attributes;
    next.patches = row.patches;
    if (!next.patches.empty())
        patch_set(next.patches).lay_over(next, table_of(seen.kind));
    const bool same = next.columns == row.columns && next.attributes == row.attributes;
    row = std::move(next);
    return same ? effect::unchanged : effect::applied;
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
    next.patches = patches.text();
    patches.lay_over(next, table);
    const bool same = next.columns == row.columns && next.attributes == row.attributes;
    const bool nothing_kept = next.patches == row.patches;
    row = std::move(next);
    if (!same)
        return effect::applied;
    return nothing_kept || !newer_than_base(when, row.base) ? effect::stale : effect::unchanged;
}

std::string text_at(const observation& seen, std::string_view column)
{
    const value& v = seen.columns[*table_of(seen.kind).find(column)];
    const auto* const text = std::get_if<std::string>(&v);
    return text != nullptr ? *text : std::string();
}

std::optional<std::int64_t> integer_at(const observation& seen, std::string_view column)
{
    const value& v = seen.columns[*table_of(seen.kind).find(column)];
    const auto* const number = std::get_if<std::int64_t>(&v);
    return number != nullptr ? std::optional(*number) : std::nullopt;
}

std::optional<std::string> some(const std::string& text)
{
    return text.empty() ? std::nullopt : std::optional(text);
}

bool is_ended(const std::string& state)
{
    const chargify::state_info* const info = chargify::find_state(state);
    return info != nullptr && info->ended;
}

bool is_passing(const std::string& state)
{
    const chargify::state_info* const info = chargify::find_state(state);
    return info != nullptr && info->passing;
}

std::string product_name(const subscription_facts& f)
{
    if (!f.product_handle.empty())
        return f.product_handle;
    return f.product_id ? std::to_string(*f.product_id) : std::string();
}

void compare_cancellation(const subscription_facts& before, const subscription_facts& after,
                          std::vector<change>& out)
{
    const bool ends_now = after.state == "canceled" && before.state != "canceled";
    if (ends_now) {
        out.push_back({"cancellation", some(before.cancel_at), "canceled", some(after.updated_at)});
    } else if (before.cancel_at != after.cancel_at && after.state != "canceled" &&
               before.state != "canceled") {
        out.push_back({"cancellation", some(before.cancel_at),
                       after.cancel_at.empty() ? "removed" : after.cancel_at, some(after.updated_at)});
    }
}

/// Puts a full statement into the subscription's timeline and keeps `changes` what they would be had all
/// statements come in order: the entry's own changes, and those of its successor, which now has another
/// predecessor.
void extend_timeline(store& into, const webhook& w, const observation& seen, const version& at)
{
    timeline_entry entry{at, w.sequence, facts_of(seen)};
    if (is_passing(entry.facts.state))
        return;
    const auto before = into.before(w.site, seen.id, at);
    const auto after = into.after(w.site, seen.id, at);
    into.insert_timeline(w.site, seen.id, entry);
    for (const change& c : compare(before ? &before->facts : nullptr, entry.facts))
        into.insert_change(w.site, seen.id, w.sequence, c);
    if (!after)
        return;
    const std::vector<change> corrected = compare(&entry.facts, after->facts);
    if (corrected == into.changes_of(w.site, seen.id, after->sequence))
        return;
    into.remove_changes(w.site, seen.id, after->sequence);
    for (const change& c : corrected)
        into.insert_change(w.site, seen.id, after->sequence, c);
}

/// A webhook without an id is ordered among its like by its body, below all that have one: any order will do,
/// as long as it does not depend on which came first.
moment moment_of(const webhook& w)
{
    moment when{w.event_id.value_or(0), w.webhook_id.value_or(0)};
    if (!w.webhook_id && w.body_sha256) {
        std::int64_t order = 0;
        std::memcpy(&order, w.body_sha256->data(), sizeof order);
        when.webhook_id = order | std::numeric_limits<std::int64_t>::min();
    }
    return when;
}

effect apply_observation(store& into, const webhook& w, const observation& seen)
{
    const moment when = moment_of(w);
    std::optional<object_row> stored = into.load(seen.kind, w.site, seen.id);
    object_row row = stored ? std::move(*stored) : object_row();
    if (!stored)
        row.columns.assign(table_of(seen.kind).columns.size(), value());
    const version base = row.base;
    const std::string patches = row.patches;
    effect what = merge(row, seen, when);
    if (!stored)
        what = effect::applied;
    if (what == effect::applied || row.base != base || row.patches != patches)
        into.save(seen.kind, w.site, seen.id, row);
    if (seen.full && seen.kind == object_kind::subscription)
        extend_timeline(into, w, seen, {seen.updated_at, when.event_id, when.webhook_id});
    return what;
}

outcome apply_observations(store& into, const webhook& w)
{
    if (w.observations.empty())
        return w.known_event ? outcome::unchanged : outcome::unknown;
    bool applied = false;
    bool stale = false;
    for (const observation& seen : w.observations) {
        const effect what = apply_observation(into, w, seen);
        applied |= what == effect::applied;
        stale |= what == effect::stale;
    }
    if (applied)
        return outcome::applied;
    return stale ? outcome::stale : outcome::unchanged;
}

} // namespace

effect merge(object_row& row, const observation& seen, const moment& when)
{
    return seen.full ? merge_full(row, seen, when) : merge_patch(row, seen, when);
}

subscription_facts facts_of(const observation& seen)
{
    subscription_facts f;
    f.state = text_at(seen, "state");
    f.product_id = integer_at(seen, "product_id");
    f.product_handle = text_at(seen, "product_handle");
    f.created_at = text_at(seen, "created_at");
    f.period_started_at = text_at(seen, "current_period_started_at");
    f.period_ends_at = text_at(seen, "current_period_ends_at");
    f.updated_at = text_at(seen, "updated_at");
    if (integer_at(seen, "cancel_at_end_of_period").value_or(0) != 0) {
        f.cancel_at = text_at(seen, "delayed_cancel_at");
        if (f.cancel_at.empty())
            f.cancel_at = f.period_ends_at.empty() ? "scheduled" : f.period_ends_at;
    }
    return f;
}

std::vector<change> compare(const subscription_facts* before, const subscription_facts& after)
{
    std::vector<change> out;
    if (before == nullptr) {
        out.push_back({"created", std::nullopt, some(after.state), some(after.created_at)});
        return out;
    }
    const bool reactivated = is_ended(before->state) && !is_ended(after.state);
    if (before->state != after.state)
        out.push_back({"state", some(before->state), some(after.state), some(after.updated_at)});
    if (before->product_id != after.product_id)
        out.push_back(
            {"product", some(product_name(*before)), some(product_name(after)), some(after.updated_at)});
    if (!reactivated && after.state == "active" && !before->period_started_at.empty() &&
        after.period_started_at > before->period_started_at)
        out.push_back({"renewal", some(before->period_ends_at), some(after.period_ends_at),
                       some(after.period_started_at)});
    compare_cancellation(*before, after, out);
    if (reactivated)
        out.push_back({"reactivation", some(before->state), some(after.state), some(after.updated_at)});
    return out;
}

applied_webhook apply(store& into, const webhook& w)
{
    if (!w.error.empty()) {
        into.insert_event(w, outcome::dead);
        return {outcome::dead, false};
    }
    if (const auto known = into.find_event(w)) {
        into.count_delivery(w, *known);
        return {outcome::unchanged, true};
    }
    const outcome result = w.test ? outcome::test : apply_observations(into, w);
    into.insert_event(w, result);
    return {result, false};
}

} // namespace chargifyd::state
