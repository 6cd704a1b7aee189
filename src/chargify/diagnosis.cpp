#include "chargifyd/chargify/form.hpp"
#include "chargifyd/chargify/sha256.hpp"
#include "chargifyd/chargify/signature.hpp"

#include <algorithm>
#include <array>

namespace chargifyd::chargify {

namespace {

constexpr std::string_view white_space = " \t\r\n\v\f";
constexpr std::string_view line_ends = "\r\n";

std::string_view trim(std::string_view text, std::string_view what) noexcept
{
    const std::size_t first = text.find_first_not_of(what);
    if (first == std::string_view::npos)
        return {};
    return text.substr(first, text.find_last_not_of(what) - first + 1);
}

std::string joined(std::string_view a, std::string_view b)
{
    return std::string(a).append(b);
}

char to_lower(char c) noexcept
{
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_alphanumeric(char c) noexcept
{
    return (c >= '0' && c <= '9') || (to_lower(c) >= 'a' && to_lower(c) <= 'z');
}

std::string lower_case(std::string_view text)
{
    std::string out(text);
    std::ranges::transform(out, out.begin(), to_lower);
    return out;
}

/// How a library writes a form.
struct writing {
    bool bare_brackets; ///< in keys
    bool plus_for_space;
    bool lower_case_hex;
    std::string_view unreserved; ///< written as they are, beside letters and digits
};

/// As Chargify does; RFC 3986 (PHP, Ruby, Python, Go); encodeURIComponent; URLSearchParams.
constexpr std::array<std::string_view, 4> unreserved_sets{"-._!'()", "-._~", "-._~!'()*", "-._*"};

void append_encoded(std::string& out, std::string_view text, const writing& as, bool bare_brackets)
{
    const char* const digits = as.lower_case_hex ? "0123456789abcdef" : "0123456789ABCDEF";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (is_alphanumeric(c) || as.unreserved.find(c) != std::string_view::npos ||
            (bare_brackets && (c == '[' || c == ']'))) {
            out += c;
        } else if (c == ' ' && as.plus_for_space) {
            out += '+';
        } else {
            out += '%';
            out += digits[byte >> 4];
            out += digits[byte & 15];
        }
    }
}

/// The decoded pairs of a body, and the body written in another way.
class rewriter {
public:
    explicit rewriter(std::string_view body)
    {
        for (std::size_t at = 0; at <= body.size();) {
            const std::size_t end = std::min(body.find('&', at), body.size());
            const std::string_view raw = body.substr(at, end - at);
            const std::size_t equals = raw.find('=');
            pairs_.push_back({decode(raw.substr(0, equals)), equals != std::string_view::npos,
                              equals == std::string_view::npos ? "" : decode(raw.substr(equals + 1))});
            at = end + 1;
        }
    }

    std::string write(const writing& as) const
    {
        std::string out;
        for (const pair& p : pairs_) {
            if (&p != &pairs_.front())
                out += '&';
            append_encoded(out, p.key, as, as.bare_brackets);
            if (p.has_value)
                out += '=';
            append_encoded(out, p.value, as, false);
        }
        return out;
    }

    /// As some frameworks show it: nothing encoded at all.
    std::string decoded() const
    {
        std::string out;
        for (const pair& p : pairs_) {
            if (&p != &pairs_.front())
                out += '&';
            out.append(p.key).append(p.has_value ? "=" : "").append(p.value);
        }
        return out;
    }

private:
    struct pair {
        std::string key;
        bool has_value;
        std::string value;
    };

    static int hex_value(char c) noexcept
    {
        static constexpr std::string_view digits = "0123456789abcdef";
        const std::size_t found = digits.find(to_lower(c));
        return found == std::string_view::npos ? -1 : static_cast<int>(found);
    }

    /// Tolerant: an escape that is none stays as it is.
    static std::string decode(std::string_view text)
    {
        std::string out;
        for (std::size_t at = 0; at < text.size(); ++at) {
            const bool whole = text[at] == '%' && text.size() - at > 2;
            const int high = whole ? hex_value(text[at + 1]) : -1;
            const int low = whole ? hex_value(text[at + 2]) : -1;
            if (high >= 0 && low >= 0) {
                out += static_cast<char>(high * 16 + low);
                at += 2;
            } else {
                out += text[at] == '+' ? ' ' : text[at];
            }
        }
        return out;
    }

