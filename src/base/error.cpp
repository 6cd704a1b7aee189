#include "chargifyd/base/error.hpp"

#include <system_error>

namespace chargifyd {

error system_error(int errno_value, std::string what)
{
    what += ": ";
    what += std::generic_category().message(errno_value);
    return {errc::io, std::move(what)};
}

} // namespace chargifyd
