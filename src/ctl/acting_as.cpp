#include "ctl/acting_as.hpp"

#include "ctl/failure.hpp"

#include <array>
#include <cstdlib>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

namespace chargifyd::ctl {

std::optional<identity> find_user(const std::string& name)
{
    std::array<char, 16 * 1024> buffer{};
    passwd entry{};
    passwd* found = nullptr;
    if (::getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr)
        return std::nullopt;
    return identity{found->pw_uid, found->pw_gid};
}

acting_as::acting_as(const identity& who)
{
    if (::geteuid() != 0 || who.user == 0)
        return;
    // The groups of root would go on giving access; they are not needed again.
    if (::setgroups(0, nullptr) != 0 || ::setegid(who.group) != 0 || ::seteuid(who.user) != 0)
        throw failure(exit_code::failed, "cannot go on as the owner of the state directory");
    changed_ = true;
}

acting_as::~acting_as()
{
    if (changed_ && (::seteuid(0) != 0 || ::setegid(0) != 0))
        std::abort(); // to go on as the wrong user would be worse
}

} // namespace chargifyd::ctl
