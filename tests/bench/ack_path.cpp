#include "counted.hpp"
#include "temporary_directory.hpp"

#include "chargifyd/chargify/signature.hpp"
#include "chargifyd/ingress/webhook_server.hpp"
#include "chargifyd/simulate/body.hpp"

#include <openssl/ssl.h>

#include <arpa/inet.h>
#include <array>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <netinet/tcp.h>
#include <stdexcept>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace chargifyd::bench {

namespace {

constexpr std::size_t connections = 64;
constexpr std::size_t rounds_before = 4;
constexpr std::size_t rounds = 32;
constexpr const char* key = "bench-shared-key";
constexpr std::string_view expected = "HTTP/1.1 200";

template <class T>
T value_of(result<T> from)
{
    if (!from)
        throw std::runtime_error(from.error().message);
    return std::move(*from);
}

/// The receiving half of a daemon: ingress, journal, quarantine.
class receiver {
public:
    explicit receiver(bool tls)
    {
        journal::options journal_with;
        journal_with.directory = home_ / "journal";
        journal_with.disk_floor_bytes = 0;
        inbox_ =
            value_of(journal::log::open(journal_with, journal::real_file_system(), system_now, instruments_));
        quarantine::options apart_with;
        apart_with.directory = home_ / "quarantine";
        apart_ = value_of(quarantine::store::open(apart_with, journal::real_file_system(), instruments_));
        ingress::options with;
        (tls ? with.https : with.http) = {"127.0.0.1:0"};
        with.threads = 1;
        if (tls) {
            make_certificate();
            with.tls = {home_ / "cert.pem", home_ / "key.pem"};
        }
        std::vector<ingress::site> sites;
        sites.push_back({"acme", chargify::verifier({secret(key)})});
        server_ = value_of(ingress::webhook_server::open(with, std::move(sites), *inbox_, *apart_,
                                                         instruments_, system_now));
        server_->start();
        const std::string address = (tls ? server_->https_addresses() : server_->http_addresses()).front();
        port_ = static_cast<std::uint16_t>(std::stoul(address.substr(address.rfind(':') + 1)));
    }

    ~receiver() { server_->drain(std::chrono::milliseconds(0)); }
    receiver(const receiver&) = delete;
    receiver& operator=(const receiver&) = delete;

    std::uint16_t port() const noexcept { return port_; }
    std::uint64_t stored() const noexcept { return inbox_->durable_sequence(); }

private:
    void make_certificate()
    {
        const std::string command =
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
            "-subj /CN=localhost -keyout '" +
            (home_ / "key.pem").string() + "' -out '" + (home_ / "cert.pem").string() + "' 2>/dev/null";
        if (std::system(command.c_str()) != 0)
            throw std::runtime_error("openssl cannot make a certificate");
    }

    test::temporary_directory home_;
    metrics::registry instruments_;
    std::unique_ptr<journal::log> inbox_;
    std::unique_ptr<quarantine::store> apart_;
    std::unique_ptr<ingress::webhook_server> server_;
    std::uint16_t port_ = 0;
};

/// A blocking client that keeps its connection.
class client {
public:
    client(std::uint16_t port, SSL_CTX* tls)
        : socket_(::socket(AF_INET, SOCK_STREAM, 0))
    {
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(port);
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        const int on = 1;
        ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (::connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
            throw std::runtime_error("cannot connect");
        if (tls == nullptr)
            return;
        session_.reset(SSL_new(tls));
        if (SSL_set_fd(session_.get(), socket_) != 1 || SSL_connect(session_.get()) != 1)
            throw std::runtime_error("TLS handshake failed");
    }
    ~client() { ::close(socket_); }
    client(const client&) = delete;
    client& operator=(const client&) = delete;

    void send(const std::string& request)
    {
        const auto sent = session_
                              ? SSL_write(session_.get(), request.data(), static_cast<int>(request.size()))
                              : ::send(socket_, request.data(), request.size(), 0);
        if (sent != static_cast<ssize_t>(request.size()))
            throw std::runtime_error("cannot send");
    }

    /// The answer is short enough for one read.
    void receive()
    {
        std::array<char, 4096> text{};
        const auto got = session_ ? SSL_read(session_.get(), text.data(), static_cast<int>(text.size()))
                                  : ::recv(socket_, text.data(), text.size(), 0);
        if (got <= 0 ||
            std::string_view(text.data(), static_cast<std::size_t>(got)).substr(0, expected.size()) !=
                expected)
            throw std::runtime_error("not acknowledged");
    }

private:
    int socket_;
    std::unique_ptr<SSL, decltype(&SSL_free)> session_{nullptr, SSL_free};
};

std::string request_of(std::uint64_t n)
{
    const simulate::webhook w = simulate::load_webhook("acme", n, 10000);
    return "POST /webhooks/acme HTTP/1.1\r\nHost: localhost\r\nAccept: */*; q=0.5, application/xml\r\n"
           "Accept-Encoding: gzip, deflate\r\nContent-Type: application/x-www-form-urlencoded\r\n" +
           std::string(chargify::webhook_id_header) + ": " + std::to_string(w.id) + "\r\n" +
           std::string(chargify::signature_header) + ": " + to_hex(chargify::hmac_sha256(key, w.body)) +
           "\r\nContent-Length: " + std::to_string(w.body.size()) + "\r\n\r\n" + w.body;
}

} // namespace

std::size_t acknowledge(bool tls)
{
    std::signal(SIGPIPE, SIG_IGN);
    std::vector<std::string> requests;
    for (std::size_t n = 0; n < (rounds_before + rounds) * connections; ++n)
        requests.push_back(request_of(n + 1));

    receiver server(tls);
    const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(
        tls ? SSL_CTX_new(TLS_client_method()) : nullptr, SSL_CTX_free);
    std::vector<std::unique_ptr<client>> clients;
    for (std::size_t i = 0; i < connections; ++i)
        clients.push_back(std::make_unique<client>(server.port(), context.get()));

    auto next = requests.begin();
    const auto play = [&](std::size_t count) {
        for (std::size_t round = 0; round < count; ++round) {
            for (const auto& c : clients)
                c->send(*next++);
            for (const auto& c : clients)
                c->receive();
        }
    };
    play(rounds_before);
    bench::count([&] { play(rounds); });
    if (server.stored() != requests.size())
        throw std::runtime_error("not everything was stored");
    return rounds * connections;
}

} // namespace chargifyd::bench
