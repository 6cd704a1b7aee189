#include "config/files.hpp"
#include "folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <unistd.h>

namespace chargifyd::config {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(files, tells_whether_everyone_may_read)
{
    const folder dir;
    EXPECT_FALSE(check_readable(dir.file("a", "x", 0600))->open_to_all);
    EXPECT_FALSE(check_readable(dir.file("b", "x", 0640))->open_to_all);
    EXPECT_TRUE(check_readable(dir.file("c", "x", 0644))->open_to_all);
}

TEST(files, finds_what_the_service_manager_passes)
{
    const folder dir;
    EXPECT_EQ(named_file("/etc/x", "keys/a"), "/etc/x/keys/a");
    EXPECT_EQ(named_file("/etc/x", "/keys/a"), "/keys/a");
    ::unsetenv("CREDENTIALS_DIRECTORY");
    EXPECT_EQ(named_file("/etc/x", "credential:a"), "/run/credentials/chargifyd.service/a");
    ::setenv("CREDENTIALS_DIRECTORY", dir.path().c_str(), 1);
    EXPECT_EQ(named_file("/etc/x", "credential:a"), dir.path() / "a");
    ::unsetenv("CREDENTIALS_DIRECTORY");
    EXPECT_THAT(unreadable("credential:a", "No such file or directory"), HasSubstr("LoadCredential="));
}

TEST(files, gives_the_bare_reason_without_the_path)
{
    const folder dir;
    EXPECT_EQ(check_readable(dir.path() / "canary").error().message, "No such file or directory");
    EXPECT_EQ(check_readable(dir.path()).error().message, "Is a directory");
    EXPECT_EQ(check_readable(dir.file("file", "") / "below").error().message, "Not a directory");
    EXPECT_EQ(read_secret(dir.path() / "canary").error().message.find("canary"), std::string::npos);
}

TEST(files, knows_a_file_it_may_not_read)
{
    if (::geteuid() == 0)
        GTEST_SKIP() << "root may read everything";
    const folder dir;
    EXPECT_EQ(check_readable(dir.file("closed", "x", 0)).error().message, "Permission denied");
}

TEST(files, reads_a_key_without_the_white_space_around_it)
{
    const folder dir;
    EXPECT_EQ(read_secret(dir.file("a", "k3y"))->reveal(), "k3y");
    EXPECT_EQ(read_secret(dir.file("b", "k3y\n"))->reveal(), "k3y");
    EXPECT_EQ(read_secret(dir.file("c", " \tk3y \r\n\r\n"))->reveal(), "k3y");
    EXPECT_EQ(read_secret(dir.file("d", "two words\n"))->reveal(), "two words");
    EXPECT_TRUE(read_secret(dir.file("e", " \n"))->empty());
    EXPECT_TRUE(read_secret(dir.file("f", ""))->empty());
}

TEST(files, refuses_what_is_no_key)
{
    const folder dir;
    EXPECT_EQ(read_secret(dir.file("two", "one\ntwo\n")).error().message, "it has more than one line");
    EXPECT_EQ(read_secret(dir.file("mac", "one\rtwo")).error().message, "it has more than one line");
    EXPECT_TRUE(read_secret(dir.file("most", std::string(4096, 'k'))));
    EXPECT_FALSE(read_secret(dir.file("more", std::string(4097, 'k'))));
}

TEST(files, are_not_named_when_the_name_may_be_a_key)
{
    EXPECT_THAT(unreadable("hG7s0meSharedKey", "No such file"), Not(HasSubstr("hG7s0meSharedKey")));
    EXPECT_THAT(unreadable("keys/acme", "No such file"), HasSubstr("keys/acme"));
    EXPECT_THAT(unreadable("acme.key", "No such file"), HasSubstr("acme.key"));
}

TEST(files, trims_both_ends_only)
{
    EXPECT_EQ(trimmed(""), "");
    EXPECT_EQ(trimmed(" \t\r\n\v\f"), "");
    EXPECT_EQ(trimmed("a b"), "a b");
    EXPECT_EQ(trimmed("\n a b \n"), "a b");
}

} // namespace
} // namespace chargifyd::config
