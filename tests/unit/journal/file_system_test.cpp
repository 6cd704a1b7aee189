#include "temporary_directory.hpp"

#include "chargifyd/journal/file_system.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <sys/stat.h>

namespace chargifyd::journal {
namespace {

using mode = file_system::mode;

class real_files : public testing::Test {
protected:
    std::unique_ptr<file> open(const std::filesystem::path& path, mode how)
    {
        std::unique_ptr<file> opened;
        EXPECT_EQ(files_.open(path, how, &opened), 0);
        return opened;
    }
    static std::string read(const file& from, std::size_t count, std::uint64_t offset)
    {
        std::string bytes(count, '?');
        std::size_t got = 0;
        EXPECT_EQ(from.read_at(bytes, offset, &got), 0);
        bytes.resize(got);
        return bytes;
    }

    test::temporary_directory root_;
    file_system& files_ = real_file_system();
};

TEST_F(real_files, writes_and_reads_at_offsets)
{
    const auto made = open(root_ / "f", mode::create);
    EXPECT_EQ(made->write_at(std::string("world"), 6), 0);
    EXPECT_EQ(made->write_at(std::string("hello "), 0), 0);
    EXPECT_EQ(made->sync(), 0);
    EXPECT_EQ(read(*open(root_ / "f", mode::read), 100, 0), "hello world");
    EXPECT_EQ(read(*made, 3, 8), "rld");
    EXPECT_EQ(read(*made, 3, 99), "");
    struct stat about {};
    ASSERT_EQ(::stat((root_ / "f").c_str(), &about), 0);
    EXPECT_EQ(about.st_mode & 0777, 0600U);
}

TEST_F(real_files, opens_only_what_the_mode_says)
{
    std::unique_ptr<file> opened;
    EXPECT_EQ(files_.open(root_ / "f", mode::read, &opened), ENOENT);
    EXPECT_EQ(files_.open(root_ / "f", mode::write, &opened), ENOENT);
    const auto made = open(root_ / "f", mode::create);
    EXPECT_EQ(files_.open(root_ / "f", mode::create, &opened), EEXIST);
    EXPECT_NE(open(root_ / "f", mode::read)->write_at(std::string("x"), 0), 0);
    EXPECT_EQ(open(root_ / "f", mode::write)->write_at(std::string("x"), 0), 0);
}

TEST_F(real_files, allocates_zeros_and_keeps_what_is_there)
{
    const auto made = open(root_ / "f", mode::create);
    ASSERT_EQ(made->write_at(std::string("kept"), 0), 0);
    ASSERT_EQ(made->allocate(100000), 0);
    std::uint64_t size = 0;
    EXPECT_EQ(made->size(&size), 0);
    EXPECT_EQ(size, 100000U);
    EXPECT_EQ(read(*made, 100000, 0), "kept" + std::string(99996, '\0'));
    struct stat about {};
    ASSERT_EQ(::stat((root_ / "f").c_str(), &about), 0);
    EXPECT_GE(about.st_blocks * 512, 100000);
    EXPECT_EQ(made->truncate(2), 0);
    EXPECT_EQ(read(*made, 100, 0), "ke");
}

TEST_F(real_files, handles_names)
{
    const auto directory = root_ / "d";
    EXPECT_EQ(files_.make_directory(directory), 0);
    EXPECT_EQ(files_.make_directory(directory), 0);
    struct stat about {};
    ASSERT_EQ(::stat(directory.c_str(), &about), 0);
    EXPECT_EQ(about.st_mode & 0777, 0700U);
    open(directory / "b", mode::create);
    open(directory / "a", mode::create);
    EXPECT_EQ(files_.make_directory(directory / "a"), ENOTDIR);
    std::vector<std::string> names;
    EXPECT_EQ(files_.list(directory, &names), 0);
    EXPECT_EQ(names, (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(files_.rename(directory / "a", directory / "c"), 0);
    EXPECT_EQ(files_.remove(directory / "b"), 0);
    EXPECT_EQ(files_.remove(directory / "b"), ENOENT);
    EXPECT_EQ(files_.sync_directory(directory), 0);
    EXPECT_EQ(files_.sync_directory(root_ / "nowhere"), ENOENT);
    EXPECT_EQ(files_.list(directory, &names), 0);
    EXPECT_EQ(names, std::vector<std::string>{"c"});
    EXPECT_EQ(files_.list(root_ / "nowhere", &names), ENOENT);
    EXPECT_TRUE(names.empty());
}

TEST_F(real_files, knows_free_space)
{
    std::uint64_t bytes = 0;
    EXPECT_EQ(files_.free_bytes(root_.path(), &bytes), 0);
    EXPECT_GT(bytes, 0U);
    EXPECT_EQ(files_.free_bytes(root_ / "nowhere", &bytes), ENOENT);
}

} // namespace
} // namespace chargifyd::journal
