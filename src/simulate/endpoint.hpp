#pragma once

#include "chargifyd/base/error.hpp"

#include <string>
#include <string_view>

namespace chargifyd::simulate {

/// The parts of a webhook URL that connecting and the request line need.
struct endpoint {
    bool tls = false;
    bool numeric_host = false; ///< an IP literal: no SNI
    std::string host;          ///< without brackets
    std::string port;
    std::string host_header; ///< host as written, and the port when the URL names one
    /// Path and query as written, perhaps with `{signature_hmac_sha_256}` or `{signature}`, which Chargify
    /// replaces by the HMAC and by the legacy MD5 signature.
    std::string path;

    /// For messages: never holds the query, which may carry a signature.
    std::string name() const { return host_header; }
};

/// errc::invalid: not an absolute http or https URL, or one with a user name or a fragment.
result<endpoint> parse_endpoint(std::string_view url);

} // namespace chargifyd::simulate
