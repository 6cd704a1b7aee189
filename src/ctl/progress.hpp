#pragma once

#include <cstdint>
#include <ostream>
#include <string>

namespace chargifyd::ctl {

/// A percentage on stderr that is redrawn in place; nothing when stderr is not a terminal.
class progress_line {
public:
    progress_line(std::ostream& to, std::string what);
    ~progress_line();
    progress_line(const progress_line&) = delete;
    progress_line& operator=(const progress_line&) = delete;

    void show(std::uint64_t done, std::uint64_t total);

private:
    std::ostream& to_;
    std::string what_;
    bool terminal_;
    std::uint64_t shown_ = 101;
};

} // namespace chargifyd::ctl
