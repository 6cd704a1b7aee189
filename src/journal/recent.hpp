#pragma once

#include "chargifyd/base/digest.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace chargifyd::journal {

/// The memory of the webhooks written last: site and fingerprint, first in, first out, never more than a
/// fixed number. All memory is taken at the start. One thread at a time.
class recent_webhooks {
public:
    /// With a capacity of 0 nothing is remembered.
    explicit recent_webhooks(std::size_t capacity);

    /// When it is known already: the number under which `insert` took it. Otherwise takes it, and nothing.
    /// Numbers count up from 0.
    std::optional<std::uint64_t> insert(std::string_view site, const digest256& fingerprint);
    bool contains(std::string_view site, const digest256& fingerprint) const;
    /// The number that the next new one gets.
    std::uint64_t next_number() const noexcept { return next_; }
    /// Takes back what got this number or a later one.
    void forget_from(std::uint64_t number);

private:
    struct key {
        std::uint64_t site = 0; ///< a keyed checksum of the name
        digest256 fingerprint{};

        bool operator==(const key&) const = default;
    };

    key make_key(std::string_view site, const digest256& fingerprint) const noexcept;
    std::size_t home_of(const key& k) const noexcept;
    std::size_t find(const key& k) const noexcept;
    void erase_at(std::size_t place) noexcept;

    std::vector<key> ring_;            ///< number n lies at n modulo the capacity
    std::vector<std::uint32_t> table_; ///< open addressing: place in ring_ + 1, 0 is free
    std::uint64_t oldest_ = 0;
    std::uint64_t next_ = 0;
    std::uint64_t seed_; ///< random, so that no sender can choose which entries collide
};

} // namespace chargifyd::journal
