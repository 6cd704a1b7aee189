#include "journal/survey.hpp"

#include "journal/names.hpp"
#include "journal/scan.hpp"
#include "journal/source.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace chargifyd::journal {

namespace {

constexpr std::uint64_t progress_step_bytes = 4 * 1024 * 1024;

class surveyor {
public:
    surveyor(file_system& files, const std::filesystem::path& directory, const survey_options& with)
        : files_(files)
        , directory_(directory)
        , with_(with)
    {}

    result<survey> run()
    {
        const result<listing> listed = list_journal(files_, directory_);
        if (!listed)
            return listed.error();
        for (const std::string& name : listed->leftovers)
            found_.leftovers.push_back(directory_ / name);
        for (const segment_names& names : listed->segments) {
            const bool newest = &names == &listed->segments.back();
            if (const result<void> seen = look_at_ends(names, newest); !seen)
                return seen.error();
        }
        choose_what_to_check();
        for (std::size_t i = 0; i < segments_.size(); ++i) {
            if (!segments_[i].checked)
                continue;
            if (const result<void> seen = check_content(segments_[i], i + 1 == segments_.size()); !seen)
                return seen.error();
        }
        return std::move(found_);
    }

private:
    struct candidate {
        segment_names names;
        segment_info info;
        std::uint64_t content_bytes = 0;
        bool checked = false;
    };

    /// Header, seal, length, and that the segment follows the one before.
    result<void> look_at_ends(const segment_names& names, bool newest)
    {
        const result<segment_file> opened = open_segment(files_, directory_, names);
        if (!opened)
            return opened.error();
        const segment_file& segment = *opened;
        if (names.raw && names.compressed)
            found_.leftovers.push_back(raw_path(directory_, names.first_sequence));
        if (!segment.header && newest && !segment.compressed)
            return look_at_headless(segment);
        if (!segment.header || segment.header->first_sequence != names.first_sequence) {
            problem(damage(segment.path, 0, "the segment's header is not what was written"));
            known_ = false;
            return {};
        }
        if (!segment.seal && (!newest || segment.compressed))
            problem(damage(segment.path, segment.content_bytes, "the segment does not end with its seal"));
        check_chain(segment);
        segments_.push_back({names, segment.info(), segment.content_bytes, false});
        found_.segments.push_back(segment.info());
        found_.next_sequence = segment.info().last_sequence + 1;
        known_ = segment.seal.has_value();
        return {};
    }

    /// The newest segment has no valid header. It was written and synced before any batch, so when there is
    /// nothing behind it, the creation was torn and nothing was ever stored here.
    result<void> look_at_headless(const segment_file& segment)
    {
        std::vector<char> block(progress_step_bytes);
        for (std::uint64_t at = format::header_bytes;; at += block.size()) {
            const result<std::size_t> got = segment.content->read(block, at);
            if (!got)
                return got.error();
            const bool blank = std::all_of(block.begin(), block.begin() + static_cast<std::ptrdiff_t>(*got),
                                           [](char c) { return c == 0; });
            if (!blank || (found_.segments.empty() && segment.first_sequence != 1)) {
                problem(damage(segment.path, 0, "the segment's header is not what was written"));
                return {};
            }
            if (*got < block.size())
                break;
        }
        if (!found_.segments.empty() && known_ && segment.first_sequence != found_.next_sequence)
            problem(missing(segment));
        found_.leftovers.push_back(segment.path);
        return {};
    }

    void check_chain(const segment_file& segment)
    {
        if (!found_.id)
            found_.id = segment.header->id;
        else if (*found_.id != segment.header->id)
            problem(damage(segment.path, 0, "the segment belongs to another journal"));
        if (!found_.segments.empty() && known_ && segment.first_sequence != found_.next_sequence)
            problem(missing(segment));
    }

    std::string missing(const segment_file& segment) const
    {
        return fmt::format(
            "{}: begins with sequence {}, but the segment before it ends with {}: a file is missing",
            segment.path.string(), segment.first_sequence, found_.next_sequence - 1);
    }

