#include "ingress/tls.hpp"

#include "chargifyd/base/file.hpp"
#include "chargifyd/base/log.hpp"
#include "chargifyd/base/secret.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <string>
#include <string_view>
#include <utility>

namespace chargifyd::ingress {
namespace {

struct free_openssl {
    void operator()(BIO* p) const noexcept { BIO_free(p); }
    void operator()(X509* p) const noexcept { X509_free(p); }
    void operator()(EVP_PKEY* p) const noexcept { EVP_PKEY_free(p); }
};
template <class T>
using owned = std::unique_ptr<T, free_openssl>;

/// The newest entry of OpenSSL's queue in words; empties the queue.
std::string openssl_reason()
{
    const auto code = ERR_peek_last_error();
    ERR_clear_error();
    const char* text = ERR_reason_error_string(code);
    return text != nullptr ? text : "unknown error";
}

error fault(const std::filesystem::path& file, const std::string& what)
{
    ERR_clear_error();
    return make_error(errc::invalid, file.string() + ": " + what);
}

/// An encrypted key would make OpenSSL ask on the terminal.
int no_passphrase(char*, int, int, void* asked)
{
    *static_cast<bool*>(asked) = true;
    return -1;
}

owned<BIO> reading(std::string_view bytes)
{
    return owned<BIO>(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
}

void warn_about_dates(const X509* certificate, const std::filesystem::path& file, timestamp now)
{
    auto at = std::chrono::system_clock::to_time_t(now);
    if (X509_cmp_time(X509_get0_notAfter(certificate), &at) < 0)
        log::warning("the certificate has expired", {{"file", file.string()}});
    if (X509_cmp_time(X509_get0_notBefore(certificate), &at) > 0)
        log::warning("the certificate is not valid yet", {{"file", file.string()}});
}

result<void> use_certificates(SSL_CTX* context, const std::filesystem::path& file, timestamp now)
{
    const auto bytes = read_small_file(file);
    if (!bytes)
        return bytes.error();
    const auto in = reading(*bytes);
    const owned<X509> own(PEM_read_bio_X509_AUX(in.get(), nullptr, nullptr, nullptr));
    if (!own)
        return fault(file, "no certificate in PEM form (-----BEGIN CERTIFICATE-----) at the beginning");
    if (SSL_CTX_use_certificate(context, own.get()) != 1)
        return fault(file, "the certificate cannot be used: " + openssl_reason());
    for (;;) {
        owned<X509> issuer(PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr));
        if (!issuer)
            break;
        if (SSL_CTX_add0_chain_cert(context, issuer.get()) != 1)
            return fault(file, "a certificate of the chain cannot be used: " + openssl_reason());
        static_cast<void>(issuer.release());
    }
    const auto end = ERR_peek_last_error();
    if (end != 0 && ERR_GET_REASON(end) != PEM_R_NO_START_LINE)
        return fault(file, "a certificate of the chain is damaged: " + openssl_reason());
    ERR_clear_error();
    warn_about_dates(own.get(), file, now);
    return {};
}

result<void> use_key(SSL_CTX* context, const tls_files& files)
{
    auto bytes = read_small_file(files.private_key);
    if (!bytes)
        return bytes.error();
    const secret wiped(std::move(*bytes));
    const auto in = reading(wiped.reveal());
    bool encrypted = false;
    const owned<EVP_PKEY> key(PEM_read_bio_PrivateKey(in.get(), nullptr, no_passphrase, &encrypted));
    if (encrypted)
        return fault(files.private_key,
                     "the private key is encrypted; store it without a passphrase, mode 0600");
    if (!key)
        return fault(files.private_key, "no private key in PEM form (-----BEGIN PRIVATE KEY-----)");
    if (X509_check_private_key(SSL_CTX_get0_certificate(context), key.get()) != 1)
        return fault(files.private_key,
                     "the private key does not fit the first certificate in " + files.certificate.string());
    if (SSL_CTX_use_PrivateKey(context, key.get()) != 1)
        return fault(files.private_key, "the private key cannot be used: " + openssl_reason());
    return {};
}

/// RFC 7301: when the client names protocols and HTTP/1.1 is not among them, the handshake has to fail.
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* length, const unsigned char* offered,
                    unsigned int offered_length, void*)
{
    static constexpr unsigned char ours[] = "\x08http/1.1";
    unsigned char* found = nullptr;
    if (SSL_select_next_proto(&found, length, ours, sizeof ours - 1, offered, offered_length) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *chosen = found;
    return SSL_TLSEXT_ERR_OK;
}

bool restrict_protocol(SSL_CTX* context)
{
    SSL_CTX_set_options(context,
                        SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    // What SSL_MODE_RELEASE_BUFFERS gives back is what makes an idle connection cheap.
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(context, 1);
    // Resumption by stateless tickets only: nothing is remembered here, so nothing can grow.
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
    return SSL_CTX_set_num_tickets(context, 1) == 1 && SSL_CTX_set_max_early_data(context, 0) == 1 &&
           SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
           SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1 &&
           SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:"
                                             "TLS_CHACHA20_POLY1305_SHA256") == 1 &&
           SSL_CTX_set1_groups_list(context, "X25519:P-256:P-384") == 1;
}

} // namespace

result<tls_context> load_tls(const tls_files& files, timestamp now)
{
    ERR_clear_error();
    tls_context context(SSL_CTX_new(TLS_server_method()), [](SSL_CTX* c) { SSL_CTX_free(c); });
    if (!context || !restrict_protocol(context.get()))
        return make_error(errc::io, "TLS cannot be set up: " + openssl_reason());
    if (auto used = use_certificates(context.get(), files.certificate, now); !used)
        return used.error();
    if (auto used = use_key(context.get(), files); !used)
        return used.error();
    return context;
}

std::optional<timestamp> expiry_of(const tls_context& context)
{
    const X509* const own = context ? SSL_CTX_get0_certificate(context.get()) : nullptr;
    std::tm when{};
    if (own == nullptr || ASN1_TIME_to_tm(X509_get0_notAfter(own), &when) != 1)
        return std::nullopt;
    return timestamp(std::chrono::seconds(::timegm(&when)));
}

} // namespace chargifyd::ingress
