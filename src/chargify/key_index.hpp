#pragma once

#include "chargifyd/chargify/form.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace chargifyd::chargify {

/// SipHash-1-3 of `text` under a 128-bit key (Aumasson and Bernstein, 2012).
std::uint64_t siphash13(std::uint64_t k0, std::uint64_t k1, std::string_view text) noexcept;

/// Finds a node by its parent and its key in constant time. A sender chooses the keys, so the hash is keyed
/// with a number drawn once per process: keys that collide cannot be prepared.
///
/// Refers to the nodes it is made with, which may grow meanwhile; parent and key of a node it holds must not
/// change.
class key_index {
public:
    explicit key_index(const std::vector<form::node>& nodes) noexcept
        : nodes_(&nodes)
    {}

    /// The node with that parent and key; when there is none, `next`, which is put and must be the node's
    /// index by the next call.
    form::index find_or_put(form::index parent, std::string_view key, form::index next);

    /// Puts node `i` in the place of the one with the same parent and key, which is returned; `form::none`
    /// without one.
    form::index put(form::index i);

private:
    struct slot {
        std::uint32_t hash = 0;
        form::index node = form::none;
    };

    std::size_t position(std::uint32_t hash, form::index parent, std::string_view key) const noexcept;
    slot& slot_of(form::index parent, std::string_view key);
    void grow();

    const std::vector<form::node>* nodes_;
    std::vector<slot> slots_; // open addressing, a power of two, at most half full
    std::size_t used_ = 0;
};

} // namespace chargifyd::chargify
