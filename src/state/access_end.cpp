#include "access_end.hpp"

namespace chargifyd::state {

namespace {

/// `@` stands before each column.
std::string of_alias(std::string_view sql, std::string_view of)
{
    std::string all;
    for (const char c : sql) {
        if (c == '@')
            all += of;
        else
            all += c;
    }
    return all;
}

} // namespace

std::string end_sql(std::string_view of)
{
    return of_alias("CASE WHEN @deleted = 1 THEN '' ELSE min(CASE WHEN @cancel_at_end_of_period = 1 THEN "
                    "COALESCE(@delayed_cancel_at, @scheduled_cancellation_at, @current_period_ends_at, '~') "
                    "ELSE COALESCE(@scheduled_cancellation_at, '~') END, COALESCE(@expires_at, '~')) END",
                    of);
}

std::string has_end_sql(std::string_view of)
{
    return of_alias("(@cancel_at_end_of_period = 1 OR @scheduled_cancellation_at IS NOT NULL OR "
                    "@expires_at IS NOT NULL OR @deleted = 1)",
                    of);
}

std::string state_since_sql(std::string_view of)
{
    return of_alias("(SELECT min(t.updated_at) FROM subscription_timeline AS t WHERE t.site = @site AND "
                    "t.subscription_id = @id AND t.state = @state AND t.version_updated_at >= "
                    "COALESCE((SELECT max(o.version_updated_at) FROM subscription_timeline AS o WHERE "
                    "o.site = @site AND o.subscription_id = @id AND o.state <> @state), 0))",
                    of);
}

} // namespace chargifyd::state
