#include "chargifyd/simulate/certificate.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <memory>

namespace chargifyd::simulate {

namespace {

template <class T, void (*Free)(T*)>
struct free_with {
    void operator()(T* p) const noexcept { Free(p); }
};
void free_bio(BIO* b)
{
    BIO_free(b);
}
using bio_ptr = std::unique_ptr<BIO, free_with<BIO, free_bio>>;
using x509_ptr = std::unique_ptr<X509, free_with<X509, X509_free>>;
using key_ptr = std::unique_ptr<EVP_PKEY, free_with<EVP_PKEY, EVP_PKEY_free>>;
using names_ptr = std::unique_ptr<GENERAL_NAMES, free_with<GENERAL_NAMES, GENERAL_NAMES_free>>;

bio_ptr reading(std::string_view text)
{
    bio_ptr from(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
    if (!from)
        throw std::bad_alloc();
    return from;
}

/// A key that needs a passphrase cannot be used by a daemon: nobody is asked.
int no_passphrase(char*, int, int, void*)
{
    return -1;
}

std::vector<x509_ptr> read_chain(std::string_view text)
{
    const bio_ptr from = reading(text);
    std::vector<x509_ptr> chain;
    while (X509* const next = PEM_read_bio_X509(from.get(), nullptr, no_passphrase, nullptr))
        chain.emplace_back(next);
    ERR_clear_error(); // the end of the text is one
    return chain;
}

std::chrono::sys_seconds moment_of(const ASN1_TIME* time)
{
    std::tm parts{};
    if (ASN1_TIME_to_tm(time, &parts) != 1)
        return {};
    return std::chrono::sys_seconds(std::chrono::seconds(::timegm(&parts)));
}

std::string issuer_of(const X509* certificate)
{
    const bio_ptr into(BIO_new(BIO_s_mem()));
    if (!into)
        throw std::bad_alloc();
    X509_NAME_print_ex(into.get(), X509_get_issuer_name(certificate), 0, XN_FLAG_RFC2253);
    std::array<char, 256> text{};
    const int got = BIO_read(into.get(), text.data(), static_cast<int>(text.size()));
    return {text.data(), got > 0 ? static_cast<std::size_t>(got) : 0};
}

std::string address_text(const ASN1_OCTET_STRING* address)
{
    const unsigned char* const bytes = ASN1_STRING_get0_data(address);
    const int length = ASN1_STRING_length(address);
    std::string text;
    for (int i = 0; i < length; ++i)
        text += (i == 0 ? "" : length == 4 ? "." : ":") + std::to_string(bytes[i]);
    return length == 4 ? text : "an IPv6 address";
}

std::vector<std::string> names_of(const X509* certificate)
{
    const names_ptr all(
        static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
    std::vector<std::string> names;
    for (int i = 0; all && i < sk_GENERAL_NAME_num(all.get()); ++i) {
        const GENERAL_NAME* const name = sk_GENERAL_NAME_value(all.get(), i);
        if (name->type == GEN_DNS)
            names.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)),
                               static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName)));
        else if (name->type == GEN_IPADD)
            names.push_back(address_text(name->d.iPAddress));
    }
    return names;
}

bool signs(X509* issuer, X509* subject)
{
    const bool signed_by = X509_check_issued(issuer, subject) == X509_V_OK &&
                           X509_verify(subject, X509_get0_pubkey(issuer)) == 1;
    ERR_clear_error();
    return signed_by;
}

} // namespace

result<certificate_facts> read_certificate(std::string_view chain_text, std::string_view private_key)
{
    const std::vector<x509_ptr> chain = read_chain(chain_text);
    if (chain.empty())
        return make_error(errc::invalid, "holds no certificate in PEM form");
    const key_ptr key(PEM_read_bio_PrivateKey(reading(private_key).get(), nullptr, no_passphrase, nullptr));
    ERR_clear_error();
    if (!key)
        return make_error(errc::invalid, "the private key is not in PEM form, or needs a passphrase");
    certificate_facts facts;
    facts.chain = chain.size();
    facts.names = names_of(chain.front().get());
    facts.issuer = issuer_of(chain.front().get());
    facts.valid_from = moment_of(X509_get0_notBefore(chain.front().get()));
    facts.valid_until = moment_of(X509_get0_notAfter(chain.front().get()));
    for (const x509_ptr& c : chain)
        facts.valid_until = std::min(facts.valid_until, moment_of(X509_get0_notAfter(c.get())));
    facts.self_signed = signs(chain.front().get(), chain.front().get());
    for (std::size_t i = 0; i + 1 < chain.size(); ++i)
        facts.in_order = facts.in_order && signs(chain[i + 1].get(), chain[i].get());
    facts.key_fits = X509_check_private_key(chain.front().get(), key.get()) == 1;
    ERR_clear_error();
    return facts;
}

} // namespace chargifyd::simulate
