#include "journal/format.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace chargifyd::journal::format {
namespace {

std::string_view view(const header_block& block)
{
    return {block.data(), block.size()};
}

segment_header example_segment()
{
    segment_header header;
    header.first_sequence = 1;
    header.created_at = timestamp(std::chrono::microseconds(1'767'225'600'000'000));
    for (std::size_t i = 0; i < header.id.size(); ++i)
        header.id[i] = static_cast<unsigned char>(0x10 + i);
    header.salt = 0x8877665544332211;
    return header;
}

record_view example_record()
{
    record_view record;
    record.sequence = 1;
    record.received_at = timestamp(std::chrono::microseconds(1'767'225'601'250'000));
    for (std::size_t i = 0; i < record.fingerprint.size(); ++i)
        record.fingerprint[i] = static_cast<unsigned char>(0xa0 + i);
    record.site = "acme";
    record.peer = "192.0.2.7";
    record.body = "id=1&event=test";
    return record;
}

/// The segment of docs/journal-format.md: header, one batch with one record, seal.
std::string example()
{
    const segment_header segment = example_segment();
    std::vector<char> records;
    append_record(records, example_record());
    batch_header batch;
    batch.bytes = static_cast<std::uint32_t>(header_bytes + records.size());
    batch.first_sequence = 1;
    batch.count = 1;
    batch.offset = header_bytes;
    batch.durable = header_bytes;
    batch.written_at = timestamp(std::chrono::microseconds(1'767'225'601'250'100));
    batch.payload_checksum = checksum({records.data(), records.size()});
    batch_header seal;
    seal.bytes = header_bytes;
    seal.first_sequence = 2;
    seal.kind = batch_kind::seal;
    seal.offset = batch.end_offset();
    seal.durable = batch.end_offset();
    seal.written_at = timestamp(std::chrono::microseconds(1'767'225'700'000'000));
    seal.payload_checksum = checksum({});
    std::string bytes(view(encode(segment)));
    bytes += view(encode(batch, segment.salt));
    bytes.append(records.data(), records.size());
    bytes += view(encode(seal, segment.salt));
    return bytes;
}

/// The lines "00000010  43 48 …" of a page, as bytes.
std::string hex_dump_in(const std::string& page)
{
    std::ifstream in(page);
    EXPECT_TRUE(in.is_open()) << page;
    std::string bytes;
    for (std::string line; std::getline(in, line);) {
        std::istringstream words(line);
        std::string word;
        words >> word;
        if (word.size() != 8 || word.find_first_not_of("0123456789abcdef") != std::string::npos)
            continue;
        EXPECT_EQ(std::stoul(word, nullptr, 16), bytes.size()) << line;
        while (words >> word)
            bytes += static_cast<char>(std::stoi(word, nullptr, 16));
    }
    return bytes;
}

std::string dump(const std::string& bytes)
{
    std::ostringstream out;
    out << std::hex << std::setfill('0');
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        if (i % 16 == 0)
            out << (i > 0 ? "\n" : "") << std::setw(8) << i << ' ';
        out << ' ' << std::setw(2) << int{static_cast<unsigned char>(bytes[i])};
    }
    return out.str();
}

TEST(format, is_what_the_page_about_it_says_byte_for_byte)
{
    const std::string documented = hex_dump_in(CHARGIFYD_DOCS "/journal-format.md");
    EXPECT_EQ(dump(documented), dump(example()));
}

TEST(format, reads_back_a_segment_header)
{
    const segment_header written = example_segment();
    const auto read = decode_segment_header(view(encode(written)));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->version, 1U);
    EXPECT_EQ(read->first_sequence, written.first_sequence);
    EXPECT_EQ(read->created_at, written.created_at);
    EXPECT_EQ(read->id, written.id);
    EXPECT_EQ(read->salt, written.salt);
}

batch_header example_batch()
{
    batch_header batch;
    batch.bytes = 1024;
    batch.first_sequence = 77;
    batch.count = 3;
    batch.offset = 4096;
    batch.durable = 2048;
    batch.written_at = timestamp(std::chrono::microseconds(-5));
    batch.payload_checksum = 99;
    return batch;
}

TEST(format, reads_back_a_batch_header)
{
    const batch_header written = example_batch();
    const auto read = decode_batch_header(view(encode(written, 5)), 5, 4096);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->bytes, 1024U);
    EXPECT_EQ(read->end_sequence(), 80U);
    EXPECT_EQ(read->kind, batch_kind::data);
    EXPECT_EQ(read->end_offset(), 5120U);
    EXPECT_EQ(read->durable, 2048U);
    EXPECT_EQ(read->written_at, written.written_at);
    EXPECT_EQ(read->payload_checksum, 99U);
}

TEST(format, a_batch_header_belongs_to_its_segment_and_its_offset)
{
    const header_block block = encode(example_batch(), 5);
    EXPECT_FALSE(decode_batch_header(view(block), 6, 4096));
    EXPECT_FALSE(decode_batch_header(view(block), 5, 4104));
}

TEST(format, refuses_batch_headers_that_contradict_themselves)
{
    const auto judged = [](const auto& change) {
        batch_header batch = example_batch();
        change(batch);
        return decode_batch_header(view(encode(batch, 5)), 5, batch.offset).has_value();
    };
    EXPECT_TRUE(judged([](batch_header&) {}));
    EXPECT_FALSE(judged([](batch_header& b) { b.count = 0; }));
    EXPECT_FALSE(judged([](batch_header& b) { b.bytes = 64; }));
    EXPECT_FALSE(judged([](batch_header& b) { b.bytes = 1028; }));
    EXPECT_FALSE(judged([](batch_header& b) { b.durable = 4104; }));
    EXPECT_FALSE(judged([](batch_header& b) { b.offset = b.durable = 56; }));
    EXPECT_FALSE(judged([](batch_header& b) { b.first_sequence = 0; }));
    EXPECT_FALSE(judged([](batch_header& b) { b.kind = batch_kind::seal; }));
    EXPECT_FALSE(judged([](batch_header& b) { b.kind = static_cast<batch_kind>(3); }));
}

TEST(format, reads_back_records_of_every_length)
{
    for (std::size_t length = 0; length < 40; ++length) {
        record_view written = example_record();
        const std::string body(length, '\0');
        written.body = body;
        written.site = "s";
        written.peer = "";
        std::vector<char> bytes;
        append_record(bytes, written);
        append_record(bytes, example_record());
        EXPECT_EQ(bytes.size() % alignment, 0U);
        EXPECT_EQ(bytes.size(), record_bytes(1 + length) + record_bytes(28));
        std::string_view rest(bytes.data(), bytes.size());
        const auto first = take_record(rest);
        const auto second = take_record(rest);
        ASSERT_TRUE(first && second) << length;
        EXPECT_EQ(first->body, body);
        EXPECT_EQ(first->site, "s");
        EXPECT_EQ(first->peer, "");
        EXPECT_EQ(second->sequence, 1U);
        EXPECT_EQ(second->received_at, example_record().received_at);
        EXPECT_EQ(second->fingerprint, example_record().fingerprint);
        EXPECT_EQ(second->site, "acme");
        EXPECT_EQ(second->peer, "192.0.2.7");
        EXPECT_EQ(second->body, "id=1&event=test");
        EXPECT_TRUE(rest.empty());
        EXPECT_FALSE(take_record(rest));
    }
}

/// Every changed bit and every shorter piece of `bytes` must be refused.
template <class Decode>
void expect_guarded(std::string bytes, const Decode& decode)
{
    ASSERT_TRUE(decode(bytes));
    for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
        bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
        EXPECT_FALSE(decode(bytes)) << "bit " << bit;
        bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
    }
    for (std::size_t length = 0; length < bytes.size(); ++length)
        EXPECT_FALSE(decode(bytes.substr(0, length))) << length;
}

TEST(format, notices_every_changed_bit)
{
    expect_guarded(std::string(view(encode(example_segment()))),
                   [](const std::string& b) { return decode_segment_header(b).has_value(); });
    expect_guarded(std::string(view(encode(example_batch(), 5))),
                   [](const std::string& b) { return decode_batch_header(b, 5, 4096).has_value(); });
    std::vector<char> record;
    append_record(record, example_record());
    expect_guarded(std::string(record.begin(), record.end()),
                   [](std::string_view b) { return take_record(b).has_value(); });
    const auto ends = encode(prologue{encode(example_segment()), encode(example_batch(), 5), 4096, 500});
    expect_guarded(std::string(ends.begin(), ends.end()),
                   [](const std::string& b) { return decode_prologue(b).has_value(); });
}

TEST(format, reads_back_a_prologue)
{
    const auto bytes = encode(prologue{encode(example_segment()), encode(example_batch(), 5), 4096, 500});
    const auto read = decode_prologue({bytes.data(), bytes.size()});
    ASSERT_TRUE(read);
    EXPECT_EQ(read->content_bytes, 4096U);
    EXPECT_EQ(read->file_bytes, 500U);
    EXPECT_EQ(decode_segment_header(view(read->first))->salt, example_segment().salt);
    EXPECT_TRUE(decode_batch_header(view(read->last), 5, 4096));
}

} // namespace
} // namespace chargifyd::journal::format
