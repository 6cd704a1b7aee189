#include "money_queries.hpp"

#include "chargifyd/state/words.hpp"

#include <array>
#include <map>

namespace chargifyd::state {

namespace {

/// How many there were, and their sum.
struct tally {
    std::int64_t count = 0;
    std::int64_t cents = 0;

    [[nodiscard]] bool add(std::int64_t amount) noexcept
    {
        ++count;
        return !__builtin_add_overflow(cents, amount, &cents);
    }
};

struct totals {
    std::array<tally, 4> of_kind; ///< as money_kinds()
};

using by_site_and_currency = std::map<std::pair<std::string, value>, totals>;

change_filter of_money(const revenue_filter& with)
{
    change_filter filter;
    filter.site = with.site;
    filter.kinds.assign(money_kinds().begin(), money_kinds().end());
    filter.since = with.since;
    filter.until = with.until;
    return filter;
}

std::size_t place_of(std::string_view kind)
{
    const auto kinds = money_kinds();
    std::size_t i = 0;
    while (i + 1 < kinds.size() && kinds[i] != kind)
        ++i;
    return i;
}

const std::vector<result_column>& total_columns()
{
    using enum column_kind;
    static const std::vector<result_column> columns = {
        {"site", text},
        {"currency", text},
        {"payments", integer},
        {"payments_in_cents", integer},
        {"refunds", integer},
        {"refunds_in_cents", integer},
        {"net_in_cents", integer},
        {"failed_payments", integer},
        {"failed_payments_in_cents", integer},
        {"failed_refunds", integer},
        {"failed_refunds_in_cents", integer},
    };
    return columns;
}

error too_large()
{
    return make_error(errc::invalid, "the sum does not fit 64 bits; ask for a shorter time");
}

/// Nothing when the difference does not fit.
std::optional<std::vector<value>> row_of(const std::pair<std::string, value>& of, const totals& sums)
{
    const auto& [paid, failed, refunded, refund_failed] = sums.of_kind;
    std::int64_t net = 0;
    if (__builtin_sub_overflow(paid.cents, refunded.cents, &net))
        return std::nullopt;
    return std::vector<value>{of.first,           of.second, paid.count,   paid.cents,   refunded.count,
                              refunded.cents,     net,       failed.count, failed.cents, refund_failed.count,
                              refund_failed.cents};
}

} // namespace

result<list> list_revenue(state_reader& from, const revenue_filter& with)
{
    return list_changes(from, of_money(with));
}

result<void> total_revenue(state_reader& from, const revenue_filter& with, const columns_fn& on_columns,
                           const row_fn& on_row)
{
    const auto queries = money_queries(from, of_money(with));
    if (!queries)
        return queries.error();
    by_site_and_currency sums;
    bool fits = true;
    for (const query& q : *queries) {
        const auto done = from.run(q, {}, [&](std::span<const value> row) {
            tally& one = sums[{std::get<std::string>(row[1]), row[2]}]
                             .of_kind[place_of(std::get<std::string>(row[0]))];
            const auto* const cents = std::get_if<std::int64_t>(&row[3]);
            fits = one.add(cents != nullptr ? *cents : 0);
            return fits;
        });
        if (!done)
            return done;
        if (!fits)
            return too_large();
    }
    on_columns(total_columns());
    for (const auto& [of, all] : sums) {
        const auto row = row_of(of, all);
        if (!row)
            return too_large();
        if (!on_row(*row))
            return {};
    }
    return {};
}

} // namespace chargifyd::state
