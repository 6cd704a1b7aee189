#include "config/sites.hpp"
#include "reading.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace chargifyd::config {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// A listener, then `sites` from line 2 on.
std::string with(const std::string& sites)
{
    return "ingress.http = [\"127.0.0.1:8080\"]\n" + sites;
}

TEST(sites, read_their_keys_from_files_and_from_the_text)
{
    const reading r;
    const loaded out = r.parse(with("[[site]]\nname = \"acme\"\nshared_key_files = [\"key\", \"" +
                                    (r.dir.path() / "key2").string() +
                                    "\"]\nshared_keys = [\"third\"]\n"
                                    "[[site]]\nname = \"acme-2\"\nshared_keys = [\"fourth\"]\n"));
    EXPECT_THAT(reading::lines(out.mistakes), IsEmpty());
    ASSERT_EQ(out.value.sites.size(), 2U);
    EXPECT_EQ(out.value.sites[0].name, "acme");
    ASSERT_EQ(out.value.sites[0].shared_keys.size(), 3U);
    EXPECT_EQ(out.value.sites[0].shared_keys[0].reveal(), "k3y-of-acme");
    EXPECT_EQ(out.value.sites[0].shared_keys[1].reveal(), "other-k3y");
    EXPECT_EQ(out.value.sites[0].shared_keys[2].reveal(), "third");
    EXPECT_EQ(out.value.sites[1].name, "acme-2");
    EXPECT_THAT(out.value.effective, Contains("site.acme.shared_keys = (set)"));
    EXPECT_THAT(out.value.effective, Contains("site.acme-2.shared_key_files = []  # default"));
}

TEST(sites, are_needed)
{
    const reading r;
    EXPECT_THAT(r.mistakes(with("")),
                ElementsAre("0 no site is configured; add a [[site]] table with name and shared_key_files"));
    EXPECT_THAT(
        r.mistakes(with("[site]\nname = \"acme\"")),
        ElementsAre("2 site must be written [[site]], with two pairs of brackets, once for each site"));
    EXPECT_THAT(
        r.mistakes("site = 3\n" + with("")),
        ElementsAre("1 site must be written [[site]], with two pairs of brackets, once for each site"));
    EXPECT_THAT(
        r.mistakes("site = []\n" + with("")),
        ElementsAre("1 site must be written [[site]], with two pairs of brackets, once for each site"));
}

TEST(sites, need_a_name_and_a_key)
{
    const reading r;
    EXPECT_THAT(
        r.mistakes(with("[[site]]\n")),
        ElementsAre("2 site.name is missing; write the site's Chargify subdomain",
                    "2 site.shared_key_files is missing; name the file that holds the site's Shared Key"));
    EXPECT_THAT(r.mistakes(with("[[site]]\nname = 5\nshared_keys = [\"k\"]\n")),
                ElementsAre("3 site.name must be a text, not a whole number; write it in double quotes"));
    EXPECT_THAT(
        r.mistakes(with("[[site]]\nname = \"acme\"\nshared_keys = []\n")),
        ElementsAre("2 site.shared_key_files is missing; name the file that holds the site's Shared Key"));
}

TEST(sites, have_names_that_can_be_subdomains)
{
    for (const char* good : {"a", "acme", "acme-sandbox", "4cme", "a--b"})
        EXPECT_EQ(site_name_problem(good), "") << good;
    EXPECT_EQ(site_name_problem(std::string(63, 'a')), "");
    EXPECT_THAT(site_name_problem(std::string(64, 'a')), HasSubstr("at most 63"));
    EXPECT_THAT(site_name_problem(""), HasSubstr("is empty"));
    EXPECT_EQ(site_name_problem("Acme-EU"), "has upper-case letters; write \"acme-eu\"");
    EXPECT_THAT(site_name_problem("acme.chargify.com"), HasSubstr("without \".chargify.com\""));
    for (const char* bad : {"-acme", "acme-", "ac_me", "ac me", "acme/", "\xc3\xa4", "a\nb"})
        EXPECT_THAT(site_name_problem(bad), HasSubstr("is not a subdomain")) << bad;
}

TEST(sites, say_which_name_is_wrong)
{
    const reading r;
    EXPECT_THAT(r.mistakes(with("[[site]]\nname = \"Acme\"\nshared_keys = [\"k\"]\n")),
                ElementsAre("3 site.name \"Acme\" has upper-case letters; write \"acme\""));
}

TEST(sites, have_different_names)
{
    const reading r;
    EXPECT_THAT(
        r.mistakes(with("[[site]]\nname = \"acme\"\nshared_keys = [\"a\"]\n"
                        "[[site]]\nname = \"acme\"\nshared_keys = [\"b\"]\n")),
        ElementsAre("6 site.name \"acme\" is configured twice; put the keys of both tables into one"));
}

