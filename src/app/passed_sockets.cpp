#include "passed_sockets.hpp"

#include <systemd/sd-daemon.h>

#include <arpa/inet.h>
#include <cstdlib>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>

namespace chargifyd::app {

result<passed_sockets> take_passed_sockets()
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
        else if (name == "admin" && all.admin < 0)
            all.admin = socket;
        else
            wrong = name;
    }
    std::free(names);
    if (!wrong.empty())
        return make_error(errc::invalid,
                          "the service manager passes a socket named '" + wrong +
                              "'; set FileDescriptorName= of its unit to https, http or (once) admin");
    return all;
}

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

} // namespace chargifyd::app
