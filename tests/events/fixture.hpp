#pragma once

#include <set>
#include <string>
#include <string_view>

namespace chargifyd::test {

/// A body of an event, and one that came before it for the same subscription.
struct event_bodies {
    std::string before; ///< empty: the event is the first that is heard of its subscription
    std::string event;
};

/// As the simulator invents them.
event_bodies invent(std::string_view key, bool older_style);

/// What a body did to a state in which the one before it was applied already.
struct event_effect {
    std::string rows;     ///< that are new or other than before: `table|column=value|…`, NULL left out
    std::string all_rows; ///< of both
    std::set<std::string> tables; ///< of the objects that it speaks of
    std::set<std::string> kinds;  ///< of the changes it tells
    std::string outcome;
};

event_effect apply(const event_bodies& bodies);

/// All rows that the bodies make, without what forgetting a person takes from rows.
std::string impersonal_rows(const event_bodies& bodies);

} // namespace chargifyd::test
