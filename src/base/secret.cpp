#include "chargifyd/base/secret.hpp"

#include <string.h>
#include <utility>

namespace chargifyd {

secret::secret(std::string bytes)
    : bytes_(bytes)
{
    ::explicit_bzero(bytes.data(), bytes.size());
}

secret::secret(const secret& other) = default;

secret::secret(secret&& other) noexcept
    : bytes_(other.bytes_)
{
    other.wipe();
}

secret& secret::operator=(secret other) noexcept
{
    bytes_.swap(other.bytes_);
    return *this;
}

secret::~secret()
{
    wipe();
}

void secret::wipe() noexcept
{
    // A short string lives inside the object, so moving leaves its bytes behind: always wipe in place.
    ::explicit_bzero(bytes_.data(), bytes_.size());
    bytes_.clear();
}

} // namespace chargifyd
