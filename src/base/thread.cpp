#include "chargifyd/base/thread.hpp"

#include <sys/resource.h>
#include <unistd.h>

namespace chargifyd {

void give_way_to_answers(work_kind kind) noexcept
{
    // On Linux the nice value belongs to the thread.
    ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), static_cast<int>(kind));
}

} // namespace chargifyd
