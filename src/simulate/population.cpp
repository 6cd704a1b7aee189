#include "life.hpp"

#include <algorithm>
#include <utility>

namespace chargifyd::simulate {

namespace {

life_options member_of(const population_options& with, std::size_t number)
{
    life_options out;
    out.seed = with.seed + number;
    out.site = with.site;
    out.starts_at = (with.starts_at != std::chrono::sys_seconds() ? with.starts_at : default_start) +
                    static_cast<std::int64_t>(number) * with.between;
    return out;
}

struct place {
    std::chrono::sys_seconds at;
    std::size_t member;
    std::size_t number; ///< of the member's webhooks
};

/// All webhooks in the order of their time; those of one second in the order of the members.
std::vector<place> order_of(const population_options& with)
{
    std::vector<place> all;
    for (std::size_t member = 0; member < with.subscriptions; ++member) {
        std::size_t number = 0;
        for (const webhook& told : life(member_of(with, member)).run())
            all.push_back({told.at, member, number++});
    }
    std::ranges::stable_sort(all, {}, [](const place& p) { return std::pair(p.at, p.member); });
    return all;
}

} // namespace

/// The lives are told twice: once to see when, and then with the numbers that follow from it.
std::vector<webhook> population(const population_options& with)
{
    const std::vector<place> order = order_of(with);
    const std::int64_t base = 4'000'000'000 + 1000 * small_seed(with.seed);
    const std::int64_t first = given_or(with.first_webhook_id, base);
    std::vector<std::vector<webhook_numbers>> numbers(with.subscriptions);
    for (std::size_t i = 0; i < order.size(); ++i) {
        const auto rank = static_cast<std::int64_t>(i);
        numbers[order[i].member].push_back({first + rank, base + 1 + rank});
    }
    std::vector<std::vector<webhook>> lives;
    for (std::size_t member = 0; member < with.subscriptions; ++member)
        lives.push_back(life(member_of(with, member), std::move(numbers[member])).run());
    std::vector<webhook> out;
    out.reserve(order.size());
    for (const place& p : order)
        out.push_back(std::move(lives[p.member][p.number]));
    return out;
}

} // namespace chargifyd::simulate
