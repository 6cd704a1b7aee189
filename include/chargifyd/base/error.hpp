#pragma once

#include <boost/system/result.hpp>

#include <stdexcept>
#include <string>
#include <utility>

namespace chargifyd {

/// What kind of failure this is, for a caller that has to decide. The text is for a person.
enum class errc {
    invalid,     ///< the caller's input is wrong: a configuration, an argument, a file of another program
    not_found,   ///< the thing asked for does not exist
    busy,        ///< someone else holds it; try later
    unavailable, ///< the other side cannot be reached
    corrupt,     ///< stored bytes are not what was written
    io,          ///< the operating system refused or failed
};

/// An expected failure. `message` says what is wrong and what to do; it never holds a secret or personal
/// data.
struct error {
    errc code = errc::io;
    std::string message;
};

/// A value, or why there is none. Exceptions are kept for "this operation cannot go on".
template <class T>
using result = boost::system::result<T, error>;

/// Found by boost::system::result when `value()` is called on a failure.
[[noreturn]] inline void throw_exception_from_error(const error& e, const boost::source_location&)
{
    throw std::runtime_error(e.message);
}

inline error make_error(errc code, std::string message)
{
    return {code, std::move(message)};
}

/// "what: No such file or directory" for an errno value.
error system_error(int errno_value, std::string what);

} // namespace chargifyd
