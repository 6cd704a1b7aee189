#include "base/stderr_sink.hpp"

#include <gtest/gtest.h>
#include <spdlog/logger.h>

#include <algorithm>
#include <csignal>
#include <fcntl.h>
#include <memory>
#include <unistd.h>

namespace chargifyd::log {
namespace {

class stderr_sink_test : public ::testing::Test {
protected:
    void SetUp() override
    {
        ASSERT_EQ(::pipe2(ends_, O_CLOEXEC), 0);
        auto sink = std::make_shared<stderr_sink>(
            ends_[1], [](std::uint64_t lines) { return "lost " + std::to_string(lines); });
        logger_ = std::make_shared<spdlog::logger>("test", sink);
        logger_->set_pattern("%v");
    }
    void TearDown() override
    {
        ::close(ends_[0]);
        ::close(ends_[1]);
    }

    /// What is in the pipe now.
    std::string taken()
    {
        ::fcntl(ends_[0], F_SETFL, O_NONBLOCK);
        std::string all;
        char block[4096];
        for (ssize_t got = 0; (got = ::read(ends_[0], block, sizeof block)) > 0;)
            all.append(block, static_cast<std::size_t>(got));
        return all;
    }

    int ends_[2] = {-1, -1};
    std::shared_ptr<spdlog::logger> logger_;
};

TEST_F(stderr_sink_test, writes_lines)
{
    logger_->info("one");
    logger_->info(std::string(10'000, 'x'));
    EXPECT_EQ(taken(), "one\n" + std::string(10'000, 'x') + "\n");
}

TEST_F(stderr_sink_test, does_not_wait_for_a_reader_and_says_what_was_lost)
{
    for (int i = 0; i < 1000; ++i)
        logger_->info(std::string(1000, 'x'));
    const std::string before = taken();
    ASSERT_FALSE(before.empty());
    const auto whole = static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n'));
    logger_->info("after");
    EXPECT_EQ(taken(), (before.back() == '\n' ? "" : "\n") + std::string("lost ") +
                           std::to_string(1000 - whole) + "\nafter\n");
    logger_->info("and on");
    EXPECT_EQ(taken(), "and on\n");
}

TEST_F(stderr_sink_test, stands_a_reader_that_has_gone)
{
    ::signal(SIGPIPE, SIG_IGN);
    ::close(ends_[0]);
    logger_->info("one");
    ends_[0] = -1;
}

} // namespace
} // namespace chargifyd::log
