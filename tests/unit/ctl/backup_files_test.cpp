#include "ctl/backup_files.hpp"

#include <gtest/gtest.h>

namespace chargifyd::ctl {
namespace {

TEST(sums, come_back_as_they_were_written)
{
    digest256 digest{};
    digest[0] = 0xab;
    const std::vector<summed_file> files = {{"state.db", digest},
                                            {"journal/00000000000000000001.log.zst", {}},
                                            {"quarantine/00000000000000000001", digest},
                                            {"chargifyd.toml", {}}};
    const std::string text = format_sums(files);
    EXPECT_EQ(text.substr(0, 76), "ab" + std::string(62, '0') + "  state.db\n0");
    const auto read = parse_sums(text);
    ASSERT_TRUE(read);
    ASSERT_EQ(read->size(), files.size());
    for (std::size_t i = 0; i < files.size(); ++i) {
        EXPECT_EQ((*read)[i].path, files[i].path);
        EXPECT_EQ((*read)[i].digest, files[i].digest);
    }
}

TEST(sums, name_nothing_outside_a_backup)
{
    const std::string digest(64, '0');
    for (const char* path :
         {"../state.db", "/etc/passwd", "journal/../../x.log", "journal/x", "quarantine/..", "quarantine/.x",
          "quarantine/a/b", "lock", "", "state.db\r", "control.sock"}) {
        const auto read = parse_sums(digest + "  " + path + "\n");
        EXPECT_FALSE(read) << path;
    }
    for (const std::string& text : {digest + "  state.db", digest + " state.db\n", digest, std::string("\n"),
                                    std::string("zz  state.db\n"), digest.substr(1) + "  state.db\n"})
        EXPECT_EQ(parse_sums(text).error().code, errc::corrupt) << text;
}

} // namespace
} // namespace chargifyd::ctl
