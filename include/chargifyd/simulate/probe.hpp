#pragma once

#include "chargifyd/base/error.hpp"

#include <chrono>
#include <string>

/// A look at a webhook port from outside.
namespace chargifyd::simulate {

struct probed {
    unsigned status = 0; ///< of GET /healthz
    std::string body;    ///< its first bytes
};

struct probe_options {
    bool tls = false;
    bool proxy_header = false; ///< begin as a proxy does that speaks for nobody
    std::chrono::milliseconds timeout{5000};
};

/// Connects to "address:port" (IPv6 in brackets; the address for all becomes loopback), with TLS accepts any
/// certificate, and asks for /healthz. errc::invalid: no such address. errc::unavailable: nobody listens
/// there, the handshake failed, or there was no answer; the message says which.
result<probed> probe(const std::string& address, const probe_options& with);

/// Whether the address could be bound now; what was bound is given back at once. errc::busy: another listens
/// there; errc::invalid: not an address, or not one of this machine; errc::unavailable: this user may not
/// bind that port.
result<void> try_to_bind(const std::string& address);

} // namespace chargifyd::simulate
