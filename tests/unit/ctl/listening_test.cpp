#include "ctl/listening.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace chargifyd::ctl {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

TEST(listening, reads_the_tables_of_the_kernel)
{
    constexpr std::string_view four =
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
        "   0: 0100007F:23DC 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 41 1 0 "
        "100 0\n"
        "   1: 00000000:01BB 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 42 1 0 "
        "100 0\n"
        "   2: 0100007F:01BB 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 43 1 0 "
        "20 4\n"
        "   3: 0100007F:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 44 1 0 "
        "100 0\n"
        "nonsense\n";
    EXPECT_THAT(parse_listening(four, {41, 42, 43}), ElementsAre("127.0.0.1:9180", "0.0.0.0:443"));
    constexpr std::string_view six =
        "   0: 00000000000000000000000000000000:01BB 00000000000000000000000000000000:0000 0A "
        "00000000:00000000 00:00000000 00000000     0        0 51 1 0 100 0\n"
        "   1: 00000000000000000000000001000000:0050 00000000000000000000000000000000:0000 0A "
        "00000000:00000000 00:00000000 00000000     0        0 52 1 0 100 0\n";
    EXPECT_THAT(parse_listening(six, {51, 52}), ElementsAre("[::]:443", "[::1]:80"));
    EXPECT_THAT(parse_listening(four, {}), IsEmpty());
}

TEST(listening, finds_the_sockets_of_a_process)
{
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(at);
    auto* const generic = reinterpret_cast<sockaddr*>(&at);
    ASSERT_EQ(::bind(fd, generic, length), 0);
    ASSERT_EQ(::listen(fd, 1), 0);
    ASSERT_EQ(::getsockname(fd, generic, &length), 0);
    EXPECT_THAT(listening_addresses(::getpid()), Contains("127.0.0.1:" + std::to_string(ntohs(at.sin_port))));
    ::close(fd);
    EXPECT_THAT(listening_addresses(0x7fffffff), IsEmpty());
}

} // namespace
} // namespace chargifyd::ctl
