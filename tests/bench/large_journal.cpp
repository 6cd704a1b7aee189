#include "large_journal.hpp"

#include "journal/format.hpp"
#include "journal/names.hpp"
#include "journal/segment.hpp"

#include "chargifyd/chargify/sha256.hpp"
#include "chargifyd/simulate/body.hpp"
#include "chargifyd/state/sqlite_store.hpp"

#include <stdexcept>
#include <string>
#include <vector>

namespace chargifyd::bench {

namespace {

namespace format = journal::format;

constexpr std::uint64_t segment_bytes = 64 * 1024 * 1024;
constexpr std::uint64_t in_segment = 16'000;
constexpr std::uint64_t in_batch = 64;
constexpr std::uint64_t real_segments = 5; ///< opening reads the last 256 MiB
const timestamp moment{std::chrono::seconds(1'790'000'000)};

void check(int failed)
{
    if (failed != 0)
        throw std::runtime_error("cannot write the journal");
}

format::segment_header header_of(std::uint64_t first_sequence)
{
    format::segment_header header;
    header.first_sequence = first_sequence;
    header.created_at = moment;
    header.id.fill(7);
    header.salt = first_sequence;
    return header;
}

/// Nothing but both ends.
void make_hollow(const std::filesystem::path& directory, std::uint64_t first_sequence)
{
    const format::segment_header header = header_of(first_sequence);
    format::batch_header seal;
    seal.bytes = format::header_bytes;
    seal.first_sequence = first_sequence + in_segment;
    seal.kind = format::batch_kind::seal;
    seal.offset = segment_bytes - format::header_bytes;
    seal.durable = seal.offset;
    seal.written_at = moment;
    seal.payload_checksum = format::checksum({});
    std::unique_ptr<journal::file> made;
    check(journal::real_file_system().open(journal::raw_path(directory, first_sequence),
                                           journal::file_system::mode::create, &made));
    check(made->write_at(format::encode(header), 0));
    check(made->write_at(format::encode(seal, header.salt), seal.offset));
}

void make_real(const std::filesystem::path& directory, std::uint64_t first_sequence)
{
    std::unique_ptr<journal::active_segment> made;
    check(journal::active_segment::create(journal::real_file_system(), directory, header_of(first_sequence),
                                          segment_bytes + segment_bytes / 4, &made)
              .code);
    const std::uint64_t end = first_sequence + in_segment;
    for (std::uint64_t next = first_sequence; next < end; next += in_batch) {
        std::vector<char> batch(format::header_bytes);
        for (std::uint64_t i = next; i < next + in_batch; ++i) {
            const simulate::webhook w = simulate::load_webhook("acme", i, 10000);
            format::append_record(batch, {i, moment, chargify::sha256(w.body), "acme", "127.0.0.1", w.body});
        }
        check(made->write(batch, next, in_batch, moment).code);
    }
    check(made->seal(end, moment).code);
}

} // namespace

void make_large_journal(const std::filesystem::path& state_directory, std::uint64_t webhooks)
{
    const std::filesystem::path directory = state_directory / "journal";
    std::filesystem::create_directories(directory);
    const std::uint64_t segments = (webhooks + in_segment - 1) / in_segment;
    for (std::uint64_t i = 0; i < segments; ++i) {
        const std::uint64_t first_sequence = i * in_segment + 1;
        if (i + real_segments < segments)
            make_hollow(directory, first_sequence);
        else
            make_real(directory, first_sequence);
    }
    const format::journal_id id = header_of(1).id;
    const std::string_view bytes(reinterpret_cast<const char*>(id.data()), id.size());
    auto store = state::sqlite_store::open(state_directory / state::state_file_name, to_hex(bytes), {});
    if (!store)
        throw std::runtime_error(store.error().message);
    (*store)->begin();
    (*store)->commit(segments * in_segment);
    (*store)->mark_projection();
}

} // namespace chargifyd::bench
