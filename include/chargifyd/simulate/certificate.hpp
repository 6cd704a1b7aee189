#pragma once

#include "chargifyd/base/error.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

/// What a client will make of a certificate, read from its files.
namespace chargifyd::simulate {

struct certificate_facts {
    std::vector<std::string> names; ///< DNS names and addresses that it is for
    std::string issuer;
    std::chrono::sys_seconds valid_from{};
    std::chrono::sys_seconds valid_until{}; ///< of the whole chain: the first to expire
    std::size_t chain = 0;                  ///< certificates in the file
    bool self_signed = false;
    bool in_order = true; ///< each is signed by the one that follows
    bool key_fits = false;
};

/// From PEM texts: a chain, the server's own certificate first, and the private key. errc::invalid: one of
/// them cannot be read as such, with what to do.
result<certificate_facts> read_certificate(std::string_view chain, std::string_view private_key);

} // namespace chargifyd::simulate
