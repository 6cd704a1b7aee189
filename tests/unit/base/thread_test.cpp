#include "chargifyd/base/thread.hpp"

#include <gtest/gtest.h>

#include <sys/resource.h>
#include <thread>
#include <unistd.h>

namespace chargifyd {
namespace {

int nice_value()
{
    return ::getpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()));
}

TEST(thread, gives_way_alone)
{
    const int mine = nice_value();
    int applying = 0;
    int asking = 0;
    std::thread([&] {
        give_way_to_answers(work_kind::applying);
        applying = nice_value();
        give_way_to_answers(work_kind::asking);
        asking = nice_value();
    }).join();
    EXPECT_GT(applying, 0);
    EXPECT_GT(asking, applying);
    EXPECT_EQ(nice_value(), mine);
}

} // namespace
} // namespace chargifyd
