#include "journal/scan.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace chargifyd::journal {
namespace {

constexpr std::uint64_t salt = 7;

/// A segment in memory that notes how much was asked for at once.
class noting_source final : public source {
public:
    explicit noting_source(std::string bytes)
        : bytes_(std::move(bytes))
    {}

    result<std::size_t> read(std::span<char> into, std::uint64_t offset) override
    {
        largest_read = std::max(largest_read, into.size());
        return offset < bytes_.size() ? bytes_.copy(into.data(), into.size(), offset) : 0;
    }

    std::size_t largest_read = 0;

private:
    std::string bytes_;
};

format::segment_header segment_head()
{
    format::segment_header header;
    header.first_sequence = 1;
    header.salt = salt;
    return header;
}

/// A segment with one batch whose header says `declared` bytes, and `payload` behind it.
std::string segment(std::uint32_t declared, const std::string& payload)
{
    format::batch_header batch;
    batch.bytes = declared;
    batch.first_sequence = 1;
    batch.count = 1;
    batch.offset = batch.durable = format::header_bytes;
    batch.payload_checksum = format::checksum(payload);
    const auto first = format::encode(segment_head());
    const auto second = format::encode(batch, salt);
    return std::string(first.begin(), first.end()) + std::string(second.begin(), second.end()) + payload;
}

TEST(scan, reads_a_batch_of_any_size)
{
    for (const std::size_t size : {std::size_t{8}, std::size_t{65536 - 64}, std::size_t{65536},
                                   std::size_t{200'000}, std::size_t{5'000'000}}) {
        std::string payload(size, 'p');
        payload.back() = 'e';
        noting_source from(segment(static_cast<std::uint32_t>(format::header_bytes + size), payload));
        scanner scan(from, segment_head(), true);
        const auto found = scan.next();
        ASSERT_TRUE(found && *found == scanner::found::batch) << size;
        EXPECT_EQ(scan.payload(), payload);
    }
}

TEST(scan, takes_no_memory_for_bytes_that_are_not_there)
{
    noting_source from(segment(0xFFFFFFF8, "all there is"));
    scanner scan(from, segment_head(), true);
    const auto found = scan.next();
    ASSERT_TRUE(found && *found == scanner::found::damage);
    EXPECT_EQ(scan.why(), "the file ends within the batch");
    EXPECT_LE(from.largest_read, 128 * 1024U);
}

} // namespace
} // namespace chargifyd::journal
