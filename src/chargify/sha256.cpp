#include "chargifyd/chargify/sha256.hpp"

#include <openssl/evp.h>

#include <memory>
#include <stdexcept>

namespace chargifyd::chargify {

namespace {

void require(bool done)
{
    if (!done)
        throw std::runtime_error("OpenSSL cannot compute SHA-256");
}

/// Looked up once.
const EVP_MD* algorithm()
{
    static const std::unique_ptr<EVP_MD, void (*)(EVP_MD*)> found(EVP_MD_fetch(nullptr, "SHA256", nullptr),
                                                                  EVP_MD_free);
    require(found != nullptr);
    return found.get();
}

} // namespace

digest256 sha256(std::string_view message)
{
    digest256 out;
    require(EVP_Digest(message.data(), message.size(), out.data(), nullptr, algorithm(), nullptr) == 1);
    return out;
}

digest256 sha256_of_pieces(const std::function<std::string_view()>& next)
{
    const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    require(context && EVP_DigestInit_ex2(context.get(), algorithm(), nullptr) == 1);
    for (std::string_view piece = next(); !piece.empty(); piece = next())
        require(EVP_DigestUpdate(context.get(), piece.data(), piece.size()) == 1);
    digest256 out;
    require(EVP_DigestFinal_ex(context.get(), out.data(), nullptr) == 1);
    return out;
}

} // namespace chargifyd::chargify
