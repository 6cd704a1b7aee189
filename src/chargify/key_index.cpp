#include "key_index.hpp"

#include <bit>
#include <random>

namespace chargifyd::chargify {

namespace {

struct sip_state {
    std::uint64_t v0, v1, v2, v3;

    void round() noexcept
    {
        v0 += v1;
        v1 = std::rotl(v1, 13) ^ v0;
        v0 = std::rotl(v0, 32);
        v2 += v3;
        v3 = std::rotl(v3, 16) ^ v2;
        v0 += v3;
        v3 = std::rotl(v3, 21) ^ v0;
        v2 += v1;
        v1 = std::rotl(v1, 17) ^ v2;
        v2 = std::rotl(v2, 32);
    }

    void absorb(std::uint64_t word) noexcept
    {
        v3 ^= word;
        round();
        v0 ^= word;
    }
};

/// Up to eight bytes, little-endian whatever the machine.
std::uint64_t load_word(std::string_view bytes) noexcept
{
    std::uint64_t word = 0;
    for (std::size_t i = bytes.size(); i-- > 0;)
        word = (word << 8) | static_cast<unsigned char>(bytes[i]);
    return word;
}

struct seed {
    std::uint64_t k0 = 0;
    std::uint64_t k1 = 0;
};

const seed& process_seed()
{
    static const seed drawn = [] {
        std::random_device source;
        const auto word = [&source] { return (std::uint64_t{source()} << 32) | source(); };
        const std::uint64_t k0 = word();
        return seed{k0, word()};
    }();
    return drawn;
}

std::uint32_t hash_of(form::index parent, std::string_view key) noexcept
{
    // The multiplier is odd, so equal keys under different parents never share all their bits.
    const seed& s = process_seed();
    return static_cast<std::uint32_t>(siphash13(s.k0, s.k1, key)) ^ (parent * 0x9e3779b1U);
}

} // namespace

std::uint64_t siphash13(std::uint64_t k0, std::uint64_t k1, std::string_view text) noexcept
{
    sip_state s{k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261,
                k1 ^ 0x7465646279746573};
    std::size_t at = 0;
    for (; text.size() - at >= 8; at += 8)
        s.absorb(load_word(text.substr(at, 8)));
    s.absorb(load_word(text.substr(at)) | (std::uint64_t{text.size() & 0xff} << 56));
    s.v2 ^= 0xff;
    for (int i = 0; i < 3; ++i)
        s.round();
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

std::size_t key_index::position(std::uint32_t hash, form::index parent, std::string_view key) const noexcept
{
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = hash & mask;
    while (slots_[at].node != form::none) {
        if (slots_[at].hash == hash) {
            const form::node& there = (*nodes_)[slots_[at].node];
            if (there.parent == parent && there.key == key)
                break;
        }
        at = (at + 1) & mask;
    }
    return at;
}

form::index key_index::find_or_put(form::index parent, std::string_view key, form::index next)
{
    slot& s = slot_of(parent, key);
    if (s.node == form::none) {
        s.node = next;
        ++used_;
    }
    return s.node;
}

form::index key_index::put(form::index i)
{
    slot& s = slot_of((*nodes_)[i].parent, (*nodes_)[i].key);
    const form::index before = s.node;
    s.node = i;
    if (before == form::none)
        ++used_;
    return before;
}

key_index::slot& key_index::slot_of(form::index parent, std::string_view key)
{
    if (2 * (used_ + 1) > slots_.size())
        grow();
    const std::uint32_t hash = hash_of(parent, key);
    slot& s = slots_[position(hash, parent, key)];
    s.hash = hash;
    return s;
}

void key_index::grow()
{
    std::vector<slot> old(slots_.empty() ? 64 : 2 * slots_.size());
    old.swap(slots_);
    const std::size_t mask = slots_.size() - 1;
    for (const slot& s : old) {
        if (s.node == form::none)
            continue;
        std::size_t at = s.hash & mask;
        while (slots_[at].node != form::none)
            at = (at + 1) & mask;
        slots_[at] = s;
    }
}

} // namespace chargifyd::chargify
