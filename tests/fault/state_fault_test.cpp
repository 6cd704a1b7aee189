#include "history.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <ostream>
#include <string>
#include <tuple>

namespace chargifyd::test {
namespace {

using call = fault_vfs::call;

struct fault {
    const char* name;
    call what;
    int code;
};

void PrintTo(const fault& f, std::ostream* to)
{
    *to << f.name;
}

class state_fault : public testing::TestWithParam<std::tuple<fault, bool>> {};

/// What the daemon does from its start on, with its patience: a failed round is tried again.
void work(const history& h, const std::filesystem::path& file, fault_vfs& files)
{
    std::unique_ptr<state::sqlite_store> store;
    try {
        store = h.open(file);
    } catch (const std::exception&) {
        return; // the start failed: the next one comes from outside
    }
    const auto follower = h.follower(*store);
    for (int round = 0; round < 2; ++round) {
        try {
            static_cast<void>(follower->advance(h.end() / 2, {}));
            store->checkpoint(false);
            static_cast<void>(follower->advance(h.end(), {}));
            store->sync();
            store->checkpoint(true);
        } catch (const std::exception&) {
            follower->restart(); // as after every failure of a round
        }
    }
    files.heal();
    // The cause is gone: the same process goes on.
    const auto reached = follower->advance(h.end(), {});
    ASSERT_TRUE(reached) << reached.error().message;
    EXPECT_EQ(*reached, h.end());
    EXPECT_EQ(store->cursor(), h.end());
}

/// The call to fail after the `nth`: all of the first, then each a few per cent further. With
/// CHARGIFYD_EVERY_FAULT set, each.
std::size_t next_call(std::size_t nth)
{
    static const bool every = std::getenv("CHARGIFYD_EVERY_FAULT") != nullptr;
    return nth + 1 + (every ? 0 : nth / 24);
}

/// Fails the first call, the second, and so on, until none is left to fail.
TEST_P(state_fault, ends_in_the_rows_of_a_run_without_faults)
{
    const auto [which, for_ever] = GetParam();
    const history h(7);
    std::size_t failures = 0;
    for (std::size_t nth = 1;; nth = next_call(nth)) {
        SCOPED_TRACE("call " + std::to_string(nth));
        const temporary_directory folder;
        fault_vfs files;
        files.fail(which.what, nth, which.code, for_ever);
        work(h, folder / "state.db", files);
        files.heal();
        ASSERT_EQ(h.judge(folder / "state.db", 0, h.end()), "");
        if (!files.fired())
            break;
        ++failures;
        if (HasFatalFailure())
            return;
    }
    EXPECT_GT(failures, 0U) << "no such call is made";
}

const fault faults[] = {
    {"open", call::open, SQLITE_CANTOPEN},
    {"read", call::read, SQLITE_IOERR_READ},
    {"write", call::write, SQLITE_IOERR_WRITE},
    {"write_full", call::write, SQLITE_FULL},
    {"short_write", call::short_write, SQLITE_FULL},
    {"sync", call::sync, SQLITE_IOERR_FSYNC},
    {"truncate", call::truncate, SQLITE_IOERR_TRUNCATE},
    {"size", call::size, SQLITE_IOERR_FSTAT},
    {"lock", call::lock, SQLITE_IOERR_LOCK},
    {"shm_map", call::shm_map, SQLITE_IOERR_SHMMAP},
    {"shm_lock", call::shm_lock, SQLITE_IOERR_SHMLOCK},
};

INSTANTIATE_TEST_SUITE_P(every_call, state_fault,
                         testing::Combine(testing::ValuesIn(faults), testing::Bool()), [](const auto& made) {
                             return std::string(std::get<0>(made.param).name) +
                                    (std::get<1>(made.param) ? "_for_ever" : "_once");
                         });

} // namespace
} // namespace chargifyd::test
