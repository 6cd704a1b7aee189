#include "server_fixture.hpp"

#include "chargifyd/base/time.hpp"
#include "chargifyd/chargify/signature.hpp"

#include <chrono>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <utility>

namespace chargifyd::test {

std::string signature_of(std::string_view body, const std::string& key)
{
    return "X-Chargify-Webhook-Signature-Hmac-Sha-256: " + to_hex(chargify::hmac_sha256(key, body)) + "\r\n";
}

std::string length_of(std::string_view body)
{
    return "Content-Length: " + std::to_string(body.size()) + "\r\n";
}

std::string post(const std::string& headers, std::string_view body, const std::string& path)
{
    return "POST " + path + " HTTP/1.1\r\nHost: localhost\r\n" + headers + "\r\n" + std::string(body);
}

std::string webhook(std::string_view body, const std::string& headers, const std::string& path,
                    const std::string& key)
{
    return post(signature_of(body, key) + length_of(body) + headers, body, path);
}

std::string get(const std::string& path, const std::string& headers)
{
    return "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n" + headers + "\r\n";
}

ingress::site site_of(const std::string& name, const std::vector<std::string>& keys)
{
    std::vector<secret> secrets;
    for (const auto& key : keys)
        secrets.emplace_back(key);
    return {name, chargify::verifier(std::move(secrets))};
}

held_syncs::held_syncs(fault_file_system& files)
{
    files.before_sync([this] {
        std::unique_lock hold(mutex_);
        inside_ = closed_;
        changed_.notify_all();
        changed_.wait(hold, [this] { return !closed_; });
        inside_ = false;
    });
}

void held_syncs::hold()
{
    const std::lock_guard hold(mutex_);
    closed_ = true;
}

void held_syncs::release()
{
    const std::lock_guard hold(mutex_);
    closed_ = false;
    changed_.notify_all();
}

void held_syncs::await()
{
    std::unique_lock hold(mutex_);
    changed_.wait(hold, [this] { return inside_; });
}

server_test::server_test()
{
    with.https = {"127.0.0.1:0"};
    with.http = {"127.0.0.1:0"};
    with.tls = store(own, directory.path());
    with.threads = 2;
    // Nothing ends by a deadline unless a test shortens it.
    using minutes = std::chrono::minutes;
    with.handshake_timeout = with.header_timeout = with.body_timeout = with.idle_timeout =
        with.write_timeout = minutes(5);
    sites.push_back(site_of("acme"));
    journal_with.directory = "/state/journal";
    journal_with.segment_bytes = 1024 * 1024;
    journal_with.disk_floor_bytes = 0;
}

server_test::~server_test()
{
    syncs.release();
    server.reset();
    if (inbox)
        inbox->close();
}

void server_test::start()
{
    auto opened = journal::log::open(journal_with, files, system_now, meters);
    if (!opened)
        throw std::runtime_error(opened.error().message);
    inbox = std::move(*opened);
    open_quarantine();
    auto made = ingress::webhook_server::open(with, sites, *inbox, *apart, meters, system_now);
    if (!made)
        throw std::runtime_error(made.error().message);
    server = std::move(*made);
    server->start();
}

void server_test::open_quarantine()
{
    quarantine_with.directory = "/state/quarantine";
    apart = std::move(*quarantine::store::open(quarantine_with, files, meters));
}

client server_test::https() const
{
    client c(server->https_addresses().at(0));
    EXPECT_TRUE(c.start_tls());
    return c;
}

std::vector<journal::record> server_test::stored()
{
    std::vector<journal::record> all;
    auto in = journal::reader::open(journal_with.directory, files, 0);
    if (!in)
        throw std::runtime_error(in.error().message);
    for (journal::record one;;) {
        const auto more = in->next(one, ~std::uint64_t{0});
        if (!more)
            throw std::runtime_error(more.error().message);
        if (!*more)
            return all;
        all.push_back(one);
    }
}

void server_test::await_connections(std::size_t count) const
{
    while (server->connections() != count)
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

std::string server_test::metric(const std::string& name) const
{
    std::istringstream lines(meters.render());
    for (std::string line; std::getline(lines, line);)
        if (line.starts_with(name + " "))
            return line.substr(name.size() + 1);
    return {};
}

} // namespace chargifyd::test
