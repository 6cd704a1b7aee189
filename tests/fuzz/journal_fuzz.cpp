#include "fault_file_system.hpp"
#include "fuzz.hpp"
#include "journal/compress.hpp"
#include "journal/format.hpp"
#include "journal/names.hpp"
#include "journal/recovery.hpp"

#include "chargifyd/base/log.hpp"
#include "chargifyd/journal/journal.hpp"

#include <zstd.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

/// The input is a list of things that happen to a journal: batches are written, segments sealed and
/// compressed, then bytes change, files are cut, lost or swapped, and checksums made good again. `=` makes
/// the rest of the input the first segment as it is. Promises: whatever stands in the files, reading and
/// starting end with a value or an error; no record is read that does not stand in a file with its checksum;
/// a start that refuses changes nothing; a start that succeeds keeps every record that could be read, and the
/// journal is sound and can be written.
namespace chargifyd::journal {
namespace {

using fuzz::require;

const std::filesystem::path directory = "/state/journal";
constexpr std::size_t most_bytes = 256 * 1024;
constexpr std::size_t most_records = 1000;
constexpr timestamp created_at{std::chrono::seconds(1'800'000'000)};

using file_map = std::map<std::string, std::string>;

template <class T>
void put(std::string& bytes, std::size_t at, T value)
{
    for (std::size_t i = 0; i < sizeof value && at + i < bytes.size(); ++i)
        bytes[at + i] = static_cast<char>(value >> (8 * i));
}

std::uint64_t get(std::string_view bytes, std::size_t at)
{
    std::uint64_t value = 0;
    for (std::size_t i = 8; i-- > 0;)
        value = value << 8 | (at + i < bytes.size() ? static_cast<unsigned char>(bytes[at + i]) : 0U);
    return value;
}

std::unique_ptr<test::fault_file_system> disk_of(const file_map& files)
{
    auto disk = std::make_unique<test::fault_file_system>();
    require(disk->make_directory(directory) == 0, "there is a directory");
    for (const auto& [name, content] : files)
        disk->set_content(directory / name, content);
    return disk;
}

/// Carries out the input.
class author {
public:
    explicit author(std::string_view input)
        : from_(input)
    {
        begin_segment();
    }

    file_map write()
    {
        while (!from_.empty() && total() < most_bytes)
            step();
        end_segment();
        return std::move(files_);
    }

private:
    void begin_segment()
    {
        format::segment_header header;
        header.first_sequence = next_sequence_;
        header.created_at = created_at;
        header.id.fill('i');
        header.salt = salt_ = 0x1111111111111111U * (++segments_ % 15 + 1);
        const format::header_block block = format::encode(header);
        segment_first_ = next_sequence_;
        segment_.assign(block.begin(), block.end());
    }

    void end_segment() { files_[raw_path({}, segment_first_).string()] = segment_; }

    void batch(format::batch_kind kind, const std::vector<char>& records, std::uint32_t count)
    {
        format::batch_header header;
        header.bytes = static_cast<std::uint32_t>(format::header_bytes + records.size());
        header.first_sequence = next_sequence_;
        header.count = count;
        header.kind = kind;
        header.offset = header.durable = segment_.size();
        header.written_at = created_at;
        header.payload_checksum = format::checksum({records.data(), records.size()});
        const format::header_block block = format::encode(header, salt_);
        segment_.append(block.begin(), block.end()).append(records.begin(), records.end());
        next_sequence_ += count;
    }

    void data_batch()
    {
        std::vector<char> records;
        const std::uint32_t count = from_.byte() % 4U + 1U;
        for (std::uint32_t i = 0; i < count; ++i) {
            format::record_view record;
            record.sequence = next_sequence_ + i;
            record.received_at = created_at;
            record.fingerprint.fill(from_.byte());
            record.site = "acme";
            record.peer = "192.0.2.7";
            record.body = from_.bytes(from_.byte() % 40U);
            format::append_record(records, record);
        }
        batch(format::batch_kind::data, records, count);
    }

    std::size_t total() const
    {
        std::size_t bytes = segment_.size();
        for (const auto& [name, content] : files_)
            bytes += content.size();
        return bytes;
    }

    /// One of the files, the segment that is being written among them.
    std::string& any_file()
    {
        const std::size_t which = from_.byte() % (files_.size() + 1);
        return which == files_.size() ? segment_
                                      : std::next(files_.begin(), static_cast<std::ptrdiff_t>(which))->second;
    }

    std::size_t any_offset(const std::string& in) { return from_.below(in.size() + 1); }
    std::size_t aligned_offset(const std::string& in) { return any_offset(in) / 8 * 8; }

    /// Makes the checksum of a header good, and before that the one of its records.
    void repair_batch(std::string& in, bool records_too)
    {
        const std::size_t at = aligned_offset(in);
        if (at + format::header_bytes > in.size())
            return;
        const auto bytes = static_cast<std::uint32_t>(get(in, at + 4));
        if (records_too && bytes >= format::header_bytes && at + bytes <= in.size())
            put(in, at + 48,
                format::checksum(
                    std::string_view(in).substr(at + format::header_bytes, bytes - format::header_bytes)));
        put<std::uint64_t>(in, at + 24, at);
        put(in, at + 56, format::checksum(std::string_view(in).substr(at, 56), get(in, 48)));
    }

    static void repair_sum(std::string& in, std::size_t length)
    {
        if (in.size() >= length + 8)
            put(in, length, format::checksum(std::string_view(in).substr(0, length)));
    }

    void move_bytes()
    {
        const std::string from = any_file();
        const std::size_t begin = aligned_offset(from);
        const std::string bytes = from.substr(begin, from_.byte() * 8U);
        std::string& to = any_file();
        const std::size_t at = aligned_offset(to);
        to.replace(at, std::min(bytes.size(), to.size() - at), bytes);
    }

    void lose_file()
    {
        if (!files_.empty())
            files_.erase(std::next(files_.begin(), from_.byte() % static_cast<int>(files_.size())));
    }

    void rename_file()
    {
        if (files_.empty())
            return;
        auto file = files_.extract(std::next(files_.begin(), from_.byte() % static_cast<int>(files_.size())));
        file.key() = from_.byte() % 2 == 0 ? raw_path({}, from_.byte() + 1U).string()
                                           : compressed_path({}, from_.byte() + 1U).string();
        files_.insert(std::move(file));
    }

    void compress_file(bool keep_raw)
    {
        const auto disk = disk_of(files_);
        const auto listed = list_journal(*disk, directory);
        if (!listed || listed->segments.empty())
            return;
        const segment_names& names = listed->segments[from_.byte() % listed->segments.size()];
        segment_info info;
        info.path = raw_path(directory, names.first_sequence);
        info.first_sequence = names.first_sequence;
        if (!compress_segment(*disk, directory, info))
            return;
        const std::string name = compressed_path({}, names.first_sequence).string();
        files_[name] = disk->content(directory / name);
        if (!keep_raw)
            files_.erase(raw_path({}, names.first_sequence).string());
    }

    void step()
    {
        switch (from_.byte()) {
        case 'b':
            return data_batch();
        case 'c':
            return batch(format::batch_kind::clean, {}, 0);
        case 's':
            batch(format::batch_kind::seal, {}, 0);
            end_segment();
            return begin_segment();
        case 'z':
            segment_.append(from_.byte() * 8U, '\0');
            return;
        case 'o': {
            std::string& in = any_file();
            const std::size_t at = any_offset(in);
            return put(in, at, from_.byte());
        }
        case 'n': {
            std::string& in = any_file();
            const std::size_t at = any_offset(in);
            const std::size_t count = std::min<std::size_t>(from_.byte() * 8U, in.size() - at);
            in.replace(at, count, count, '\0');
            return;
        }
        case 't': {
            std::string& in = any_file();
            return in.resize(any_offset(in));
        }
        case 'm':
            return move_bytes();
        case 'l':
            return lose_file();
        case 'r':
            return rename_file();
        case 'x':
            return compress_file(from_.byte() % 4 == 0);
        case 'h':
            return repair_batch(any_file(), false);
        case 'p':
            return repair_batch(any_file(), true);
        case 'H':
            return repair_sum(any_file(), format::header_bytes - 8);
        case 'P':
            return repair_sum(any_file(), format::prologue_bytes - 8);
        case '=':
            segment_ = from_.rest();
            return;
        default:
            return;
        }
    }

    fuzz::decisions from_;
    file_map files_;
    std::string segment_;
    std::uint64_t segment_first_ = 1;
    std::uint64_t next_sequence_ = 1;
    std::uint64_t salt_ = 0;
    unsigned segments_ = 0;
};

/// What a zstd file holds, as far as it can be decompressed.
std::string decompressed(const std::string& bytes)
{
    const std::unique_ptr<ZSTD_DCtx, std::size_t (*)(ZSTD_DCtx*)> context(ZSTD_createDCtx(), ZSTD_freeDCtx);
    std::string out(4 * most_bytes, '\0');
    ZSTD_outBuffer to{out.data(), out.size(), 0};
    ZSTD_inBuffer from{bytes.data(), bytes.size(), 0};
    while (from.pos < from.size && to.pos < to.size) {
        if (ZSTD_isError(ZSTD_decompressStream(context.get(), &to, &from)) != 0)
            break;
    }
    out.resize(to.pos);
    return out;
}

/// Everything a record may have been read from.
std::string contents_of(const file_map& files)
{
    std::string all;
    for (const auto& [name, content] : files)
        all += name.ends_with(".zst") ? decompressed(content) : content;
    return all;
}

std::uint64_t first_of(file_system& disk)
{
    const auto listed = list_journal(disk, directory);
    return listed && !listed->segments.empty() ? listed->segments.front().first_sequence : 1;
}

struct reading {
    std::vector<record> records;
    bool failed = false;
};

reading read_all(file_system& disk, std::uint64_t up_to)
{
    reading done;
    const std::uint64_t first = first_of(disk);
    auto opened = reader::open(directory, disk, first - 1);
    if (!opened) {
        done.failed = true;
        return done;
    }
    while (done.records.size() < most_records) {
        record r;
        const auto got = opened->next(r, up_to);
        done.failed = !got;
        if (!got || !*got)
            break;
        require(r.sequence == first + done.records.size(), "records come in order, without gaps");
        done.records.push_back(std::move(r));
    }
    return done;
}

void require_genuine(const reading& done, const file_map& files)
{
    const std::string all = contents_of(files);
    for (const record& r : done.records) {
        std::vector<char> bytes;
        format::append_record(bytes, {r.sequence, r.received_at, r.fingerprint, r.site, r.peer, r.body});
        require(all.find(std::string_view(bytes.data(), bytes.size())) != std::string::npos,
                "a record that is read stands in a file, with its checksum");
    }
}

bool same(const record& a, const record& b)
{
    return a.sequence == b.sequence && a.received_at == b.received_at && a.fingerprint == b.fingerprint &&
           a.site == b.site && a.peer == b.peer && a.body == b.body;
}

void require_kept(const reading& before, const reading& after)
{
    require(after.records.size() >= before.records.size(), "a start loses no record that could be read");
    for (std::size_t i = 0; i < before.records.size(); ++i)
        require(same(before.records[i], after.records[i]), "a start changes no record");
}

/// One more record behind all others.
void append(recovered& ready)
{
    std::vector<char> batch(format::header_bytes);
    format::append_record(batch, {ready.next_sequence, created_at, {}, "acme", "192.0.2.7", "event=test"});
    if (ready.active->room() < batch.size())
        return;
    const bool written = !ready.active->write(batch, ready.next_sequence, 1, created_at).failed();
    require(written && !ready.active->sync().failed(), "a recovered journal can be written");
    ++ready.next_sequence;
}

void start(test::fault_file_system& disk, const reading& before)
{
    const auto files_before = disk.contents();
    options with;
    with.directory = directory;
    with.segment_bytes = 1024;
    recent_webhooks recent(16);
    const auto clock = [] { return created_at; };
    auto ready = recover(with, disk, clock, recent);
    if (!ready) {
        require(!ready.error().message.empty(), "a refusal says why");
        require(disk.contents() == files_before, "a start that refuses changes nothing");
        return;
    }
    const auto sound = verify(directory, disk, true);
    require(sound && sound->problems.empty(), "a started journal is sound");
    require(sound->last_sequence + 1 == ready->next_sequence, "a started journal goes on behind its end");
    require_kept(before, read_all(disk, reader::open_end));
    if (ready->active)
        append(*ready);
    const reading promised = read_all(disk, ready->next_sequence - 1);
    require(!promised.failed, "everything in a started journal can be read");
    require(promised.records.size() == most_records ||
                first_of(disk) + promised.records.size() == ready->next_sequence,
            "nothing in a started journal is missing");
    require_kept(before, promised);
}

void fuzz_one(std::string_view input)
{
    static const bool quiet = (chargifyd::log::set_level(chargifyd::log::level::error), true);
    require(quiet, "the log is quiet");
    const file_map files = author(input).write();
    const auto disk = disk_of(files);
    const reading before = read_all(*disk, reader::open_end);
    require_genuine(before, files);
    for (const bool thorough : {false, true})
        (void)verify(directory, *disk, thorough);
    start(*disk, before);
}

} // namespace
} // namespace chargifyd::journal

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    chargifyd::journal::fuzz_one(chargifyd::fuzz::text_of(data, size));
    return 0;
}
