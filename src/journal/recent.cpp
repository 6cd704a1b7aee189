#include "journal/recent.hpp"

#include "journal/format.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <random>

namespace chargifyd::journal {

namespace {

std::uint64_t random_seed()
{
    std::random_device source;
    return (std::uint64_t{source()} << 32) | source();
}

} // namespace

recent_webhooks::recent_webhooks(std::size_t capacity)
    : ring_(std::min<std::size_t>(capacity, std::size_t{1} << 28))
    , table_(std::bit_ceil(ring_.size() * 2 + 1))
    , seed_(random_seed())
{}

recent_webhooks::key recent_webhooks::make_key(std::string_view site,
                                               const digest256& fingerprint) const noexcept
{
    return {format::checksum(site, seed_), fingerprint};
}

std::size_t recent_webhooks::home_of(const key& k) const noexcept
{
    char bytes[sizeof k.site + sizeof k.fingerprint];
    std::memcpy(bytes, &k.site, sizeof k.site);
    std::memcpy(bytes + sizeof k.site, k.fingerprint.data(), k.fingerprint.size());
    return format::checksum({bytes, sizeof bytes}, seed_) & (table_.size() - 1);
}

/// Its place in the table, or the free place where it would go.
std::size_t recent_webhooks::find(const key& k) const noexcept
{
    std::size_t place = home_of(k);
    while (table_[place] != 0 && ring_[table_[place] - 1] != k)
        place = (place + 1) & (table_.size() - 1);
    return place;
}

bool recent_webhooks::contains(std::string_view site, const digest256& fingerprint) const
{
    return table_[find(make_key(site, fingerprint))] != 0;
}

std::optional<std::uint64_t> recent_webhooks::insert(std::string_view site, const digest256& fingerprint)
{
    if (ring_.empty())
        return std::nullopt;
    const key k = make_key(site, fingerprint);
    if (const std::size_t place = find(k); table_[place] != 0) {
        const std::uint64_t slot = table_[place] - 1;
        const std::uint64_t oldest_slot = oldest_ % ring_.size();
        return oldest_ + (slot + ring_.size() - oldest_slot) % ring_.size();
    }
    if (next_ - oldest_ == ring_.size()) {
        erase_at(find(ring_[oldest_ % ring_.size()]));
        ++oldest_;
    }
    const std::size_t slot = next_ % ring_.size();
    ring_[slot] = k;
    table_[find(k)] = static_cast<std::uint32_t>(slot + 1);
    ++next_;
    return std::nullopt;
}

void recent_webhooks::forget_from(std::uint64_t number)
{
    for (; next_ > std::max(number, oldest_); --next_)
        erase_at(find(ring_[(next_ - 1) % ring_.size()]));
}

/// Closes the gap, so that no search stops before an entry that lies behind it.
void recent_webhooks::erase_at(std::size_t place) noexcept
{
    const std::size_t mask = table_.size() - 1;
    std::size_t gap = place;
    for (std::size_t at = (gap + 1) & mask; table_[at] != 0; at = (at + 1) & mask) {
        const std::size_t home = home_of(ring_[table_[at] - 1]);
        if (((at - home) & mask) >= ((at - gap) & mask)) {
            table_[gap] = table_[at];
            gap = at;
        }
    }
    table_[gap] = 0;
}

} // namespace chargifyd::journal
