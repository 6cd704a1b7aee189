#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

/// Where a process listens, as the kernel knows it: also on sockets that it was given.
namespace chargifyd::ctl {

/// "address:port" of the TCP sockets on which the process listens. Nothing when this user may not look at it,
/// or when they belong to another network namespace.
std::vector<std::string> listening_addresses(pid_t process);

/// The listening ones among these inodes, from the text of /proc/net/tcp or tcp6.
std::vector<std::string> parse_listening(std::string_view text, const std::set<std::uint64_t>& inodes);

} // namespace chargifyd::ctl
