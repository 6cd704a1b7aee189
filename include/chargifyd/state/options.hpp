#pragma once

#include <map>
#include <string>

namespace chargifyd::state {

struct options {
    /// State name to "has access", laid over the defaults of chargify::state_catalogue().
    std::map<std::string, bool> access;
};

} // namespace chargifyd::state
