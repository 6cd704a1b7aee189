#include "chargifyd/simulate/probe.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string_view>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace chargifyd::simulate {
namespace {

using testing::HasSubstr;

/// Listens on a port of its own; answers one connection with a text, when it is told to.
class listener {
public:
    listener()
        : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))
    {
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t length = sizeof(at);
        auto* const generic = reinterpret_cast<sockaddr*>(&at);
        if (::bind(fd_, generic, length) != 0 || ::listen(fd_, 4) != 0 ||
            ::getsockname(fd_, generic, &length) != 0)
            throw std::runtime_error("cannot listen");
        port_ = ntohs(at.sin_port);
    }
    ~listener()
    {
        if (answering_.joinable())
            answering_.join();
        close();
    }
    listener(const listener&) = delete;
    listener& operator=(const listener&) = delete;

    void close()
    {
        if (fd_ >= 0)
            ::close(fd_);
        fd_ = -1;
    }
    void answer(const std::string& text)
    {
        answering_ = std::thread([this, text] {
            const int connection = ::accept(fd_, nullptr, nullptr);
            char block[1024];
            while (request_.find("\r\n\r\n") == std::string::npos) {
                const ssize_t got = ::recv(connection, block, sizeof(block), 0);
                if (got <= 0)
                    break;
                request_.append(block, static_cast<std::size_t>(got));
            }
            ::send(connection, text.data(), text.size(), MSG_NOSIGNAL);
            ::close(connection);
        });
    }
    std::string asked()
    {
        answering_.join();
        return request_;
    }
    std::string address(const std::string& host = "127.0.0.1") const
    {
        return host + ":" + std::to_string(port_);
    }

private:
    int fd_;
    std::uint16_t port_ = 0;
    std::thread answering_;
    std::string request_;
};

TEST(probe, asks_for_health)
{
    listener server;
    server.answer("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 5\r\n\r\ndisk\n");
    const auto found = probe(server.address("0.0.0.0"), {});
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_EQ(found->status, 503U);
    EXPECT_EQ(found->body, "disk");
    EXPECT_THAT(server.asked(), testing::StartsWith("GET /healthz HTTP/1.1\r\nHost: "));
}

TEST(probe, can_begin_as_a_proxy)
{
    listener server;
    server.answer("HTTP/1.1 200 OK\r\n\r\nok\n");
    probe_options with;
    with.proxy_header = true;
    EXPECT_EQ(probe(server.address(), with)->status, 200U);
    EXPECT_THAT(server.asked(), testing::StartsWith("PROXY UNKNOWN\r\nGET "));
}

TEST(probe, says_why_there_is_no_answer)
{
    listener silent;
    silent.answer("");
    EXPECT_THAT(probe(silent.address(), {}).error().message, HasSubstr("no answer"));
    listener other;
    other.answer("220 mail ready\r\n\r\n");
    EXPECT_THAT(probe(other.address(), {}).error().message, HasSubstr("HTTP"));
    listener plain;
    plain.answer("HTTP/1.1 400 Bad Request\r\n\r\n");
    listener gone;
    gone.close();
    const auto refused = probe(gone.address(), {});
    EXPECT_EQ(refused.error().code, errc::unavailable);
    probe_options tls;
    tls.tls = true;
    listener closing;
    closing.answer("\r\n\r\n");
    // What a server without TLS makes of a handshake is not a request: it has to be ended from here.
    tls.timeout = std::chrono::milliseconds(100);
    EXPECT_THAT(probe(closing.address(), tls).error().message, HasSubstr("TLS"));
    EXPECT_EQ(probe(plain.address(), {})->status, 400U);
    for (const char* address : {"nonsense", "127.0.0.1", "localhost:80", "127.0.0.1:http", ":80", ""})
        EXPECT_EQ(probe(address, {}).error().code, errc::invalid) << address;
}

TEST(try_to_bind, tells_free_from_taken)
{
    listener other;
    EXPECT_EQ(try_to_bind(other.address()).error().code, errc::busy);
    other.close();
    EXPECT_TRUE(try_to_bind(other.address()));
    EXPECT_TRUE(try_to_bind(other.address())) << "what was bound is given back";
    EXPECT_EQ(try_to_bind("192.0.2.1:" + other.address().substr(10)).error().code, errc::invalid);
    EXPECT_EQ(try_to_bind("nonsense").error().code, errc::invalid);
}

} // namespace
} // namespace chargifyd::simulate
