#pragma once

#include "chargifyd/base/error.hpp"

#include <stdexcept>
#include <string>

namespace chargifyd::ctl {

enum class exit_code {
    done = 0,
    failed = 1,
    usage = 2,     ///< wrong arguments, or mistakes in the configuration
    not_found = 3, ///< what was asked for does not exist
};

/// Ends a command. The message goes to stderr and says what is wrong and what to do.
class failure : public std::runtime_error {
public:
    failure(exit_code code, const std::string& message)
        : std::runtime_error(message)
        , code_(code)
    {}
    /// invalid is wrong usage, not_found is not_found, everything else failed.
    explicit failure(const error& e);

    exit_code code() const noexcept { return code_; }

private:
    exit_code code_;
};

/// The value, or the command ends.
template <class T>
T value_or_fail(result<T> r)
{
    if (!r)
        throw failure(r.error());
    return std::move(*r);
}

} // namespace chargifyd::ctl
