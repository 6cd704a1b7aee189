#include "chargifyd/chargify/sha256.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

namespace chargifyd::chargify {
namespace {

digest256 in_pieces_of(std::size_t length, std::string_view all)
{
    return sha256_of_pieces([=]() mutable {
        const auto piece = all.substr(0, length);
        all.remove_prefix(piece.size());
        return piece;
    });
}

TEST(sha256_of_pieces, is_that_of_the_whole)
{
    std::string text = "some text";
    text.push_back('\0');
    text += std::string(1000, '\xff');
    for (const std::size_t length : {1U, 7U, 64U, 5000U})
        EXPECT_EQ(in_pieces_of(length, text), sha256(text)) << length;
    EXPECT_EQ(in_pieces_of(1, ""), sha256(""));
}

TEST(sha256_of_pieces, ends_with_its_source)
{
    EXPECT_THROW(sha256_of_pieces([]() -> std::string_view { throw std::invalid_argument("gone"); }),
                 std::invalid_argument);
}

} // namespace
} // namespace chargifyd::chargify
