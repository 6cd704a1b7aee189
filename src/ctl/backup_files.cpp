#include "ctl/backup_files.hpp"

#include "chargifyd/journal/segment_name.hpp"
#include "chargifyd/pipeline/rebuild.hpp"
#include "chargifyd/quarantine/quarantine.hpp"
#include "chargifyd/state/sqlite_store.hpp"

#include <algorithm>

namespace chargifyd::ctl {

namespace {

constexpr std::size_t digest_digits = 64;

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
        return journal::parse_segment_name(name).has_value();
    return folder == quarantine::directory_name && is_plain_name(name);
}

} // namespace

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
