#include "ctl/input.hpp"
#include "temporary_directory.hpp"

#include <gtest/gtest.h>

#include <fstream>

namespace chargifyd::ctl {
namespace {

std::filesystem::path file_with(const test::temporary_directory& in, const std::string& content)
{
    const auto path = in / "file";
    std::ofstream(path, std::ios::binary) << content;
    return path;
}

TEST(input, reads_every_byte)
{
    const test::temporary_directory directory;
    const std::string content("a\0\r\n\xff\n", 6);
    const auto read = read_input(file_with(directory, content));
    ASSERT_TRUE(read);
    EXPECT_EQ(*read, content);
}

TEST(input, says_which_file_is_missing)
{
    const auto read = read_input("/nonexistent/body");
    ASSERT_FALSE(read);
    EXPECT_NE(read.error().message.find("/nonexistent/body"), std::string::npos);
}

TEST(input, a_dash_is_standard_input)
{
    EXPECT_TRUE(is_standard_input("-"));
    EXPECT_TRUE(is_standard_input(""));
    EXPECT_FALSE(is_standard_input("./-"));
}

TEST(input, a_key_is_its_one_line)
{
    const test::temporary_directory directory;
    for (const char* content : {"secret key", "secret key\n", "secret key\r\n", "  secret key \n\n"}) {
        const auto key = read_key_file(file_with(directory, content));
        ASSERT_TRUE(key) << content;
        EXPECT_EQ(key->reveal(), "secret key");
    }
}

TEST(input, refuses_a_key_file_that_cannot_be_meant)
{
    const test::temporary_directory directory;
    for (const std::string& content :
         {std::string(), std::string(" \n"), std::string("hunter2\nhunter3\n"), std::string(5000, 'x')}) {
        const auto key = read_key_file(file_with(directory, content));
        ASSERT_FALSE(key);
        EXPECT_EQ(key.error().code, errc::invalid);
        EXPECT_EQ(key.error().message.find("hunter"), std::string::npos);
    }
}

} // namespace
} // namespace chargifyd::ctl
