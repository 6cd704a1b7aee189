#pragma once

#include <map>
#include <optional>
#include <string>

namespace chargifyd::state {

/// What a subscription state means for access.
struct access_rule {
    bool has_access = false;
    /// Access ends so many days after the subscription came into the state; without a value it does not.
    std::optional<int> grace_days;

    bool operator==(const access_rule&) const = default;
};

struct options {
    /// By state name, laid over the defaults of chargify::state_catalogue().
    std::map<std::string, access_rule> access;
    /// Nobody else opens the file, and it is thrown away after a crash: nothing of it is synced, and a new
    /// one has no indexes for queries until `sqlite_store::make_indexes`.
    bool scratch = false;
    /// Whether a small file is read through for damage when it is opened.
    bool check_content = true;
};

} // namespace chargifyd::state
