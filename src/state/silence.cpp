#include "chargifyd/state/silence.hpp"

#include "chargifyd/chargify/timestamp.hpp"
#include "chargifyd/sqlite/database.hpp"

#include <algorithm>
#include <optional>

namespace chargifyd::state {

namespace {

constexpr std::int64_t webhooks_looked_at = 1000;
constexpr std::size_t telling_webhooks = 20;
constexpr int times_the_longest = 3;
constexpr std::chrono::minutes shortest_alarm{15};

usual_silence latest(sqlite::database& db, const std::string& site)
{
    usual_silence found;
    found.site = site;
    sqlite::statement query(db, "SELECT received_at FROM events WHERE site = ? ORDER BY seq DESC LIMIT ?");
    sqlite::statement::run rows(query);
    rows.bind(std::string_view(site)).bind(webhooks_looked_at);
    std::optional<std::chrono::sys_seconds> later;
    while (rows.step()) {
        const auto at = chargify::parse_timestamp(rows.text(0));
        if (!at)
            continue;
        if (later)
            found.longest = std::max(found.longest, *later - *at);
        else
            found.last = timestamp(*at);
        later = *at;
        ++found.webhooks;
    }
    return found;
}

} // namespace

bool usual_silence::is_alarming(timestamp now) const noexcept
{
    const auto silent = now - last;
    return webhooks >= telling_webhooks && silent > shortest_alarm && silent > times_the_longest * longest;
}

result<std::vector<usual_silence>> usual_silences(const std::filesystem::path& state_file)
{
    try {
        sqlite::database db(state_file, sqlite::access::read_only);
        std::vector<std::string> sites;
        sqlite::statement query(db, "SELECT site FROM sites ORDER BY site");
        sqlite::statement::run rows(query);
        while (rows.step())
            sites.emplace_back(rows.text(0));
        std::vector<usual_silence> all;
        for (const std::string& site : sites)
            all.push_back(latest(db, site));
        return all;
    } catch (const sqlite::failure& e) {
        return make_error(errc::io, e.what());
    }
}

} // namespace chargifyd::state
