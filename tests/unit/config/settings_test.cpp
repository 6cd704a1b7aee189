#include "reading.hpp"

#include "chargifyd/config/settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace chargifyd::config {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;

TEST(settings, are_loaded_from_a_file)
{
    const reading r;
    const loaded out = load(r.dir.file("c.toml", "state_directory = \"state\"\n" + reading::valid()));
    EXPECT_THAT(reading::lines(out.mistakes), IsEmpty());
    EXPECT_EQ(out.value.state_directory, r.dir.path() / "state");
    EXPECT_EQ(out.value.ingress.http, std::vector<std::string>{"127.0.0.1:8080"});
}

TEST(settings, need_a_file_that_can_be_read)
{
    const folder dir;
    EXPECT_THAT(reading::lines(load(dir.path() / "none.toml").mistakes),
                ElementsAre("0 cannot be read: No such file or directory; name another file with --config"));
    EXPECT_THAT(reading::lines(load(dir.path()).mistakes),
                ElementsAre("0 cannot be read: Is a directory; name another file with --config"));
    EXPECT_THAT(reading::lines(load(dir.file("big.toml", std::string(2 * 1024 * 1024, '\n'))).mistakes),
                ElementsAre(StartsWith("0 is no configuration: ")));
}

TEST(settings, give_the_line_of_a_mistake_in_the_file)
{
    const reading r;
    const std::filesystem::path file = r.dir.file("c.toml", reading::valid("[log]\nlevel = \"loud\"\n"));
    const loaded out = load(file);
    ASSERT_EQ(out.mistakes.size(), 1U);
    EXPECT_EQ(format_mistake(file, out.mistakes[0]),
              file.string() +
                  ":7: log.level \"loud\" is not known; write \"debug\", \"info\", \"warning\" or \"error\"");
}

TEST(settings, format_a_mistake_of_the_whole_file_without_a_line)
{
    EXPECT_EQ(format_mistake("/etc/c.toml", {0, "is wrong"}), "/etc/c.toml: is wrong");
    EXPECT_EQ(format_mistake("/etc/c.toml", {12, "is wrong"}), "/etc/c.toml:12: is wrong");
}

TEST(settings, warn_when_everyone_may_read_keys_in_the_file)
{
    const reading r;
    EXPECT_THAT(
        reading::lines(load(r.dir.file("open.toml", reading::valid(), 0644)).warnings),
        ElementsAre(
            "0 holds shared keys and every user of this machine may read it; move the keys into files of "
            "their own, or chmod o-r it"));
    EXPECT_THAT(load(r.dir.file("closed.toml", reading::valid(), 0640)).warnings, IsEmpty());
    const std::string without =
        "ingress.http = [\"127.0.0.1:1\"]\n[[site]]\nname = \"a\"\nshared_key_files = [\"key\"]";
    EXPECT_THAT(load(r.dir.file("files.toml", without, 0644)).warnings, IsEmpty());
}

TEST(settings, hand_the_sites_to_the_server)
{
    const reading r;
    const std::vector<ingress::site> sites =
        r.parse(reading::valid("[[site]]\nname = \"other\"\nshared_keys = [\"a\", \"b\"]\n"))
            .value.ingress_sites();
    ASSERT_EQ(sites.size(), 2U);
    EXPECT_EQ(sites[0].name, "acme");
    EXPECT_EQ(sites[1].name, "other");
    const std::string body = "id=1";
    EXPECT_TRUE(sites[1].keys.verify(body, chargify::hmac_sha256("a", body)));
    EXPECT_TRUE(sites[1].keys.verify(body, chargify::hmac_sha256("b", body)));
    EXPECT_FALSE(sites[1].keys.verify(body, chargify::hmac_sha256("k3y", body)));
    EXPECT_TRUE(sites[0].keys.verify(body, chargify::hmac_sha256("k3y", body)));
}

} // namespace
} // namespace chargifyd::config
