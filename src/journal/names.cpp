#include "journal/names.hpp"

#include "chargifyd/journal/segment_name.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <optional>

namespace chargifyd::journal {

namespace {

constexpr std::size_t digits = 20;
constexpr std::string_view raw_end = ".log";
constexpr std::string_view compressed_end = ".log.zst";
constexpr std::string_view temporary_end = ".log.zst.tmp";

std::string format_name(std::uint64_t first_sequence, std::string_view end)
{
    return fmt::format("{:020}{}", first_sequence, end);
}

std::optional<std::uint64_t> parse_name(std::string_view name, std::string_view end) noexcept
{
    if (name.size() != digits + end.size() || !name.ends_with(end))
        return std::nullopt;
    std::uint64_t sequence = 0;
    const auto [stop, failed] = std::from_chars(name.data(), name.data() + digits, sequence);
    if (failed != std::errc{} || stop != name.data() + digits || sequence == 0)
        return std::nullopt;
    return sequence;
}

segment_names& entry_of(std::vector<segment_names>& segments, std::uint64_t first_sequence)
{
    // Names come sorted, so a second file of the same segment follows the first one directly.
    if (segments.empty() || segments.back().first_sequence != first_sequence)
        segments.push_back({first_sequence, false, false});
    return segments.back();
}

} // namespace

std::optional<segment_name> parse_segment_name(std::string_view name) noexcept
{
    if (const auto raw = parse_name(name, raw_end))
        return segment_name{*raw, false};
    if (const auto compressed = parse_name(name, compressed_end))
        return segment_name{*compressed, true};
    return std::nullopt;
}

std::string format_segment_name(const segment_name& name)
{
    return format_name(name.first_sequence, name.compressed ? compressed_end : raw_end);
}

std::filesystem::path raw_path(const std::filesystem::path& directory, std::uint64_t first_sequence)
{
    return directory / format_segment_name({first_sequence, false});
}

std::filesystem::path compressed_path(const std::filesystem::path& directory, std::uint64_t first_sequence)
{
    return directory / format_segment_name({first_sequence, true});
}

std::filesystem::path temporary_path(const std::filesystem::path& directory, std::uint64_t first_sequence)
{
    return directory / format_name(first_sequence, temporary_end);
}

result<listing> list_journal(file_system& files, const std::filesystem::path& directory)
{
    listing found;
    std::vector<std::string> names;
    if (const int failed = files.list(directory, &names)) {
        if (failed == ENOENT)
            return found;
        return file_error(failed, "cannot list", directory);
    }
    for (std::string& name : names) {
        if (const auto segment = parse_segment_name(name)) {
            segment_names& entry = entry_of(found.segments, segment->first_sequence);
            (segment->compressed ? entry.compressed : entry.raw) = true;
        } else if (parse_name(name, temporary_end)) {
            found.leftovers.push_back(std::move(name));
        }
    }
    return found;
}

error file_error(int errno_value, std::string_view action, const std::filesystem::path& path)
{
    error e = system_error(errno_value, fmt::format("{} {}", action, path.string()));
    if (errno_value == ENOENT)
        e.code = errc::not_found;
    return e;
}

std::string damage(const std::filesystem::path& path, std::uint64_t offset, std::string_view why)
{
    return fmt::format("{}: damaged at offset {}: {}", path.string(), offset, why);
}

} // namespace chargifyd::journal