    std::vector<pair> pairs_;
};

class diagnosis {
public:
    diagnosis(std::string_view key, std::string_view body, const digest256& given)
        : key_(key)
        , body_(body)
        , given_(given)
    {}

    signature_fault find() const
    {
        if (!key_.empty() && signs(key_, body_))
            return signature_fault::none;
        if (!key_.empty() && signs_other_line_end())
            return signature_fault::trailing_newline;
        if (!key_.empty() && signs_other_writing())
            return signature_fault::reencoded_body;
        if (sha256(body_) == given_ || sha256(joined(key_, body_)) == given_ ||
            sha256(joined(body_, key_)) == given_)
            return signature_fault::plain_hash;
        if (signed_by_similar_key())
            return signature_fault::key_whitespace;
        if (signs({}, body_))
            return signature_fault::empty_key;
        return signature_fault::wrong_key;
    }

private:
    bool signs(std::string_view key, std::string_view body) const { return hmac_sha256(key, body) == given_; }

    bool signs_other_line_end() const
    {
        const std::string_view bare = body_.substr(0, body_.find_last_not_of(line_ends) + 1);
        return signs(key_, bare) || signs(key_, joined(bare, "\n")) || signs(key_, joined(bare, "\r\n")) ||
               signs(key_, joined(body_, "\n")) || signs(key_, joined(body_, "\r\n"));
    }

    bool signs_other_writing() const
    {
        const rewriter pairs(body_);
        if (signs(key_, pairs.decoded()))
            return true;
        for (const std::string_view unreserved : unreserved_sets)
            for (const unsigned bits : {0U, 1U, 2U, 3U, 4U, 5U, 6U, 7U})
                if (signs(key_, pairs.write({(bits & 1) == 0, (bits & 2) != 0, (bits & 4) != 0, unreserved})))
                    return true;
        return false;
    }

    bool signed_by_similar_key() const
    {
        const std::string_view bare = trim(key_, white_space);
        if (bare.empty())
            return false;
        if (signs(bare, body_) || signs(trim(key_, line_ends), body_))
            return true;
        for (const std::string_view around : {"\n", "\r\n", "\r", " ", "\t"})
            if (signs(joined(bare, around), body_) || signs(joined(around, bare), body_))
                return true;
        return false;
    }

    std::string_view key_;
    std::string_view body_;
    const digest256& given_;
};

} // namespace

signature_fault diagnose_signature(std::string_view key, std::string_view body, std::string_view given)
{
    if (const auto digest = parse_digest(given))
        return diagnosis(key, body, *digest).find();
    // An MD5 is not 64 digits either: it is looked for before the signature is called malformed.
    const std::string legacy = legacy_md5_signature(key, body);
    return !legacy.empty() && lower_case(given) == legacy ? signature_fault::legacy_md5
                                                          : signature_fault::malformed;
}

std::string_view explain(signature_fault fault) noexcept
{
    switch (fault) {
    case signature_fault::none:
        return "The signature matches.";
    case signature_fault::malformed:
        return "The signature is not 64 hex digits: take the whole value of "
               "X-Chargify-Webhook-Signature-Hmac-Sha-256, without quotes or spaces.";
    case signature_fault::legacy_md5:
        return "This is the deprecated MD5 signature: read X-Chargify-Webhook-Signature-Hmac-Sha-256 instead "
               "of "
               "X-Chargify-Webhook-Signature.";
    case signature_fault::trailing_newline:
        return "The body gained or lost a line end: Chargify's bodies have none, so pass them on byte for "
               "byte "
               "(an editor or echo adds one; use printf or a file).";
    case signature_fault::reencoded_body:
        return "The body was decoded and encoded again, by a framework or proxy: sign and verify the raw "
               "bytes as "
               "they were received.";
    case signature_fault::plain_hash:
        return "This is a plain SHA-256, not an HMAC: compute HMAC-SHA-256 with the shared key as its key.";
    case signature_fault::key_whitespace:
        return "The key differs by white space at its start or end: remove it from where the key is kept.";
    case signature_fault::empty_key:
        return "This was signed with an empty key: the sender's shared key is not set.";
    case signature_fault::wrong_key:
        return "Another key or another body was signed: use the Site Shared Key of this site (not an API "
               "key), and "
               "the body exactly as it was received.";
    }
    return {};
}

} // namespace chargifyd::chargify
