#include "history.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <set>
#include <string>

namespace chargifyd::test {
namespace {

/// Applies a history with power cuts at every sync and after every few writes, and returns what was wrong
/// with what they left. `lies`: files whose syncs the disk only pretends to do.
std::set<std::string> cut_the_power(std::uint64_t seed, const std::string& lies, std::size_t* cuts)
{
    const history h(23);
    const temporary_directory folder;
    fault_vfs files;
    files.ignore_syncs_of(lies);
    std::set<std::string> wrong;
    std::uint64_t synced = 0;
    std::uint64_t committed = 0;
    files.on_moment(
        [&] {
            const std::filesystem::path left = folder / ("left-" + std::to_string(++*cuts));
            files.power_loss(left, seed * 1'000'003 + *cuts);
            // A commit under way may be there already.
            if (const std::string why = h.judge(left / "state.db", synced, committed + 4); !why.empty())
                wrong.insert(why);
            std::filesystem::remove_all(left);
        },
        17);
    const auto store = h.open(folder / "state.db");
    const auto follower = h.follower(*store);
    for (std::uint64_t to = 4; committed < h.end(); to += 4) {
        const auto reached = follower->advance(std::min(to, h.end()), {});
        EXPECT_TRUE(reached);
        if (!reached)
            break;
        committed = *reached;
        if (to % 3 == 0) {
            store->sync();
            synced = committed;
        } else {
            store->checkpoint(to % 8 == 0);
        }
    }
    files.on_moment({}, 0);
    return wrong;
}

TEST(power_loss, leaves_a_state_that_the_journal_completes)
{
    std::size_t cuts = 0;
    for (std::uint64_t seed = 1; seed <= 4; ++seed)
        EXPECT_EQ(cut_the_power(seed, "", &cuts), std::set<std::string>()) << "seed " << seed;
    EXPECT_GT(cuts, 100U);
}

/// The same test on a disk that does not sync the write-ahead log has to notice.
TEST(power_loss, is_noticed_when_the_log_is_not_synced)
{
    std::size_t cuts = 0;
    std::size_t noticed = 0;
    for (std::uint64_t seed = 1; seed <= 4; ++seed)
        noticed += cut_the_power(seed, "-wal", &cuts).empty() ? 0 : 1;
    EXPECT_GT(noticed, 0U);
}

} // namespace
} // namespace chargifyd::test
