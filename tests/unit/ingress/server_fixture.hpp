#pragma once

#include "certificate.hpp"
#include "client.hpp"
#include "fault_file_system.hpp"
#include "temporary_directory.hpp"

#include "chargifyd/base/digest.hpp"
#include "chargifyd/ingress/webhook_server.hpp"
#include "chargifyd/journal/journal.hpp"

#include <gtest/gtest.h>

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace chargifyd::test {

inline const std::string shared_key = "a-shared-key-that-nobody-may-see";

/// A valid request with this body; `headers` are whole lines.
std::string webhook(std::string_view body, const std::string& headers = {},
                    const std::string& path = "/webhooks", const std::string& key = shared_key);
/// Everything but signature and Content-Length.
std::string post(const std::string& headers, std::string_view body = {},
                 const std::string& path = "/webhooks");
std::string get(const std::string& path, const std::string& headers = {});
/// The header line.
std::string signature_of(std::string_view body, const std::string& key = shared_key);
std::string length_of(std::string_view body);

ingress::site site_of(const std::string& name, const std::vector<std::string>& keys = {shared_key});

/// Holds the journal's thread in its syncs, so that webhooks stay under way as long as a test wants.
class held_syncs {
public:
    explicit held_syncs(fault_file_system& files);
    ~held_syncs() { release(); }
    void hold();
    void release();
    /// Until the journal stands in a sync.
    void await();

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool closed_ = false;
    bool inside_ = false;
};

/// A webhook server on loopback, with HTTP and HTTPS, over a journal in memory.
class server_test : public testing::Test {
protected:
    server_test();
    ~server_test() override;

    /// Starts with what `with`, `sites` and `journal_with` say.
    void start();
    client http() const { return client(server->http_addresses().at(0)); }
    client https() const;
    /// Opens the quarantine, as `start` does.
    void open_quarantine();
    /// Every webhook in the journal, oldest first.
    std::vector<journal::record> stored();
    /// Waits until as many connections are open.
    void await_connections(std::size_t count) const;
    /// The value of a metric, the line's beginning given: `chargifyd_webhooks_total{...}`; "" when there is
    /// none.
    std::string metric(const std::string& name) const;

    temporary_directory directory;
    certificate own{"first.example"};
    fault_file_system files;
    held_syncs syncs{files};
    metrics::registry meters;
    ingress::options with;
    std::vector<ingress::site> sites;
    journal::options journal_with;
    quarantine::options quarantine_with;
    std::unique_ptr<journal::log> inbox;
    std::unique_ptr<quarantine::store> apart;
    std::unique_ptr<ingress::webhook_server> server;
};

} // namespace chargifyd::test
