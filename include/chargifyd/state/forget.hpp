#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <string_view>

/// What is left of a webhook when the person it tells of is to be forgotten (docs/state.md, "Forgetting").
/// Pure.
namespace chargifyd::state {

/// A customer, as webhooks name them.
struct person {
    std::string site;
    std::int64_t customer_id = 0;
    std::set<std::int64_t> subscriptions; ///< that are theirs
};

/// The body is about that customer, or names no customer and is about one of their subscriptions. A body that
/// cannot be read concerns nobody.
bool concerns(const person& who, std::string_view site, std::string_view body);

/// Blanks everything in a body but what is known to tell nothing personal: ids, states, times, amounts,
/// products. What is left moves to the front, and `&` fills the rest, so the length stays and the body reads
/// as before but for what is gone. True: something was blanked. Doing it again changes nothing.
bool blank_personal(std::span<char> body);

} // namespace chargifyd::state
