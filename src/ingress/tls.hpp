#pragma once

#include "chargifyd/base/error.hpp"
#include "chargifyd/base/time.hpp"
#include "chargifyd/ingress/webhook_server.hpp"

#include <openssl/ssl.h>

#include <memory>
#include <optional>

/// Server-side TLS contexts. The only place that chooses protocols and ciphers.
namespace chargifyd::ingress {

/// Shared by the connections that were made with it. Immutable once loaded; any thread.
using tls_context = std::shared_ptr<SSL_CTX>;

struct free_tls_session {
    void operator()(SSL* session) const noexcept { SSL_free(session); }
};
using tls_session = std::unique_ptr<SSL, free_tls_session>;

/// TLS 1.2 and 1.3 with forward secrecy and authenticated encryption only, HTTP/1.1 by ALPN, no early data.
/// The error names the file and what is wrong with it. A certificate that `now` is outside of is a warning in
/// the log: an expired one still lets an operator see what goes on, and the sender decides.
result<tls_context> load_tls(const tls_files& files, timestamp now);

/// When the server's certificate of that context expires; nothing when it does not say.
std::optional<timestamp> expiry_of(const tls_context& context);

} // namespace chargifyd::ingress
