#include "fixture.hpp"

#include "temporary_directory.hpp"

#include "chargifyd/simulate/event.hpp"
#include "chargifyd/sqlite/database.hpp"
#include "chargifyd/state/projection.hpp"
#include "chargifyd/state/sqlite_store.hpp"

#include <algorithm>
#include <map>
#include <sstream>

namespace chargifyd::test {

namespace {

using namespace std::chrono_literals;
using lines = std::multimap<std::string, std::string>; // by table

lines read_rows(const std::filesystem::path& file)
{
    sqlite::database db(file, sqlite::access::read_only);
    lines all;
    std::vector<std::string> tables = {"changes", "subscription_access"};
    for (std::size_t kind = 0; kind < state::object_kinds; ++kind)
        tables.emplace_back(state::table_of(kind).name);
    for (const std::string& table : tables) {
        sqlite::statement query(db, "SELECT * FROM " + table);
        sqlite::statement::run rows(query);
        while (rows.step()) {
            std::string line = table;
            for (int i = 0; i < rows.columns(); ++i) {
                const std::string name(rows.name(i));
                // What is chargifyd's own, and what depends on the day of the test.
                if (rows.is_null(i) || name.starts_with("version_") || name == "patches" ||
                    name == "identity" || name == "has_access" || (table == "changes" && name == "id"))
                    continue;
                line += "|" + name + "=" + std::string(rows.text(i));
            }
            all.emplace(table, line);
        }
    }
    return all;
}

std::set<std::string> kinds_of(const lines& rows)
{
    std::set<std::string> all;
    const auto [first, last] = rows.equal_range("changes");
    for (auto i = first; i != last; ++i) {
        const std::size_t at = i->second.find("|kind=") + 6;
        if (i->second.find("|seq=2|") != std::string::npos)
            all.insert(i->second.substr(at, i->second.find('|', at) - at));
    }
    return all;
}

bool is_any(std::string_view key, std::initializer_list<std::string_view> of)
{
    return std::ranges::find(of, key) != of.end();
}

/// The subscription an hour before the event.
simulate::subscription an_hour_before(std::string_view key, const simulate::scene& s)
{
    simulate::subscription was = s.subject;
    was.updated_at = s.at - 1h;
    was.enter(s.subject.previous_state, s.at - 1h);
    was.next_plan.reset();
    was.cancel_at_end_of_period = false;
    was.delayed_cancel_at.reset();
    was.current_period_started_at = s.subject.current_period_started_at;
    was.current_period_ends_at = was.next_assessment_at = s.subject.current_period_ends_at;
    was.expires_at = key == "expiration_date_change" ? s.previous_date : s.subject.expires_at;
    if (key == "billing_date_change")
        was.current_period_ends_at = was.next_assessment_at = s.previous_date;
    if (is_any(key, {"renewal_success", "renewal_failure", "renewal_success_recreated",
                     "renewal_failure_recreated"})) {
        was.current_period_ends_at = was.next_assessment_at = s.subject.current_period_started_at;
        was.current_period_started_at = *s.subject.current_period_started_at - std::chrono::days(30);
    }
    if (is_any(key, {"subscription_product_change", "upgrade_downgrade_success", "subscription_plan_change"}))
        was.plan = s.other_plan;
    if (key == "subscription_added_to_group")
        was.group = {};
    if (key == "customer_update")
        was.owner.city = "Elsewhere";
    if (key == "customer_update" || key == "customer_delete")
        was.owner.updated_at = was.owner.created_at;
    if (key == "subscription_customer_change")
        was.owner = s.other_owner;
    return was;
}

} // namespace

event_bodies invent(std::string_view key, bool older_style)
{
    simulate::scene_options with;
    with.seed = key == "expiring_card" ? 1 : 3; // one that pays by card
    with.style = older_style ? simulate::body_style::older : simulate::body_style::current;
    with.webhook_id = 2002;
    with.event_id = 1002;
    const simulate::scene s = simulate::invented_scene(key, with);
    event_bodies bodies;
    bodies.event = simulate::event_webhook(key, s).body;
    if (key.starts_with("signup_") || key == "test" || key == "customer_create" ||
        key.starts_with("delayed_"))
        return bodies;
    simulate::scene earlier = s;
    earlier.webhook_id = 2001;
    earlier.event_id = 1001;
    earlier.at = s.at - 1h;
    earlier.subject = an_hour_before(key, s);
    bodies.before = simulate::event_webhook("subscription_state_change", earlier).body;
    return bodies;
}

namespace {

bool is_personal(const std::string& table, std::string_view column)
{
    for (std::size_t kind = 0; kind < state::object_kinds; ++kind) {
        const state::object_table& t = state::table_of(kind);
        const auto found = t.name == table ? t.find(column) : std::nullopt;
        if (found)
            return t.columns[*found].personal;
    }
    // Attributes hold whatever Chargify says beyond the columns. A price point's may name its people.
    return column == "attributes" || column == "customer_reference";
}

/// What people typed, and their cards.
bool is_told_by_people(const std::string& row)
{
    return row.find("|kind=custom_field|") != std::string::npos ||
           row.find("|kind=card_") != std::string::npos || row.find("|kind=balance|") != std::string::npos;
}

} // namespace

std::string impersonal_rows(const event_bodies& bodies)
{
    const event_effect effect = apply(bodies);
    std::istringstream rows(effect.all_rows);
    std::string all;
    for (std::string row; std::getline(rows, row);) {
        if (row.find("|kind=card_expiring|") != std::string::npos)
            continue; // says nothing without the card
        std::istringstream fields(row);
        std::string table;
        std::getline(fields, table, '|');
        all += table;
        for (std::string field; std::getline(fields, field, '|');) {
            const std::string column = field.substr(0, field.find('='));
            const bool said = is_told_by_people(row) &&
                              (column == "old_value" || column == "new_value" || column == "detail");
            if (!said && !is_personal(table, column))
                all += "|" + field;
        }
        all += "\n";
    }
    return all;
}

event_effect apply(const event_bodies& bodies)
{
    const temporary_directory folder;
    const auto file = folder / "state.db";
    auto store = std::move(*state::sqlite_store::open(file, "j", {}));
    const auto give = [&](std::uint64_t sequence, const std::string& body) {
        const state::webhook w =
            state::prepare(sequence, "acme", timestamp{std::chrono::seconds(1'900'000'000)}, body);
        store->begin();
        const state::applied_webhook done = state::apply(*store, w);
        store->commit(sequence);
        return w.error.empty() ? std::string(to_string(done.result)) : w.error;
    };
    if (!bodies.before.empty())
        give(1, bodies.before);
    const lines before = read_rows(file);
    event_effect effect;
    for (const state::observation& seen : state::prepare(2, "acme", {}, bodies.event).observations)
        effect.tables.emplace(state::table_of(seen.kind).name);
    effect.outcome = give(2, bodies.event);
    const lines after = read_rows(file);
    effect.rows = "outcome " + effect.outcome + "\n";
    for (const auto& [table, row] : after) {
        const auto [first, last] = before.equal_range(table);
        if (std::any_of(first, last, [&](const auto& old) { return old.second == row; }))
            continue;
        effect.rows += row + "\n";
    }
    for (const auto& [table, row] : after)
        effect.all_rows += row + "\n";
    effect.kinds = kinds_of(after);
    return effect;
}

} // namespace chargifyd::test
