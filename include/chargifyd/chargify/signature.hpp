#pragma once

#include "chargifyd/base/digest.hpp"
#include "chargifyd/base/secret.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Chargify's webhook signature: lower-case hex HMAC-SHA-256 of the raw body, keyed with the Site Shared Key,
/// in `X-Chargify-Webhook-Signature-Hmac-Sha-256` (Chargify's webhook documentation, since 2013). It covers
/// the body alone: no header, no path and no time. The legacy `X-Chargify-Webhook-Signature` (MD5) is never
/// accepted.
namespace chargifyd::chargify {

inline constexpr std::string_view signature_header = "X-Chargify-Webhook-Signature-Hmac-Sha-256";
inline constexpr std::string_view legacy_signature_header = "X-Chargify-Webhook-Signature";
inline constexpr std::string_view webhook_id_header = "X-Chargify-Webhook-Id";

/// Any bytes, any length; any thread. Throws std::runtime_error when OpenSSL cannot work (out of memory, an
/// algorithm switched off by its configuration).
digest256 hmac_sha256(std::string_view key, std::string_view message);

/// The deprecated MD5 signature (hex of MD5 over key then body). Only to recognise it and to name the
/// mistake. Empty when OpenSSL has MD5 switched off.
std::string legacy_md5_signature(std::string_view key, std::string_view body);

/// Equal or not, in a time that does not depend on where the first difference stands.
bool equal_constant_time(const digest256& a, const digest256& b) noexcept;

/// The shared keys of one site, ready to verify with. Immutable; any thread.
class verifier {
public:
    /// `keys`: at least one, none empty (the configuration refuses others). An empty key verifies nothing.
    explicit verifier(std::vector<secret> keys);

    /// Whether `given` is the signature of `body` under any of the keys. Every key is tried in full, so the
    /// time does not tell which one matched.
    bool verify(std::string_view body, const digest256& given) const
    {
        return match(body, given).has_value();
    }
    /// As `verify`, and says which key it was: its place in the list.
    std::optional<std::size_t> match(std::string_view body, const digest256& given) const;
    std::size_t keys() const noexcept { return keys_.size(); }

    /// One sentence about why `given` is not the signature: `explain` of the most telling finding among the
    /// keys. Costs some fifty HMACs a key.
    std::string_view explain_mismatch(std::string_view body, const digest256& given) const;

private:
    std::vector<secret> keys_;
};

/// Why a signature does not match, as far as it can be told from key, body and signature.
enum class signature_fault {
    none,             ///< it matches
    malformed,        ///< not 64 hex digits
    legacy_md5,       ///< it is the MD5 of key and body: the wrong header was read
    trailing_newline, ///< matches when line ends are removed from, or added to, the end of the body
    reencoded_body,   ///< matches the body with its brackets or spaces encoded in another way
    plain_hash,       ///< SHA-256 without a key, or of key and body put together
    key_whitespace,   ///< matches when white space around the key is removed or added
    empty_key,        ///< signed with an empty key
    wrong_key,        ///< none of the above: another key (an API key, another site's) or another body
};

/// Tries the mistakes people make, most specific first: in the order above, but for a signature that is not
/// 64 digits, which is looked at as an MD5 before it is called malformed. An empty key matches nothing here
/// either. Computes some fifty HMACs and is not constant time: for operators, never for traffic.
signature_fault diagnose_signature(std::string_view key, std::string_view body, std::string_view given);

/// One sentence for a person: what is wrong and what to do.
std::string_view explain(signature_fault fault) noexcept;

} // namespace chargifyd::chargify
