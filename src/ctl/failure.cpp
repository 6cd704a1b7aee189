#include "ctl/failure.hpp"

namespace chargifyd::ctl {

namespace {

exit_code code_of(errc e) noexcept
{
    switch (e) {
    case errc::invalid:
        return exit_code::usage;
    case errc::not_found:
        return exit_code::not_found;
    case errc::busy:
    case errc::unavailable:
    case errc::corrupt:
    case errc::io:
        return exit_code::failed;
    }
    return exit_code::failed;
}

} // namespace

failure::failure(const error& e)
    : failure(code_of(e.code), e.message)
{}

} // namespace chargifyd::ctl
