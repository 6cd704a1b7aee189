#include "temporary_directory.hpp"

#include "chargifyd/simulate/certificate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace chargifyd::simulate {
namespace {

using testing::ElementsAre;

/// A root, an intermediate and a server's certificate, made with openssl(1).
class certificate : public testing::Test {
protected:
    static void SetUpTestSuite()
    {
        folder_ = new test::temporary_directory;
        const std::string script =
            "cd '" + (*folder_ / "").string() +
            "' && k='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes' && "
            "openssl req -x509 $k -days 90 -subj /CN=root -keyout root.key -out root.pem && "
            "openssl req $k -subj /CN=middle -keyout middle.key -out middle.csr && "
            "printf 'basicConstraints=CA:TRUE\\n' > ca && "
            "openssl x509 -req -in middle.csr -CA root.pem -CAkey root.key -CAcreateserial -days 20 -extfile "
            "ca "
            "-out middle.pem && "
            "openssl req $k -subj /CN=server -keyout server.key -out server.csr && "
            "printf 'subjectAltName=DNS:hooks.example.com,IP:192.0.2.7\\n' > names && "
            "openssl x509 -req -in server.csr -CA middle.pem -CAkey middle.key -CAcreateserial -days 60 "
            "-extfile "
            "names -out server.pem";
        made_ = std::system(("{ " + script + "; } > /dev/null 2>&1").c_str()) == 0;
    }
    static void TearDownTestSuite()
    {
        delete folder_;
        folder_ = nullptr;
    }
    void SetUp() override { ASSERT_TRUE(made_) << "openssl failed"; }

    static std::string content(const std::string& name)
    {
        std::ostringstream all;
        all << std::ifstream(*folder_ / name, std::ios::binary).rdbuf();
        return all.str();
    }

    static inline test::temporary_directory* folder_ = nullptr;
    static inline bool made_ = false;
};

TEST_F(certificate, tells_what_a_client_sees)
{
    const auto facts = read_certificate(content("server.pem") + content("middle.pem"), content("server.key"));
    ASSERT_TRUE(facts) << facts.error().message;
    EXPECT_THAT(facts->names, ElementsAre("hooks.example.com", "192.0.2.7"));
    EXPECT_EQ(facts->issuer, "CN=middle");
    EXPECT_EQ(facts->chain, 2U);
    EXPECT_TRUE(facts->in_order);
    EXPECT_TRUE(facts->key_fits);
    EXPECT_FALSE(facts->self_signed);
    const auto left = facts->valid_until - std::chrono::system_clock::now();
    EXPECT_LT(left, std::chrono::days(21)) << "the intermediate expires first";
    EXPECT_GT(left, std::chrono::days(19));
}

TEST_F(certificate, sees_a_chain_out_of_order)
{
    const std::string server = content("server.pem");
    EXPECT_FALSE(read_certificate(server + content("root.pem"), content("server.key"))->in_order);
    EXPECT_TRUE(read_certificate(server + content("middle.pem") + content("root.pem"), content("server.key"))
                    ->in_order);
    EXPECT_FALSE(read_certificate(server + content("root.pem") + content("middle.pem"), content("server.key"))
                     ->in_order);
    EXPECT_FALSE(read_certificate(content("middle.pem") + server, content("server.key"))->key_fits);
}

TEST_F(certificate, sees_another_key_and_a_self_signed_one)
{
    EXPECT_FALSE(read_certificate(content("server.pem"), content("middle.key"))->key_fits);
    EXPECT_TRUE(read_certificate(content("root.pem"), content("root.key"))->self_signed);
}

TEST_F(certificate, refuses_what_is_none)
{
    EXPECT_EQ(read_certificate("nonsense", content("server.key")).error().code, errc::invalid);
    EXPECT_EQ(read_certificate(content("server.pem"), "").error().code, errc::invalid);
    EXPECT_EQ(read_certificate("", "").error().code, errc::invalid);
}

} // namespace
} // namespace chargifyd::simulate
