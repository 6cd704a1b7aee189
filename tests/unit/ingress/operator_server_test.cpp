#include "client.hpp"
#include "temporary_directory.hpp"

#include "chargifyd/ingress/operator_server.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <future>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>

namespace chargifyd::ingress {
namespace {

using namespace std::chrono_literals;
using test::client;

operator_reply describe(const operator_request& r)
{
    operator_reply reply;
    reply.content_type = "text/x-test";
    reply.body = r.method + "|" + r.path + "|" + r.query + "|" + r.authorization + "|" + r.host + "|" +
                 r.body + "|" + (r.local ? "local" : "remote");
    return reply;
}

class operator_server_test : public testing::Test {
protected:
    void start(operator_handler handler = describe)
    {
        auto opened = operator_server::open("127.0.0.1:0", socket, std::move(handler));
        ASSERT_TRUE(opened) << opened.error().message;
        server = std::move(*opened);
        server->start();
    }

    test::temporary_directory directory;
    const std::filesystem::path socket = directory / "operator.sock";
    std::unique_ptr<operator_server> server;
};

TEST_F(operator_server_test, is_called_over_its_socket)
{
    start();
    const auto got = call_operator(socket, "GET", "/v1/events%20x?after=%201");
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_EQ(got->status, 200U);
    EXPECT_EQ(got->content_type, "text/x-test");
    EXPECT_EQ(got->body, "GET|/v1/events x|after=%201||localhost||local");
    const auto posted = call_operator(socket, "POST", "/retry", "{\"seq\": 1}");
    ASSERT_TRUE(posted);
    EXPECT_EQ(posted->body, "POST|/retry|||localhost|{\"seq\": 1}|local");
    EXPECT_TRUE(call_operator(socket, "POST", "/retry"));
}

TEST_F(operator_server_test, is_called_over_tcp)
{
    start();
    client c(server->address());
    const auto got = c.ask("GET /metrics HTTP/1.1\r\nHost: evil.example\r\nAuthorization: Bearer x\r\n\r\n");
    EXPECT_EQ(got.body, "GET|/metrics||Bearer x|evil.example||remote");
    EXPECT_EQ(c.ask("DELETE /x HTTP/1.1\r\nHost: a\r\n\r\n").body, "DELETE|/x|||a||remote");
}

TEST_F(operator_server_test, gives_head_what_it_gives_get_without_the_body)
{
    start();
    client c(server->address());
    c.send("HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n");
    const auto head = c.receive(true);
    EXPECT_EQ(head.status, 200U);
    EXPECT_EQ(head.header("Content-Length"), std::to_string(std::string("GET|/x|||a||remote").size()));
    EXPECT_EQ(c.ask("GET /x HTTP/1.1\r\nHost: a\r\n\r\n").status, 200U);
}

TEST_F(operator_server_test, lets_only_its_user_in)
{
    start();
    struct stat found {};
    ASSERT_EQ(::lstat(socket.c_str(), &found), 0);
    EXPECT_TRUE(S_ISSOCK(found.st_mode));
    EXPECT_EQ(found.st_mode & 0777U, 0600U);
}

TEST_F(operator_server_test, replaces_a_stale_socket)
{
    const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un where{};
    where.sun_family = AF_UNIX;
    socket.native().copy(where.sun_path, sizeof where.sun_path - 1);
    ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&where), sizeof where), 0);
    ::close(fd);
    ASSERT_TRUE(std::filesystem::exists(socket));
    start();
    EXPECT_TRUE(call_operator(socket, "GET", "/"));
}

TEST_F(operator_server_test, leaves_a_socket_alone_that_is_in_use)
{
    start();
    const auto second = operator_server::open("", socket, describe);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, errc::busy);
    EXPECT_TRUE(call_operator(socket, "GET", "/"));
}

TEST_F(operator_server_test, leaves_a_file_alone_that_is_no_socket)
{
    std::ofstream(socket) << "precious";
    const auto opened = operator_server::open("", socket, describe);
    ASSERT_FALSE(opened);
    EXPECT_NE(opened.error().message.find("no socket"), std::string::npos);
    EXPECT_TRUE(std::filesystem::is_regular_file(socket));
}

TEST_F(operator_server_test, removes_its_socket)
{
    start();
    server.reset();
    EXPECT_FALSE(std::filesystem::exists(socket));
    const auto got = call_operator(socket, "GET", "/");
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code, errc::unavailable);
}

TEST_F(operator_server_test, names_what_it_cannot_open)
{
    const auto bad = operator_server::open("example.com:80", {}, describe);
    ASSERT_FALSE(bad);
    EXPECT_NE(bad.error().message.find("example.com:80"), std::string::npos);
    EXPECT_FALSE(operator_server::open("", directory / std::string(200, 'x'), describe));
    EXPECT_FALSE(call_operator(directory / std::string(200, 'x'), "GET", "/"));
}

TEST_F(operator_server_test, turns_exceptions_into_500)
{
    start([](const operator_request& r) -> operator_reply {
        if (r.path == "/odd")
            throw 1;
        throw std::runtime_error("canary");
    });
    for (const char* path : {"/", "/odd"}) {
        const auto got = call_operator(socket, "GET", path);
        ASSERT_TRUE(got);
        EXPECT_EQ(got->status, 500U);
        EXPECT_EQ(got->body, "internal error\n");
    }
}

