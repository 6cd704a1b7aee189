#include "ctl/backup_files.hpp"

#include "chargifyd/pipeline/rebuild.hpp"
#include "chargifyd/quarantine/quarantine.hpp"
#include "chargifyd/state/sqlite_store.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <charconv>

namespace chargifyd::ctl {

namespace {

constexpr std::size_t sequence_digits = 20;
constexpr std::size_t digest_digits = 64;
constexpr std::string_view raw_end = ".log";
constexpr std::string_view compressed_end = ".log.zst";

/// A name without a path in it.
bool is_plain_name(std::string_view name) noexcept
{
    return !name.empty() && name.front() != '.' && std::ranges::all_of(name, [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '.' || c == '-';
    });
}

/// Only what a backup is made of, so that a list cannot have files written anywhere else.
bool belongs_to_backup(std::string_view path)
{
    for (const std::string_view name :
         {state::state_file_name, state::snapshot_file_name, configuration_name, facts_name})
        if (path == name)
            return true;
    const auto slash = path.find('/');
    if (slash == std::string_view::npos)
        return false;
    const std::string_view folder = path.substr(0, slash);
    const std::string_view name = path.substr(slash + 1);
    if (folder == pipeline::journal_directory_name)
        return parse_segment_name(name).has_value();
    return folder == quarantine::directory_name && is_plain_name(name);
}

} // namespace

std::optional<segment_name> parse_segment_name(std::string_view name) noexcept
{
    segment_name out;
    out.compressed = name.ends_with(compressed_end);
    const std::string_view end = out.compressed ? compressed_end : raw_end;
    if (name.size() != sequence_digits + end.size() || !name.ends_with(end))
        return std::nullopt;
    const auto read = std::from_chars(name.data(), name.data() + sequence_digits, out.first_sequence);
    if (read.ec != std::errc() || read.ptr != name.data() + sequence_digits || out.first_sequence == 0)
        return std::nullopt;
    return out;
}

std::string format_segment_name(const segment_name& name)
{
    return fmt::format("{:020}{}", name.first_sequence, name.compressed ? compressed_end : raw_end);
}

std::string format_sums(const std::vector<summed_file>& files)
{
    std::string text;
    for (const summed_file& f : files)
        text += to_hex(f.digest) + "  " + f.path + "\n";
    return text;
}

result<std::vector<summed_file>> parse_sums(std::string_view text)
{
    std::vector<summed_file> files;
    while (!text.empty()) {
        const auto end = text.find('\n');
        const std::string_view line = text.substr(0, end);
        const auto digest = parse_digest(line.substr(0, std::min(line.size(), digest_digits)));
        if (end == std::string_view::npos || !digest || line.substr(digest_digits, 2) != "  " ||
            !belongs_to_backup(line.substr(digest_digits + 2)))
            return make_error(errc::corrupt, std::string(sums_name) + " is not what the backup wrote");
        files.push_back({std::string(line.substr(digest_digits + 2)), *digest});
        text.remove_prefix(end + 1);
    }
    return files;
}

} // namespace chargifyd::ctl
