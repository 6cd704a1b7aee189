#include "ingress/tls.hpp"
#include "server_fixture.hpp"

#include "chargifyd/base/time.hpp"

#include <fstream>

namespace chargifyd::ingress {
namespace {

using test::certificate;
using test::client;

class load_tls_test : public testing::Test {
protected:
    load_tls_test()
        : files(test::store(own, directory.path()))
    {}

    std::string mistake()
    {
        const auto loaded = load_tls(files, system_now());
        return loaded ? "none" : loaded.error().message;
    }
    static void write(const std::filesystem::path& path, const std::string& bytes)
    {
        std::ofstream(path) << bytes;
    }

    test::temporary_directory directory;
    certificate own{"a.example"};
    tls_files files;
};

TEST_F(load_tls_test, takes_a_certificate_and_its_key)
{
    EXPECT_EQ(mistake(), "none");
}

TEST_F(load_tls_test, takes_a_chain)
{
    write(files.certificate, own.pem + certificate("issuer").pem + certificate("root").pem);
    const auto loaded = load_tls(files, system_now());
    ASSERT_TRUE(loaded);
    STACK_OF(X509)* chain = nullptr;
    SSL_CTX_get0_chain_certs(loaded->get(), &chain);
    EXPECT_EQ(sk_X509_num(chain), 2);
}

TEST_F(load_tls_test, takes_certificate_and_key_from_one_file)
{
    write(files.certificate, own.pem + own.key);
    files.private_key = files.certificate;
    EXPECT_EQ(mistake(), "none");
}

TEST_F(load_tls_test, names_a_missing_file)
{
    std::filesystem::remove(files.private_key);
    EXPECT_NE(mistake().find("key.pem"), std::string::npos);
    std::filesystem::remove(files.certificate);
    EXPECT_NE(mistake().find("chain.pem"), std::string::npos);
}

TEST_F(load_tls_test, names_what_is_not_pem)
{
    write(files.private_key, "nonsense");
    EXPECT_NE(mistake().find("key.pem: no private key in PEM form"), std::string::npos) << mistake();
    write(files.certificate, own.key);
    EXPECT_NE(mistake().find("chain.pem: no certificate in PEM form"), std::string::npos) << mistake();
}

TEST_F(load_tls_test, notices_a_damaged_chain)
{
    auto issuer = certificate("issuer").pem;
    issuer[issuer.size() / 2] = '!';
    write(files.certificate, own.pem + issuer);
    EXPECT_NE(mistake().find("chain.pem: a certificate of the chain is damaged"), std::string::npos)
        << mistake();
}

TEST_F(load_tls_test, notices_a_key_of_another_certificate)
{
    write(files.private_key, certificate("b.example").key);
    EXPECT_NE(mistake().find("does not fit"), std::string::npos) << mistake();
    EXPECT_NE(mistake().find("chain.pem"), std::string::npos) << mistake();
}

TEST_F(load_tls_test, refuses_an_encrypted_key_without_asking_for_a_passphrase)
{
    write(files.private_key, own.encrypted_key);
    EXPECT_NE(mistake().find("encrypted"), std::string::npos) << mistake();
}

TEST_F(load_tls_test, only_warns_about_dates)
{
    const auto warning_about = [this](const certificate& its) {
        test::store(its, directory.path());
        testing::internal::CaptureStderr();
        EXPECT_EQ(mistake(), "none");
        return testing::internal::GetCapturedStderr();
    };
    EXPECT_NE(warning_about(certificate("a", -7200, -3600)).find("has expired"), std::string::npos);
    EXPECT_NE(warning_about(certificate("a", 3600, 7200)).find("not valid yet"), std::string::npos);
    EXPECT_EQ(warning_about(certificate("a")), "");
}

class tls_test : public test::server_test {
protected:
    /// Whether a handshake with these offers succeeds.
    bool shakes_hands(const std::function<void(SSL_CTX*)>& offer)
    {
        if (!server)
            start();
        client c(server->https_addresses().at(0));
        return c.start_tls(offer);
    }
};

void only(SSL_CTX* c, int version)
{
    SSL_CTX_set_min_proto_version(c, version);
    SSL_CTX_set_max_proto_version(c, version);
}

TEST_F(tls_test, speaks_1_2_and_1_3_only)
{
    EXPECT_TRUE(shakes_hands([](SSL_CTX* c) { only(c, TLS1_3_VERSION); }));
    EXPECT_TRUE(shakes_hands([](SSL_CTX* c) { only(c, TLS1_2_VERSION); }));
    EXPECT_FALSE(shakes_hands([](SSL_CTX* c) { only(c, TLS1_1_VERSION); }));
    EXPECT_FALSE(shakes_hands([](SSL_CTX* c) { only(c, TLS1_VERSION); }));
    // Counted when the server has seen the alert, which is not when the client has sent it.
    await_connections(0);
    EXPECT_EQ(metric("chargifyd_tls_handshake_failures_total"), "2");
}

TEST_F(tls_test, uses_only_authenticated_encryption_with_forward_secrecy)
{
    const auto with_cipher = [this](const char* list) {
        return shakes_hands([list](SSL_CTX* c) {
            only(c, TLS1_2_VERSION);
            ASSERT_EQ(SSL_CTX_set_cipher_list(c, list), 1) << list;
        });
    };
    EXPECT_TRUE(with_cipher("ECDHE-ECDSA-AES128-GCM-SHA256"));
    EXPECT_TRUE(with_cipher("ECDHE-ECDSA-AES256-GCM-SHA384"));
    EXPECT_TRUE(with_cipher("ECDHE-ECDSA-CHACHA20-POLY1305"));
    EXPECT_FALSE(with_cipher("ECDHE-ECDSA-AES128-SHA256"));
    EXPECT_FALSE(with_cipher("ECDHE-ECDSA-AES128-SHA"));
    EXPECT_FALSE(with_cipher("ECDHE-ECDSA-AES128-CCM"));
    EXPECT_FALSE(with_cipher("AES128-GCM-SHA256"));
    EXPECT_FALSE(with_cipher("DHE-RSA-AES128-GCM-SHA256"));
}

TEST_F(tls_test, prefers_its_own_order)
{
    start();
    client c(server->https_addresses().at(0));
    ASSERT_TRUE(c.start_tls([](SSL_CTX* offer) {
        SSL_CTX_set_ciphersuites(offer, "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256");
    }));
    EXPECT_STREQ(SSL_get_cipher_name(c.tls()), "TLS_AES_128_GCM_SHA256");
}

TEST_F(tls_test, uses_three_groups)
{
    const auto with_group = [this](const char* group) {
        return shakes_hands(
            [group](SSL_CTX* c) { ASSERT_EQ(SSL_CTX_set1_groups_list(c, group), 1) << group; });
    };
    for (const char* group : {"X25519", "P-256", "P-384"})
        EXPECT_TRUE(with_group(group)) << group;
    for (const char* group : {"P-521", "X448", "ffdhe2048", "ffdhe8192"})
        EXPECT_FALSE(with_group(group)) << group;
}

TEST_F(tls_test, agrees_on_http_1_1_or_on_nothing)
{
    const auto with_protocols = [this](std::string_view offered) {
        return shakes_hands([offered](SSL_CTX* c) {
            SSL_CTX_set_alpn_protos(c, reinterpret_cast<const unsigned char*>(offered.data()),
                                    static_cast<unsigned>(offered.size()));
        });
    };
    EXPECT_TRUE(with_protocols("\x02h2\x08http/1.1"));
    EXPECT_FALSE(with_protocols("\x02h2"));
    start();
    client c(server->https_addresses().at(0));
    ASSERT_TRUE(c.start_tls([](SSL_CTX* offer) {
        SSL_CTX_set_alpn_protos(offer, reinterpret_cast<const unsigned char*>("\x02h2\x08http/1.1"), 12);
    }));
    const unsigned char* chosen = nullptr;
    unsigned length = 0;
    SSL_get0_alpn_selected(c.tls(), &chosen, &length);
    EXPECT_EQ(std::string_view(reinterpret_cast<const char*>(chosen), length), "http/1.1");
}

TEST_F(tls_test, does_not_renegotiate)
{
    start();
    client c(server->https_addresses().at(0));
    ASSERT_TRUE(c.start_tls([](SSL_CTX* offer) { only(offer, TLS1_2_VERSION); }));
    ASSERT_EQ(c.ask(test::get("/healthz")).status, 200U);
    ASSERT_EQ(SSL_renegotiate(c.tls()), 1);
    SSL_do_handshake(c.tls());
    // Refused with a warning the connection survives, or ended: never done.
    c.ask(test::get("/healthz"));
    EXPECT_NE(SSL_renegotiate_pending(c.tls()), 0);
}

TEST_F(tls_test, takes_no_early_data)
{
    start();
    auto c = https();
    ASSERT_EQ(c.ask(test::get("/healthz")).status, 200U);
    EXPECT_EQ(SSL_SESSION_get_max_early_data(SSL_get_session(c.tls())), 0U);
}

TEST_F(tls_test, ends_what_is_no_tls)
{
    start();
    client c(server->https_addresses().at(0));
    c.send(test::get("/healthz"));
    const auto rest = c.rest();
    ASSERT_TRUE(rest);
    EXPECT_EQ(rest->find("HTTP/1.1"), std::string::npos);
}

TEST_F(tls_test, says_farewell)
{
    start();
    auto c = https();
    EXPECT_EQ(c.ask(test::get("/healthz", "Connection: close\r\n")).status, 200U);
    EXPECT_TRUE(c.rest());
    EXPECT_NE(SSL_get_shutdown(c.tls()) & SSL_RECEIVED_SHUTDOWN, 0);
}

} // namespace
} // namespace chargifyd::ingress
