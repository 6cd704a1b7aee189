#include "bench_journal.hpp"
#include "bodies.hpp"
#include "counted.hpp"
#include "temporary_directory.hpp"

#include "chargifyd/pipeline/follower.hpp"
#include "chargifyd/state/sqlite_store.hpp"

#include <stdexcept>
#include <string>
#include <vector>

namespace chargifyd::bench {

namespace {

constexpr std::uint64_t subscriptions = 500;
constexpr std::uint64_t known_before = 4096; ///< webhooks that are applied already when the count begins
constexpr std::uint64_t counted = 2048;

simulate::load_mix mix_of(std::string_view name)
{
    return name == "renewals" ? simulate::load_mix::renewals : simulate::load_mix::payments;
}

} // namespace

std::size_t prepare(std::string_view mix)
{
    const std::vector<std::string> all = bodies(mix_of(mix), 1, counted, subscriptions);
    std::size_t dead = 0;
    bench::count([&] {
        for (std::size_t i = 0; i < all.size(); ++i)
            dead += state::prepare(i + 1, "acme", timestamp{}, all[i]).error.empty() ? 0 : 1;
    });
    if (dead > 0)
        throw std::runtime_error("webhooks that cannot be read");
    return all.size();
}

std::size_t apply(std::string_view mix)
{
    const test::temporary_directory home;
    bench_journal journal(home / "journal");
    journal.append(bodies(mix_of(mix), 1, known_before + counted, subscriptions));

    auto store = state::sqlite_store::open(home / "state.db", journal.log().id(), {});
    if (!store)
        throw std::runtime_error(store.error().message);
    pipeline::options with;
    with.workers = 1;
    pipeline::follower follow(home / "journal", journal::real_file_system(), **store, with, nullptr);
    const auto advance = [&](std::uint64_t up_to) {
        const auto reached = follow.advance(up_to, {});
        if (!reached || *reached != up_to)
            throw std::runtime_error(reached ? "not all was applied" : reached.error().message);
    };
    advance(known_before);
    bench::count([&] { advance(known_before + counted); });
    if ((*store)->count_dead() > 0)
        throw std::runtime_error("dead letters");
    return counted;
}

} // namespace chargifyd::bench
