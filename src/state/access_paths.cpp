#include "access_paths.hpp"

#include "access_end.hpp"

#include "chargifyd/base/time.hpp"

#include <algorithm>

namespace chargifyd::state {

namespace {

/// A state that subscriptions are in, and what `access_states` says of it.
struct known_state {
    std::optional<std::string> name; ///< none: it was not told yet
    bool grants = false;
    bool grace = false; ///< its access ends after some days
};

/// States of which the table knows nothing give no access.
result<std::vector<known_state>> read_states(state_reader& from)
{
    std::vector<known_state> all(1);
    const auto read =
        from.run({"SELECT state, has_access, grace_days FROM access_states ORDER BY state", {}}, {},
                 [&all](std::span<const value> row) {
                     all.push_back({std::get<std::string>(row[0]), std::get<std::int64_t>(row[1]) != 0,
                                    !std::holds_alternative<std::monostate>(row[2])});
                     return true;
                 });
    if (!read)
        return read.error();
    std::string last;
    for (;;) {
        const auto next =
            from.first({"SELECT state FROM subscriptions WHERE state > ? ORDER BY state LIMIT 1", {last}});
        if (!next)
            return next.error();
        if (!*next)
            return all;
        last = std::get<std::string>(**next);
        if (std::ranges::find(all, std::optional(last), &known_state::name) == all.end())
            all.push_back({last, false, false});
    }
}

class path_maker {
public:
    path_maker(const subscription_columns& shown, const state_choice& with)
        : shown_(shown)
        , with_(with)
        , now_(format_utc(system_now()))
    {}

    /// The columns, and no rows.
    path nothing() const
    {
        return by_state({std::string(), false, false}); // an empty text is stored as NULL
    }

    std::optional<path> make(const known_state& s) const
    {
        if (!with_.state.empty() && s.name != with_.state)
            return std::nullopt;
        if (!with_.until.empty())
            return until(s);
        if (!with_.has_access)
            return by_state(s);
        if (*with_.has_access)
            return s.grants ? std::optional(judged(s, true)) : std::nullopt;
        if (!s.grants)
            return by_state(s);
        return s.grace ? judged(s, false) : ended(s);
    }

private:
    path of_state(const known_state& s, const char* site) const
    {
        path p;
        p.name = s.name.value_or("(none)");
        p.where = joined_access();
        p.order = {"s.site", "s.id"};
        p.key = {"site", shown_.id};
        std::string index = "subscriptions_by_state";
        if (!with_.product.empty()) {
            index = "subscriptions_by_product";
            p.where.add("s.product_handle = ?", with_.product);
        }
        p.select = select_of(shown_, "subscriptions AS s INDEXED BY " + index);
        if (s.name)
            p.where.add("s.state = ?", *s.name);
        else
            p.where.add("s.state IS NULL");
        p.where.add_text(site, with_.site);
        return p;
    }

    path by_state(const known_state& s) const
    {
        path p = of_state(s, "s.site = ?");
        p.fixed = with_.site.empty() ? 0 : 1;
        return p;
    }

    /// Of each the view decides: nearly all subscriptions in a state agree.
    path judged(const known_state& s, bool has_access) const
    {
        path p = by_state(s);
        p.where.add("a.has_access = ?", std::int64_t{has_access});
        return p;
    }

    path with_end(const known_state& s) const
    {
        path p = of_state(s, filter_site);
        p.select = select_of(shown_, "subscriptions AS s INDEXED BY subscriptions_by_end");
        p.where.add(has_end_sql("s."));
        return p;
    }

    /// Those that have ended although their state gives access: few, Chargify is about to tell their next.
    path ended(const known_state& s) const
    {
        path p = with_end(s);
        p.where.add(end_sql("s.") + " <= ?", now_);
        p.where.add("a.has_access = 0");
        return p;
    }

    std::optional<path> until(const known_state& s) const
    {
        if (!s.grants)
            return std::nullopt;
        if (s.grace) {
            path p = judged(s, true);
            p.where.add("a.access_until <= ?", with_.until);
            return p;
        }
        path p = with_end(s);
        p.where.add(end_sql("s.") + " <= ?", with_.until);
        p.order = {end_sql("s."), "s.site", "s.id"};
        p.key = {"access_until", "site", shown_.id};
        p.start = end_sql("s.") + " > ?";
        p.start_value = now_;
        p.by_expression = true;
        return p;
    }

    const subscription_columns& shown_;
    const state_choice& with_;
    const std::string now_;
};

} // namespace

std::string select_of(const subscription_columns& shown, const std::string& source)
{
    return "SELECT " + shown.columns + " FROM " + source + " CROSS JOIN subscription_access AS a";
}

conditions joined_access()
{
    conditions where;
    where.add("a.site = s.site");
    where.add("a.subscription_id = s.id");
    return where;
}

result<list> from_state_to_state(state_reader& from, const subscription_columns& shown,
                                 const state_choice& with)
{
    const auto states = read_states(from);
    if (!states)
        return states.error();
    const path_maker maker(shown, with);
    list all;
    for (const known_state& s : *states) {
        if (auto p = maker.make(s))
            all.walks.push_back(along(std::move(*p)));
    }
    if (all.walks.empty())
        all.walks.push_back(along(maker.nothing()));
    return all;
}

} // namespace chargifyd::state
