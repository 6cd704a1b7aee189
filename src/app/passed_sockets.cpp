#include "passed_sockets.hpp"

#include "chargifyd/base/log.hpp"

#include <systemd/sd-daemon.h>

#include <arpa/inet.h>
#include <cstdlib>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

namespace chargifyd::app {

namespace {

/// Bound to an address that only this machine can reach.
bool is_loopback(int socket) noexcept
{
    sockaddr_storage bound{};
    socklen_t size = sizeof bound;
    if (::getsockname(socket, reinterpret_cast<sockaddr*>(&bound), &size) != 0)
        return false;
    if (bound.ss_family == AF_INET)
        return ntohl(reinterpret_cast<const sockaddr_in&>(bound).sin_addr.s_addr) >> 24 == 127;
    return bound.ss_family == AF_INET6 &&
           IN6_IS_ADDR_LOOPBACK(&reinterpret_cast<const sockaddr_in6&>(bound).sin6_addr) != 0;
}

void match(const char* kind, bool configured, std::vector<int>& sockets)
{
    const std::string unit = std::string("chargifyd-") + kind + ".socket";
    // Under a unit without a network an address that the daemon binds itself is reached by nobody.
    if (configured && sockets.empty())
        log::warning("an address is configured, but the service manager passes no such socket as it does for "
                     "others; enable its unit, or remove the address",
                     {{"kind", kind}, {"unit", unit}});
    if (configured || sockets.empty())
        return;
    log::warning("the service manager passes a socket that is not configured; name its address in the "
                 "configuration, or mask its unit",
                 {{"kind", kind}, {"unit", unit}});
    for (const int socket : sockets)
        ::close(socket);
    sockets.clear();
}

} // namespace

result<passed_sockets> take_passed_sockets(const config::settings& configured)
{
    char** names = nullptr;
    const int count = ::sd_listen_fds_with_names(1, &names);
    if (count < 0)
        return system_error(-count, "cannot take the sockets of the service manager");
    passed_sockets all;
    std::string wrong;
    for (int i = 0; i < count; ++i) {
        const std::string name = names[i];
        std::free(names[i]);
        const int socket = SD_LISTEN_FDS_START + i;
        if (name == "https")
            all.https.push_back(socket);
        else if (name == "http")
            all.http.push_back(socket);
        else if (name == "admin" && all.admin.empty())
            all.admin.push_back(socket);
        else
            wrong = name;
    }
    std::free(names);
    if (!wrong.empty())
        return make_error(errc::invalid,
                          "the service manager passes a socket named '" + wrong +
                              "'; set FileDescriptorName= of its unit to https, http or (once) admin");
    if (count == 0)
        return all;
    match("https", !configured.ingress.https.empty(), all.https);
    match("http", !configured.ingress.http.empty(), all.http);
    match("admin", !configured.admin.listen.empty(), all.admin);
    if (!all.admin.empty() && configured.admin.token.empty() && !is_loopback(all.admin.front()))
        return make_error(errc::invalid, "the socket named admin can be reached from outside and needs "
                                         "admin.token_file; set it, or let its unit listen on 127.0.0.1");
    return all;
}

} // namespace chargifyd::app
