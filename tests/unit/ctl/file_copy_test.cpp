#include "ctl/failure.hpp"
#include "ctl/file_copy.hpp"
#include "temporary_directory.hpp"

#include "chargifyd/chargify/sha256.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <sys/stat.h>

namespace chargifyd::ctl {
namespace {

constexpr std::size_t mebibyte = 1024 * 1024;

class file_copy : public testing::Test {
protected:
    std::filesystem::path file(const std::string& name, const std::string& content)
    {
        const auto path = directory / name;
        std::ofstream(path, std::ios::binary) << content;
        return path;
    }
    static std::string content(const std::filesystem::path& path)
    {
        std::ostringstream all;
        all << std::ifstream(path, std::ios::binary).rdbuf();
        return all.str();
    }
    static std::string some_bytes(std::size_t count)
    {
        std::string bytes(count, '\0');
        for (std::size_t i = 0; i < count; ++i)
            bytes[i] = static_cast<char>(1 + i * 31 % 255);
        return bytes;
    }

    test::temporary_directory directory;
};

TEST_F(file_copy, copies_every_byte_for_the_owner_alone)
{
    const std::string bytes = some_bytes(2 * mebibyte + 17);
    const auto from = file("from", bytes);
    std::uint64_t copied = 0;
    copy_into(*open_for_reading(from), from, directory / "to", [&](std::uint64_t n) { copied += n; });
    EXPECT_TRUE(content(directory / "to") == bytes);
    EXPECT_EQ(copied, bytes.size());
    struct stat about {};
    ASSERT_EQ(::stat((directory / "to").c_str(), &about), 0);
    EXPECT_EQ(about.st_mode & 0777U, 0600U);
    EXPECT_EQ(open_for_reading(directory / "nothing"), nullptr);
}

TEST_F(file_copy, a_growing_file_is_copied_up_to_its_zeros)
{
    for (const std::size_t written : {std::size_t{0}, std::size_t{1}, mebibyte - 1, mebibyte, mebibyte + 5}) {
        const std::string bytes = some_bytes(written) + std::string(3 * mebibyte, '\0');
        const auto from = file("from", bytes);
        const auto to = directory / ("to" + std::to_string(written));
        std::uint64_t copied = 0;
        copy_growing(*open_for_reading(from), from, to, [&](std::uint64_t n) { copied += n; });
        EXPECT_TRUE(content(to) == bytes) << written;
        EXPECT_EQ(copied, written);
    }
}

/// A file to which something is added each time it is read.
class growing final : public journal::file {
public:
    explicit growing(std::string bytes)
        : bytes_(std::move(bytes))
    {}
    int write_at(std::span<const char>, std::uint64_t) noexcept override { return EBADF; }
    int read_at(std::span<char> into, std::uint64_t offset, std::size_t* got) const noexcept override
    {
        *got = std::min(into.size(), bytes_.size() - std::min<std::size_t>(bytes_.size(), offset));
        std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset), *got, into.begin());
        bytes_[end_++] = 'n';
        return 0;
    }
    int sync() noexcept override { return 0; }
    int allocate(std::uint64_t) noexcept override { return EBADF; }
    int truncate(std::uint64_t) noexcept override { return EBADF; }
    int size(std::uint64_t* bytes) const noexcept override
    {
        *bytes = bytes_.size();
        return 0;
    }

private:
    mutable std::string bytes_;
    mutable std::size_t end_ = 1000;
};

TEST_F(file_copy, nothing_in_a_copy_is_newer_than_its_beginning)
{
    const growing from(some_bytes(1000) + std::string(mebibyte, '\0'));
    copy_growing(from, "from", directory / "to", [](std::uint64_t) {});
    // Looking for the end took two reads; what came while it was copied is not in it.
    EXPECT_TRUE(content(directory / "to") == some_bytes(1000) + "n" + std::string(mebibyte - 1, '\0'));
}

TEST_F(file_copy, names_what_failed)
{
    const auto from = file("from", "x");
    file("there", "");
    try {
        copy_into(*open_for_reading(from), from, directory / "there", [](std::uint64_t) {});
        FAIL();
    } catch (const failure& f) {
        EXPECT_NE(std::string(f.what()).find("there"), std::string::npos);
    }
}

TEST_F(file_copy, digests_are_those_of_sha256)
{
    for (const std::string& bytes : {std::string(), std::string("abc"), some_bytes(mebibyte + 3)})
        EXPECT_EQ(digest_of(file("x", bytes)), chargify::sha256(bytes));
    EXPECT_THROW(digest_of(directory / "nothing"), failure);
    std::uint64_t read = 0;
    digest_of(file("x", some_bytes(2 * mebibyte + 3)), [&read](std::uint64_t bytes) { read += bytes; });
    EXPECT_EQ(read, 2 * mebibyte + 3);
}

} // namespace
} // namespace chargifyd::ctl