    void choose_what_to_check()
    {
        std::uint64_t left = with_.verify_bytes;
        for (std::size_t i = segments_.size(); i-- > 0;) {
            candidate& segment = segments_[i];
            const bool newest = i + 1 == segments_.size();
            if (!newest && segment.content_bytes > left)
                break;
            if (!newest)
                left -= segment.content_bytes;
            segment.checked = true;
            total_ += segment.content_bytes;
        }
    }

    result<void> check_content(const candidate& of, bool newest)
    {
        const result<segment_file> opened = open_segment(files_, directory_, of.names);
        if (!opened)
            return opened.error();
        const segment_file& segment = *opened;
        if (!segment.header)
            return {}; // it was there a moment ago; a copy put in its place is seen next time
        segment_tail tail{
            segment.path, *segment.header, format::header_bytes, 0, 0, segment.file_bytes, false, false};
        // A segment without the seal it should have was named already; what is in it is still worth a look.
        scanner scan(*segment.content, *segment.header, segment.seal.has_value());
        while (!tail.sealed) {
            const std::uint64_t offset = scan.offset();
            const result<scanner::found> next = scan.next();
            if (!next && next.error().code != errc::corrupt)
                return next.error();
            if (!next || *next == scanner::found::damage) {
                problem(next ? damage(segment.path, offset, scan.why()) : next.error().message);
                break;
            }
            if (*next == scanner::found::nothing)
                break;
            if (!take_batch(segment, scan))
                break;
            tail.end = scan.offset();
            tail.proven = std::max(tail.proven, scan.header().durable);
            tail.sealed = scan.header().kind == format::batch_kind::seal;
            tail.clean = scan.header().kind == format::batch_kind::clean;
            report(done_ + tail.end, false);
        }
        if (tail.sealed && segment.seal)
            check_end(segment);
        done_ += of.content_bytes;
        report(done_, newest);
        if (newest)
            finish(segment, scan, tail);
        return {};
    }

    bool take_batch(const segment_file& segment, const scanner& scan)
    {
        std::string_view rest = scan.payload();
        for (std::uint64_t sequence = scan.header().first_sequence; sequence < scan.header().end_sequence();
             ++sequence) {
            const auto record = format::take_record(rest);
            if (!record || record->sequence != sequence) {
                problem(damage(segment.path, scan.header().offset,
                               fmt::format("record {} is not whole", sequence)));
                return false;
            }
            if (with_.on_record)
                with_.on_record(*record);
        }
        if (!rest.empty())
            problem(damage(segment.path, scan.header().offset, "the batch is longer than its records"));
        return rest.empty();
    }

    /// Nothing follows the seal; of a compressed segment this also checks the end of the compressed data.
    void check_end(const segment_file& segment)
    {
        char behind = 0;
        const result<std::size_t> got = segment.content->read({&behind, 1}, segment.content_bytes);
        if (!got)
            problem(got.error().message);
    }

    void finish(const segment_file& segment, const scanner& scan, segment_tail& tail)
    {
        segment_info& info = found_.segments.back();
        found_.next_sequence = scan.next_sequence();
        info.last_sequence = scan.next_sequence() - 1;
        info.sealed = tail.sealed;
        if (tail.sealed)
            info.sealed_at = scan.header().written_at;
        tail.written_end = std::max(tail.end, scan.written_end());
        if (!segment.compressed)
            found_.tail = std::move(tail);
    }

    void problem(std::string text) { found_.problems.push_back(std::move(text)); }

    void report(std::uint64_t done, bool last)
    {
        if (!with_.progress || (!last && done < reported_ + progress_step_bytes))
            return;
        reported_ = done;
        with_.progress(std::min(done, total_), total_);
    }

    file_system& files_;
    const std::filesystem::path& directory_;
    const survey_options& with_;
    survey found_;
    std::vector<candidate> segments_; ///< those whose header is good
    bool known_ = false;              ///< found_.next_sequence is where the next segment has to begin
    std::uint64_t total_ = 0;
    std::uint64_t done_ = 0;
    std::uint64_t reported_ = 0;
};

} // namespace

result<survey> survey_journal(file_system& files, const std::filesystem::path& directory,
                              const survey_options& with)
{
    return surveyor(files, directory, with).run();
}

} // namespace chargifyd::journal
