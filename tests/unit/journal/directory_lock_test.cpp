#include "temporary_directory.hpp"

#include "chargifyd/journal/directory_lock.hpp"

#include <gtest/gtest.h>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace chargifyd::journal {
namespace {

mode_t mode_of(const std::filesystem::path& path)
{
    struct stat about {};
    EXPECT_EQ(::stat(path.c_str(), &about), 0);
    return about.st_mode & 07777;
}

TEST(directory_lock, makes_the_directory_and_says_who_holds_it)
{
    const test::temporary_directory root;
    const auto state = root / "state";
    EXPECT_EQ(directory_lock::holder(state), 0);
    const auto held = directory_lock::acquire(state);
    ASSERT_TRUE(held) << held.error().message;
    EXPECT_EQ(directory_lock::holder(state), ::getpid());
    EXPECT_EQ(mode_of(state) & 07, 0U);
    EXPECT_EQ(mode_of(state / "lock"), 0600U);
}

TEST(directory_lock, is_exclusive_also_within_the_process)
{
    const test::temporary_directory root;
    auto held = directory_lock::acquire(root.path());
    ASSERT_TRUE(held);
    const auto second = directory_lock::acquire(root.path());
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, errc::busy);
    EXPECT_EQ(second.error().message,
              root.path().string() + " is in use by process " + std::to_string(::getpid()));
    // The failed attempt and the question have not let go of it.
    EXPECT_EQ(directory_lock::holder(root.path()), ::getpid());
    EXPECT_FALSE(directory_lock::acquire(root.path()));
}

TEST(directory_lock, goes_with_its_object)
{
    const test::temporary_directory root;
    {
        auto held = directory_lock::acquire(root.path());
        ASSERT_TRUE(held);
        const directory_lock moved = std::move(*held);
        EXPECT_EQ(directory_lock::holder(root.path()), ::getpid());
    }
    EXPECT_EQ(directory_lock::holder(root.path()), 0);
    EXPECT_TRUE(directory_lock::acquire(root.path()));
}

TEST(directory_lock, is_given_up_when_the_process_dies)
{
    const test::temporary_directory root;
    int ready[2];
    ASSERT_EQ(::pipe(ready), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        const auto held = directory_lock::acquire(root.path());
        const char answer = held ? 'y' : 'n';
        if (::write(ready[1], &answer, 1) == 1)
            ::pause();
        ::_exit(1);
    }
    char answer = 0;
    ASSERT_EQ(::read(ready[0], &answer, 1), 1);
    EXPECT_EQ(answer, 'y');
    EXPECT_EQ(directory_lock::holder(root.path()), child);
    const auto refused = directory_lock::acquire(root.path());
    EXPECT_EQ(refused ? "" : refused.error().message,
              root.path().string() + " is in use by process " + std::to_string(child));
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    EXPECT_EQ(directory_lock::holder(root.path()), 0);
    EXPECT_TRUE(directory_lock::acquire(root.path()));
    ::close(ready[0]);
    ::close(ready[1]);
}

TEST(directory_lock, reports_a_directory_that_cannot_be_made)
{
    const test::temporary_directory root;
    const auto held = directory_lock::acquire(root / "missing" / "state");
    ASSERT_FALSE(held);
    EXPECT_EQ(held.error().code, errc::io);
}

} // namespace
} // namespace chargifyd::journal
