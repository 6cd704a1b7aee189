#pragma once

#include "chargifyd/ingress/webhook_server.hpp"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

namespace chargifyd::test {

/// A self-signed certificate for `name`, and its key, as PEM.
struct certificate {
    explicit certificate(const std::string& name, long from = -60, long until = 3600)
    {
        const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> pair(EVP_EC_gen("P-256"), EVP_PKEY_free);
        const std::unique_ptr<X509, decltype(&X509_free)> made(X509_new(), X509_free);
        X509_set_version(made.get(), 2);
        ASN1_INTEGER_set(X509_get_serialNumber(made.get()), 1);
        X509_gmtime_adj(X509_getm_notBefore(made.get()), from);
        X509_gmtime_adj(X509_getm_notAfter(made.get()), until);
        X509_set_pubkey(made.get(), pair.get());
        X509_NAME_add_entry_by_txt(X509_get_subject_name(made.get()), "CN", MBSTRING_UTF8,
                                   reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
        X509_set_issuer_name(made.get(), X509_get_subject_name(made.get()));
        X509_sign(made.get(), pair.get(), EVP_sha256());
        pem = written([&made](BIO* to) { PEM_write_bio_X509(to, made.get()); });
        key = written([&pair](BIO* to) {
            PEM_write_bio_PrivateKey(to, pair.get(), nullptr, nullptr, 0, nullptr, nullptr);
        });
        encrypted_key = written([&pair](BIO* to) {
            PEM_write_bio_PrivateKey(to, pair.get(), EVP_aes_128_cbc(), nullptr, 0, nullptr,
                                     const_cast<char*>("passphrase"));
        });
    }

    std::string pem;
    std::string key;
    std::string encrypted_key;

private:
    template <class F>
    static std::string written(F write)
    {
        const std::unique_ptr<BIO, decltype(&BIO_free)> to(BIO_new(BIO_s_mem()), BIO_free);
        write(to.get());
        char* bytes = nullptr;
        const long length = BIO_get_mem_data(to.get(), &bytes);
        return {bytes, static_cast<std::size_t>(length)};
    }
};

/// Writes both files; replaces what was there.
inline ingress::tls_files store(const certificate& what, const std::filesystem::path& directory)
{
    ingress::tls_files files{directory / "chain.pem", directory / "key.pem"};
    std::ofstream(files.certificate) << what.pem;
    std::ofstream(files.private_key) << what.key;
    return files;
}

} // namespace chargifyd::test