TEST(sites, refuse_empty_and_repeated_keys)
{
    const reading r;
    r.dir.file("empty", "\n");
    EXPECT_THAT(
        r.mistakes(with("[[site]]\nname = \"acme\"\nshared_key_files = [\n\"empty\",\n\"key\",\n\"key\"\n]\n"
                        "shared_keys = [\n\"\",\n\"k3y-of-acme\"\n]")),
        ElementsAre("5 site.shared_key_files names an empty file, \"" + (r.dir.path() / "empty").string() +
                        "\"; put the site's Shared Key there",
                    "7 site.shared_key_files has a key that this site has already; remove one of the two",
                    "10 site.shared_keys has an empty key; put the site's Shared Key there",
                    "11 site.shared_keys has a key that this site has already; remove one of the two"));
}

TEST(sites, refuse_white_space_around_a_written_key)
{
    const reading r;
    EXPECT_THAT(
        r.mistakes(with("[[site]]\nname = \"acme\"\nshared_keys = [\"k3y\\n\", \" k3y\"]\n")),
        ElementsAre("4 site.shared_keys holds a key with white space around it; remove the white space",
                    "4 site.shared_keys holds a key with white space around it; remove the white space"));
}

TEST(sites, say_which_key_file_cannot_be_used)
{
    const reading r;
    r.dir.file("two.key", "a\nb\n");
    const std::string there = r.dir.path().string();
    EXPECT_THAT(
        r.mistakes(with("[[site]]\nname = \"acme\"\nshared_key_files = [\n\"" + there + "/none\",\n\"" +
                        there + "\",\n\"two.key\",\n\"k\",\n5\n]")),
        ElementsAre("5 site.shared_key_files \"" + there +
                        "/none\" cannot be used: No such file or directory; correct the path, the file or "
                        "its permissions",
                    "6 site.shared_key_files \"" + there +
                        "\" cannot be used: Is a directory; correct the path, the file or its permissions",
                    "7 site.shared_key_files \"two.key\" cannot be used: it has more than one line; correct "
                    "the path, the "
                    "file or its permissions",
                    "8 site.shared_key_files names a file that cannot be used: No such file or directory; "
                    "correct the "
                    "path, the file or its permissions",
                    "9 site.shared_key_files must hold texts, not a whole number; write [\"…\"]"));
}

TEST(sites, warn_of_a_key_file_that_everyone_may_read)
{
    const reading r;
    const std::string open = r.dir.file("open", "k3y", 0644).string();
    const std::string text = with("[[site]]\nname = \"acme\"\nshared_key_files = [\"open\"]\n");
    EXPECT_THAT(r.mistakes(text), IsEmpty());
    EXPECT_THAT(r.warnings(text),
                ElementsAre("4 site.shared_key_files names a file that every user of this machine may "
                            "read; chmod o-r \"" +
                            open + "\""));
}

TEST(sites, warn_of_a_key_shared_by_two)
{
    const reading r;
    const std::string text = with("[[site]]\nname = \"acme\"\nshared_keys = [\"a\"]\n"
                                  "[[site]]\nname = \"other\"\nshared_keys = [\"b\", \"a\"]\n");
    EXPECT_THAT(r.mistakes(text), IsEmpty());
    EXPECT_THAT(
        r.warnings(text),
        ElementsAre("6 site.shared_keys shares a key with site \"acme\"; each Chargify site has its own"));
}

TEST(sites, reject_bad_signatures_or_keep_them_apart)
{
    const reading r;
    const std::string site = "[[site]]\nname = \"acme\"\nshared_keys = [\"a\"]\non_bad_signature = ";
    EXPECT_THAT(r.mistakes(with(site + "\"reject\"")), IsEmpty());
    EXPECT_FALSE(r.parse(with(site + "\"reject\"")).value.sites.front().quarantines);
    EXPECT_THAT(r.mistakes(with(site + "\"quarantine\"")), IsEmpty());
    EXPECT_TRUE(r.parse(with(site + "\"quarantine\"")).value.sites.front().quarantines);
    EXPECT_THAT(r.mistakes(with(site + "\"ignore\"")),
                ElementsAre("5 site.on_bad_signature \"ignore\" is not known; set it to \"reject\" or "
                            "\"quarantine\""));
}

TEST(sites, know_their_keys)
{
    const reading r;
    EXPECT_THAT(
        r.mistakes(with("[[site]]\nname = \"acme\"\nshared_key = \"s3cret\"\nshared_keys = [\"a\"]\n")),
        ElementsAre("4 unknown key \"shared_key\" in [[site]]; did you mean shared_keys?"));
}

} // namespace
} // namespace chargifyd::config
