#include "journal/survey.hpp"

#include "chargifyd/journal/journal.hpp"

#include <limits>

namespace chargifyd::journal {

namespace {

/// How often files may go away while they are being read: the daemon may be compressing or deleting.
constexpr int most_attempts = 5;

verification summary(survey found)
{
    verification v;
    if (found.id)
        v.id = to_hex(std::string_view(reinterpret_cast<const char*>(found.id->data()), found.id->size()));
    v.segments = std::move(found.segments);
    v.problems = std::move(found.problems);
    v.last_sequence = found.next_sequence - 1;
    if (!v.segments.empty())
        v.first_sequence = v.segments.front().first_sequence;
    for (const segment_info& segment : v.segments)
        v.bytes += segment.bytes;
    return v;
}

} // namespace

result<verification> verify(const std::filesystem::path& directory, file_system& files, bool thorough,
                            const std::function<void(std::uint64_t done, std::uint64_t total)>& progress)
{
    survey_options how;
    how.verify_bytes = thorough ? std::numeric_limits<std::uint64_t>::max() : 0;
    how.progress = progress;
    for (int attempt = 1;; ++attempt) {
        result<survey> found = survey_journal(files, directory, how);
        if (found)
            return summary(std::move(*found));
        if (found.error().code != errc::not_found || attempt == most_attempts)
            return found.error();
    }
}

} // namespace chargifyd::journal
