#pragma once

#include "simulate/endpoint.hpp"

#include "chargifyd/base/secret.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace chargifyd::simulate {

inline constexpr std::string_view hmac_placeholder = "{signature_hmac_sha_256}";
inline constexpr std::string_view md5_placeholder = "{signature}";

/// Writes whole requests with the headers Chargify sends. Everything that does not vary is put together once.
/// Immutable; any thread.
class request_writer {
public:
    /// An empty key leaves the signature out.
    request_writer(const endpoint& to, secret key, bool keep_alive);

    /// Replaces `into` by the request: one buffer, to be sent by one write.
    void write(std::string& into, std::int64_t id, std::string_view body) const;

private:
    enum class signature_kind { none, hmac, md5 };
    /// A stretch of the request line, and what follows it.
    struct piece {
        std::string text;
        signature_kind then = signature_kind::none;
    };

    void add_path(std::string_view path);
    std::string signature(signature_kind kind, std::string_view body) const;

    secret key_;
    std::vector<piece> line_;
    std::string headers_; ///< from the end of the path to the value of the webhook's id
};

} // namespace chargifyd::simulate