TEST_F(operator_server_test, refuses_bad_requests_and_goes_on)
{
    start();
    const std::pair<std::string, unsigned> all[] = {
        {"nonsense\r\n\r\n", 400},
        {"GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET /% HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET /%4 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET /%0a HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET /%7f HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\n\r\n", 400},
        {"GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\nHost: a\r\n\r\n", 411},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\n\r\n", 413},
        {"GET / HTTP/1.1\r\nX: " + std::string(20000, 'x') + "\r\n\r\n", 431},
    };
    for (const auto& [request, status] : all)
        for (auto&& c : {std::make_shared<client>(server->address()), std::make_shared<client>(socket)})
            EXPECT_EQ(c->ask(request).status, status) << request.substr(0, 60);
    const std::string largest(65536, 'b');
    const auto taken = call_operator(socket, "POST", "/", largest);
    ASSERT_TRUE(taken);
    EXPECT_EQ(taken->body, "POST|/|||localhost|" + largest + "|local");
    const auto refused = call_operator(socket, "POST", "/", largest + "b");
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->status, 413U);
}

TEST_F(operator_server_test, lets_no_content_type_break_the_head)
{
    start([](const operator_request&) {
        operator_reply reply;
        reply.content_type = "text/html\r\nX-Canary: 1";
        return reply;
    });
    client c(server->address());
    const auto got = c.ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(got.header("Content-Type"), "text/plain");
    EXPECT_EQ(got.header("X-Canary"), "(none)");
}

TEST_F(operator_server_test, asks_for_the_token)
{
    start([](const operator_request&) {
        operator_reply reply;
        reply.status = 401;
        return reply;
    });
    client c(server->address());
    EXPECT_EQ(c.ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n").header("WWW-Authenticate"), "Bearer");
}

TEST_F(operator_server_test, sends_large_replies_whole)
{
    const std::string large(5'000'000, 'x');
    start([&large](const operator_request&) {
        operator_reply reply;
        reply.body = large;
        return reply;
    });
    const auto got = call_operator(socket, "GET", "/");
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_EQ(got->body, large);
}

TEST_F(operator_server_test, serves_others_while_a_handler_is_slow)
{
    std::promise<void> go;
    const auto gone = go.get_future().share();
    start([gone](const operator_request& r) {
        if (r.path == "/slow")
            gone.wait();
        return describe(r);
    });
    auto slow = std::async(std::launch::async, [this] { return call_operator(socket, "GET", "/slow"); });
    for (int i = 0; i < 5; ++i)
        EXPECT_TRUE(call_operator(socket, "GET", "/quick"));
    go.set_value();
    EXPECT_TRUE(slow.get());
}

TEST_F(operator_server_test, waits_for_its_handlers_when_it_stops)
{
    std::promise<void> entered;
    std::promise<void> go;
    std::atomic<bool> finished{false};
    const auto gone = go.get_future().share();
    start([&entered, &finished, gone](const operator_request& r) {
        entered.set_value();
        gone.wait();
        finished = true;
        return describe(r);
    });
    auto asked = std::async(std::launch::async, [this] { return call_operator(socket, "GET", "/"); });
    entered.get_future().wait();
    auto stopped = std::async(std::launch::async, [this] { server->stop(); });
    EXPECT_EQ(stopped.wait_for(50ms), std::future_status::timeout);
    go.set_value();
    stopped.get();
    EXPECT_TRUE(finished);
    EXPECT_TRUE(asked.get());
}

TEST_F(operator_server_test, can_go_without_ever_having_started)
{
    EXPECT_TRUE(operator_server::open("127.0.0.1:0", socket, describe));
}

TEST(call_operator, refuses_what_makes_no_request)
{
    for (const char* target : {"", "/a b", "/a\r\nX: y", "/\x7f"}) {
        const auto got = call_operator("/nonexistent.sock", "GET", target);
        ASSERT_FALSE(got);
        EXPECT_EQ(got.error().code, errc::invalid);
    }
    const auto nobody = call_operator("/nonexistent.sock", "GET", "/");
    ASSERT_FALSE(nobody);
    EXPECT_EQ(nobody.error().code, errc::unavailable);
}

TEST(call_operator, tells_when_the_answer_is_not_whole)
{
    for (const std::string& sent :
         {std::string(), std::string("HTTP/1.1 200 OK\r\n"), std::string("nonsense\r\n\r\n"),
          std::string("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort")}) {
        test::temporary_directory directory;
        const auto path = directory / "s";
        const int listening = ::socket(AF_UNIX, SOCK_STREAM, 0);
        sockaddr_un where{};
        where.sun_family = AF_UNIX;
        path.native().copy(where.sun_path, sizeof where.sun_path - 1);
        ASSERT_EQ(::bind(listening, reinterpret_cast<sockaddr*>(&where), sizeof where), 0);
        ASSERT_EQ(::listen(listening, 1), 0);
        std::thread answering([listening, &sent] {
            const int fd = ::accept(listening, nullptr, nullptr);
            char request[1024];
            EXPECT_GT(::recv(fd, request, sizeof request, 0), 0);
            EXPECT_EQ(::send(fd, sent.data(), sent.size(), MSG_NOSIGNAL), static_cast<ssize_t>(sent.size()));
            ::close(fd);
        });
        const auto got = call_operator(path, "GET", "/");
        answering.join();
        ::close(listening);
        ASSERT_FALSE(got) << sent;
        EXPECT_EQ(got.error().code, errc::unavailable);
    }
}

} // namespace
} // namespace chargifyd::ingress
