#pragma once

#include <optional>
#include <string>
#include <sys/types.h>

namespace chargifyd::ctl {

/// Whom files shall belong to.
struct identity {
    uid_t user = 0;
    gid_t group = 0;
};

/// The user with that name and their group; nothing when there is none.
std::optional<identity> find_user(const std::string& name);

/// While it lasts, root's file accesses are those of that user: what is made belongs to them, and their own
/// links lead nowhere they may not go themselves. Does nothing for a process that is not root's. The
/// process has one thread.
class acting_as {
public:
    explicit acting_as(const identity& who);
    ~acting_as();
    acting_as(const acting_as&) = delete;
    acting_as& operator=(const acting_as&) = delete;

private:
    bool changed_ = false;
};

} // namespace chargifyd::ctl
