#include "ctl/failure.hpp"
#include "ctl/sink.hpp"

#include <gtest/gtest.h>

#include <array>
#include <csignal>
#include <fcntl.h>
#include <unistd.h>

namespace chargifyd::ctl {
namespace {

TEST(sink, writes_in_order_once_flushed)
{
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe(ends.data()), 0);
    descriptor_sink to(ends[1]);
    to.write("one ");
    to.write("two");
    to.flush();
    to.flush();
    ::close(ends[1]);
    std::array<char, 64> got{};
    const ssize_t n = ::read(ends[0], got.data(), got.size());
    EXPECT_EQ(std::string_view(got.data(), static_cast<std::size_t>(n)), "one two");
    ::close(ends[0]);
}

TEST(sink, notices_that_the_reader_has_gone)
{
    const auto before = std::signal(SIGPIPE, SIG_IGN);
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe(ends.data()), 0);
    ::close(ends[0]);
    descriptor_sink to(ends[1]);
    to.write("x");
    EXPECT_THROW(to.flush(), reader_gone);
    ::close(ends[1]);
    std::signal(SIGPIPE, before);
}

TEST(sink, a_full_disk_is_a_failure)
{
    const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
    if (full < 0)
        GTEST_SKIP() << "no /dev/full";
    descriptor_sink to(full);
    to.write("x");
    EXPECT_THROW(to.flush(), failure);
    ::close(full);
}

} // namespace
} // namespace chargifyd::ctl
