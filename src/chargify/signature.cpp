#include "chargifyd/chargify/signature.hpp"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>

namespace chargifyd::chargify {

namespace {

struct openssl_free {
    void operator()(EVP_MAC* p) const noexcept { EVP_MAC_free(p); }
    void operator()(EVP_MAC_CTX* p) const noexcept { EVP_MAC_CTX_free(p); }
    void operator()(EVP_MD* p) const noexcept { EVP_MD_free(p); }
    void operator()(EVP_MD_CTX* p) const noexcept { EVP_MD_CTX_free(p); }
};
template <class T>
using openssl_ptr = std::unique_ptr<T, openssl_free>;

const unsigned char* bytes_of(std::string_view text) noexcept
{
    // Never null, for OpenSSL takes a null key as "the one used before".
    static constexpr unsigned char nothing = 0;
    return text.empty() ? &nothing : reinterpret_cast<const unsigned char*>(text.data());
}

void require(bool done, const char* what)
{
    if (!done)
        throw std::runtime_error(std::string("OpenSSL cannot compute ") + what);
}

openssl_ptr<EVP_MAC_CTX> make_hmac_sha256()
{
    const openssl_ptr<EVP_MAC> algorithm(EVP_MAC_fetch(nullptr, OSSL_MAC_NAME_HMAC, nullptr));
    openssl_ptr<EVP_MAC_CTX> context(algorithm ? EVP_MAC_CTX_new(algorithm.get()) : nullptr);
    char digest[] = "SHA256";
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                                 OSSL_PARAM_construct_end()};
    require(context && EVP_MAC_CTX_set_params(context.get(), params) == 1, "HMAC-SHA-256");
    return context;
}

/// Hex of the digest of some texts one after another; nothing when this OpenSSL does not offer the algorithm.
std::string hex_digest(const char* algorithm, std::initializer_list<std::string_view> texts)
{
    const openssl_ptr<EVP_MD> digest(EVP_MD_fetch(nullptr, algorithm, nullptr));
    const openssl_ptr<EVP_MD_CTX> context(EVP_MD_CTX_new());
    bool done = digest && context && EVP_DigestInit_ex2(context.get(), digest.get(), nullptr) == 1;
    for (const std::string_view text : texts)
        done = done && EVP_DigestUpdate(context.get(), bytes_of(text), text.size()) == 1;
    unsigned char out[EVP_MAX_MD_SIZE];
    unsigned int length = 0;
    if (!done || EVP_DigestFinal_ex(context.get(), out, &length) != 1)
        return {};
    return to_hex(std::string_view(reinterpret_cast<const char*>(out), length));
}

struct keyed_context {
    openssl_ptr<EVP_MAC_CTX> context = make_hmac_sha256();
    std::optional<secret> key; ///< that the context has; nothing: it has none that is known
};

/// Looking the algorithm up costs more than a small body's HMAC, and setting the key a third of it, so each
/// thread keeps contexts with the keys that it used last: those of some sites, or of one whose key is being
/// changed.
EVP_MAC_CTX* context_of(std::string_view key)
{
    static thread_local std::array<keyed_context, 4> contexts;
    static thread_local std::size_t next = 0;
    for (const keyed_context& one : contexts) {
        const bool same = one.key && one.key->reveal().size() == key.size() &&
                          CRYPTO_memcmp(bytes_of(one.key->reveal()), bytes_of(key), key.size()) == 0;
        if (same)
            return one.context.get();
    }
    keyed_context& oldest = contexts[next++ % contexts.size()];
    oldest.key.reset();
    require(EVP_MAC_init(oldest.context.get(), bytes_of(key), key.size(), nullptr) == 1, "HMAC-SHA-256");
    oldest.key = secret(std::string(key));
    return oldest.context.get();
}

} // namespace

digest256 hmac_sha256(std::string_view key, std::string_view message)
{
    EVP_MAC_CTX* const context = context_of(key);
    digest256 out;
    std::size_t written = 0;
    // Without a key a context begins anew with the one that it has.
    require(EVP_MAC_init(context, nullptr, 0, nullptr) == 1 &&
                EVP_MAC_update(context, bytes_of(message), message.size()) == 1 &&
                EVP_MAC_final(context, out.data(), &written, out.size()) == 1 && written == out.size(),
            "HMAC-SHA-256");
    return out;
}

std::string legacy_md5_signature(std::string_view key, std::string_view body)
{
    return hex_digest("MD5", {key, body});
}

bool equal_constant_time(const digest256& a, const digest256& b) noexcept
{
    return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

verifier::verifier(std::vector<secret> keys)
    : keys_(std::move(keys))
{
    std::erase_if(keys_, [](const secret& key) { return key.empty(); });
}

std::optional<std::size_t> verifier::match(std::string_view body, const digest256& given) const
{
    std::size_t found = keys_.size();
    for (std::size_t i = 0; i < keys_.size(); ++i) {
        const bool matches = equal_constant_time(hmac_sha256(keys_[i].reveal(), body), given);
        found = matches ? i : found;
    }
    return found < keys_.size() ? std::optional(found) : std::nullopt;
}

std::string_view verifier::explain_mismatch(std::string_view body, const digest256& given) const
{
    const std::string text = to_hex(given);
    signature_fault found = signature_fault::wrong_key;
    for (const secret& key : keys_) {
        const signature_fault fault = diagnose_signature(key.reveal(), body, text);
        if (fault != signature_fault::wrong_key)
            found = fault;
    }
    return explain(found);
}

} // namespace chargifyd::chargify
