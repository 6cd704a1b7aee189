#include "journal/format.hpp"
#include "journal/names.hpp"
#include "journal/scan.hpp"
#include "journal/source.hpp"

#include "chargifyd/journal/journal.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <chrono>
#include <optional>

namespace chargifyd::journal {

namespace {

/// How often a segment may go away between listing the directory and opening the file.
constexpr int most_attempts = 5;

/// A reader that keeps asking at the end reads the rest of the segment no more often than this.
constexpr std::chrono::seconds search_interval{1};

void copy(const format::record_view& from, record& into)
{
    into.sequence = from.sequence;
    into.received_at = from.received_at;
    into.fingerprint = from.fingerprint;
    into.site.assign(from.site);
    into.peer.assign(from.peer);
    into.body.assign(from.body);
}

} // namespace

struct reader::implementation {
    implementation(std::filesystem::path from, file_system& with, std::uint64_t after)
        : directory(std::move(from))
        , files(with)
        , next_sequence(after + 1)
    {}

    result<bool> next(record& into, std::uint64_t up_to);
    /// Takes records off the batch at hand, up to and with the next one. False: it has no such record.
    result<bool> take_record(record& into);
    /// Finds the next batch. False: none yet.
    result<bool> next_batch(std::uint64_t up_to);
    /// What it means that no batch was found. True: look once more.
    result<bool> judge_end(std::uint64_t up_to);

    /// Opens the segment to go on with. False: there is none yet.
    result<bool> enter_segment();
    result<const segment_names*> choose(const listing& listed) const;
    result<bool> enter(segment_file opened, bool newest);
    void leave_segment();

    error corrupt(std::uint64_t offset, std::string_view why) const
    {
        return make_error(errc::corrupt, damage(segment.path, offset, why));
    }

    const std::filesystem::path directory;
    file_system& files;
    std::uint64_t next_sequence;
    std::optional<std::uint64_t> follow; ///< where the segment begins that comes after the last one
    std::optional<format::journal_id> id;
    segment_file segment;
    std::optional<scanner> scan; ///< nothing: in no segment
    std::string_view records;    ///< what is left of the batch at hand
    std::chrono::steady_clock::time_point next_search{};
};

reader::reader(std::unique_ptr<implementation> impl) noexcept
    : impl_(std::move(impl))
{}
reader::reader(reader&&) noexcept = default;
reader& reader::operator=(reader&&) noexcept = default;
reader::~reader() = default;

result<reader> reader::open(const std::filesystem::path& directory, file_system& files, std::uint64_t after)
{
    auto impl = std::make_unique<implementation>(directory, files, after);
    if (const result<bool> entered = impl->enter_segment(); !entered)
        return entered.error();
    return reader(std::move(impl));
}

result<bool> reader::next(record& into, std::uint64_t up_to)
{
    return impl_->next(into, up_to);
}

result<bool> reader::implementation::next(record& into, std::uint64_t up_to)
{
    while (next_sequence <= up_to) {
        if (const result<bool> taken = take_record(into); !taken || *taken)
            return taken;
        if (const result<bool> found = next_batch(up_to); !found || !*found)
            return found;
    }
    return false;
}

result<bool> reader::implementation::take_record(record& into)
{
    while (!records.empty()) {
        const auto found = format::take_record(records);
        if (!found || found->sequence > next_sequence)
            return corrupt(scan->header().offset, fmt::format("record {} is not whole", next_sequence));
        if (found->sequence < next_sequence)
            continue;
        copy(*found, into);
        ++next_sequence;
        return true;
    }
    return false;
}

result<bool> reader::implementation::next_batch(std::uint64_t up_to)
{
    for (;;) {
        if (!scan) {
            const result<bool> entered = enter_segment();
            if (!entered)
                return entered;
            if (!*entered)
                return judge_end(up_to);
        }
        const bool search = std::chrono::steady_clock::now() >= next_search;
        const result<scanner::found> found = scan->next(next_sequence, search);
        if (!found)
            return found.error();
        switch (*found) {
        case scanner::found::batch:
            break;
        case scanner::found::damage:
            return corrupt(scan->offset(), scan->why());
        case scanner::found::nothing: {
            if (search)
                next_search = std::chrono::steady_clock::now() + search_interval;
            const result<bool> again = judge_end(up_to);
            if (!again || !*again)
                return again;
            continue;
        }
        }
        records = scan->payload();
        if (scan->header().kind == format::batch_kind::seal)
            leave_segment();
        else if (!records.empty())
            return true;
    }
}

result<bool> reader::implementation::judge_end(std::uint64_t up_to)
{
    const bool promised = up_to < reader::open_end;
    if (!scan) {
        if (promised && follow)
            return make_error(errc::corrupt,
                              fmt::format("{}: the segment that begins with sequence {} is missing",
                                          directory.string(), *follow));
        return false;
    }
    const result<listing> listed = list_journal(files, directory);
    if (!listed)
        return listed.error();
    if (!listed->segments.empty() && listed->segments.back().first_sequence > segment.first_sequence) {
        // The writer has gone on to another segment since, so this one is complete by now.
        scan->expect_complete();
        return true;
    }
    if (promised)
        return corrupt(scan->offset(),
                       fmt::format("record {} was durable, but is not here", scan->next_sequence()));
    return false;
}

result<bool> reader::implementation::enter_segment()
{
    for (int attempt = 0; attempt < most_attempts; ++attempt) {
        const result<listing> listed = list_journal(files, directory);
        if (!listed)
            return listed.error();
        const result<const segment_names*> chosen = choose(*listed);
        if (!chosen)
            return chosen.error();
        if (*chosen == nullptr)
            return false;
        result<segment_file> opened = open_segment(files, directory, **chosen);
        if (opened)
            return enter(std::move(*opened), *chosen == &listed->segments.back());
        if (opened.error().code != errc::not_found)
            return opened.error();
        // Compressed or deleted a moment ago: the next listing tells which.
    }
    return make_error(errc::io, directory.string() + ": segments go away faster than they can be opened");
}

/// Null: what is wanted is not there yet.
result<const segment_names*> reader::implementation::choose(const listing& listed) const
{
    const std::vector<segment_names>& all = listed.segments;
    const std::uint64_t wanted = follow.value_or(next_sequence);
    const auto behind = std::upper_bound(
        all.begin(), all.end(), wanted,
        [](std::uint64_t sequence, const segment_names& names) { return sequence < names.first_sequence; });
    const segment_names* const chosen = behind == all.begin() ? nullptr : &*(behind - 1);
    if (chosen != nullptr && (!follow || chosen->first_sequence == wanted))
        return chosen;
    if (behind == all.end())
        return nullptr;
    return make_error(errc::not_found,
                      fmt::format("sequence {} is no longer in the journal; the first one left is {}",
                                  next_sequence, behind->first_sequence));
}

result<bool> reader::implementation::enter(segment_file opened, bool newest)
{
    segment = std::move(opened);
    if (!segment.header && newest && !segment.compressed)
        return false; // it is being made
    if (!segment.header || segment.header->first_sequence != segment.first_sequence)
        return corrupt(0, "the segment's header is not what was written");
    if (id && *id != segment.header->id)
        return corrupt(0, "the segment belongs to another journal");
    if (segment.compressed && !segment.seal)
        return corrupt(0, "the compressed segment has no seal");
    id = segment.header->id;
    scan.emplace(*segment.content, *segment.header, segment.seal || !newest);
    return true;
}

void reader::implementation::leave_segment()
{
    follow = scan->next_sequence();
    scan.reset();
    segment = {};
}

} // namespace chargifyd::journal
