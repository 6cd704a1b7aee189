#include "ctl/progress.hpp"

#include <unistd.h>

namespace chargifyd::ctl {

progress_line::progress_line(std::ostream& to, std::string what)
    : to_(to)
    , what_(std::move(what))
    , terminal_(::isatty(STDERR_FILENO) == 1)
{}

progress_line::~progress_line()
{
    if (terminal_ && shown_ <= 100)
        to_ << '\r' << std::string(what_.size() + 8, ' ') << '\r' << std::flush;
}

void progress_line::show(std::uint64_t done, std::uint64_t total)
{
    const std::uint64_t percent = total == 0 ? 100 : done * 100 / total;
    if (!terminal_ || percent == shown_)
        return;
    shown_ = percent;
    to_ << '\r' << what_ << ' ' << percent << " % " << std::flush;
}

} // namespace chargifyd::ctl
