#include "ctl/judgement.hpp"

#include "ctl/progress.hpp"

#include "chargifyd/base/time.hpp"
#include "chargifyd/state/when.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <span>

namespace chargifyd::ctl {

namespace {

using namespace std::chrono_literals;

constexpr auto slow_sync = 20ms;
constexpr auto hopeless_sync = 1s;
constexpr auto soon = std::chrono::days(30);
constexpr auto very_soon = std::chrono::days(7);
constexpr auto silence = 24h;
/// Beside connections: listeners, files of journal and state, libraries.
constexpr std::uint64_t other_files = 128;

struct file_system_kind {
    std::uint64_t type;
    std::string_view name;
};
// The numbers of linux/magic.h and of the file systems' own sources.
constexpr std::array<file_system_kind, 10> unfit = {{{0x6969, "nfs"},
                                                     {0xff534d42, "cifs"},
                                                     {0xfe534d42, "smb2"},
                                                     {0x517b, "smb"},
                                                     {0x65735546, "fuse"},
                                                     {0x01021997, "9p"},
                                                     {0x5346414f, "afs"},
                                                     {0x00c36400, "ceph"},
                                                     {0x0bd00bd0, "lustre"},
                                                     {0x47504653, "gpfs"}}};
constexpr std::array<file_system_kind, 2> forgetful = {{{0x01021994, "tmpfs"}, {0x858458f6, "ramfs"}}};

std::string_view name_of(std::uint64_t type, std::span<const file_system_kind> kinds)
{
    const auto found = std::ranges::find(kinds, type, &file_system_kind::type);
    return found == kinds.end() ? std::string_view() : found->name;
}

std::array<int, 3> parse_version(std::string_view text)
{
    std::array<int, 3> parts{};
    const char* at = text.data();
    const char* const end = text.data() + text.size();
    for (int& part : parts) {
        at = std::from_chars(at, end, part).ptr;
        at += at < end ? 1 : 0;
    }
    return parts;
}

std::string joined(const std::vector<std::string>& all)
{
    std::string out;
    for (const std::string& one : all)
        out += (out.empty() ? "" : ", ") + one;
    return out;
}

} // namespace

finding judge_file_system(std::uint64_t type)
{
    if (const auto name = name_of(type, unfit); !name.empty())
        return {severity::problem, "file-system",
                fmt::format(
                    "the state directory is on {}, which SQLite's write-ahead log and locks do not work on",
                    name),
                "put the state directory on a local disk (ext4, xfs, btrfs, zfs)"};
    if (const auto name = name_of(type, forgetful); !name.empty())
        return {
            severity::warning, "file-system",
            fmt::format("the state directory is on {}: all webhooks are gone after a restart of the machine",
                        name),
            "use it for trials only; put the state directory on a disk"};
    return {severity::ok, "file-system", "local", {}};
}

finding judge_sync(std::chrono::microseconds p50, std::chrono::microseconds p99)
{
    const auto ms = [](std::chrono::microseconds t) { return static_cast<double>(t.count()) / 1000; };
    const std::string text =
        fmt::format("a write of 4 KiB takes {:.1f} ms to reach the disk (p99 {:.1f} ms)", ms(p50), ms(p99));
    if (p99 > hopeless_sync)
        return {
            severity::problem, "sync", text,
            "every answer to Chargify waits for one: use a faster disk, or find out what else keeps it busy"};
    if (p99 > slow_sync)
        return {severity::warning, "sync", text,
                "answers wait for it; webhooks that come together share one, so rates may still do"};
    return {severity::ok, "sync", text, {}};
}

finding judge_space(std::uint64_t free_bytes, std::uint64_t floor_bytes)
{
    const std::string text = fmt::format("{} free; below {} webhooks are answered 503",
                                         format_bytes(static_cast<double>(free_bytes)),
                                         format_bytes(static_cast<double>(floor_bytes)));
    const std::string advice = "make room, or set journal.retention_days";
    if (free_bytes < floor_bytes)
        return {severity::problem, "disk", text, advice};
    // A full disk does not come announced; that much more is a few hundred thousand webhooks.
    if (free_bytes < floor_bytes + std::max<std::uint64_t>(floor_bytes, 1'000'000'000))
        return {severity::warning, "disk", text, advice};
    return {severity::ok, "disk", text, {}};
}

bool has_wal_reset_fault(std::string_view sqlite_version)
{
    const auto version = parse_version(sqlite_version);
    constexpr std::array<int, 3> first{3, 7, 0};
    constexpr std::array<int, 3> last{3, 51, 2};
    constexpr std::array<int, 3> mended_44{3, 44, 6};
    constexpr std::array<int, 3> mended_50{3, 50, 7};
    return version >= first && version <= last && version != mended_44 && version != mended_50;
}

finding judge_mode(const std::string& path, mode_t mode, mode_t allowed)
{
    const mode_t bits = mode & 0777U;
    if ((bits & ~allowed) == 0)
        return {severity::ok, "modes", fmt::format("{} is {:04o}", path, bits), {}};
    return {severity::problem, "modes", fmt::format("{} is {:04o}: others may use it", path, bits),
            fmt::format("chmod {:04o} {}", bits & allowed, path)};
}

void judge_certificate(const simulate::certificate_facts& facts, std::chrono::sys_seconds now, findings& into)
{
    const char* const subject = "certificate";
    if (!facts.key_fits)
        into.problem(subject, "the private key does not belong to the certificate",
                     "set ingress.private_key to the key that the certificate was made with");
    if (!facts.in_order)
        into.problem(subject, "the chain is not in order: a certificate is not signed by the next one",
                     "put the server's certificate first, then each signer (fullchain.pem)");
    if (facts.names.empty())
        into.problem(subject, "it names no host (subjectAltName)", "get one for the name in Chargify's URL");
    else
        into.ok(subject, "for " + joined(facts.names) + "; is that the host in Chargify's URL?");
    if (facts.self_signed)
        into.warning(subject, "signed by itself: Chargify does not trust it",
                     "use one of a public authority, unless TLS ends elsewhere");
    else if (facts.chain == 1)
        into.warning(subject, "the file holds no intermediate certificate; issuer " + facts.issuer,
                     "if that is not a root, use the full chain: clients do not fetch what is missing");
    const auto left = facts.valid_until - now;
    const std::string until = "valid until " + format_utc(facts.valid_until);
    const std::string advice = "renew it, then 'systemctl reload chargifyd'";
    if (now < facts.valid_from)
        into.problem(subject, "not valid before " + format_utc(facts.valid_from), "look at the clock");
    else if (left <= 0s)
        into.problem(subject, "expired: " + until, advice);
    else if (left < very_soon)
        into.problem(subject, until, advice);
    else if (left < soon)
        into.warning(subject, until, advice);
    else
        into.ok(subject, until);
}

finding judge_file_limit(std::uint64_t limit, std::uint64_t max_connections)
{
    const std::string text =
        fmt::format("the daemon may open {} files, and hold {} connections", limit, max_connections);
    if (limit < max_connections + other_files)
        return {severity::warning, "files", text,
                "raise LimitNOFILE of the service, or lower ingress.max_connections"};
    return {severity::ok, "files", text, {}};
}

finding judge_last_webhook(const std::string& site, std::string_view last, std::chrono::sys_seconds now)
{
    const auto at = state::parse_moment(last, now);
    if (last.empty() || !at)
        return {severity::warning, "webhooks", "site " + site + ": nothing was received yet",
                "in Chargify, look at the webhook settings and send a test"};
    const std::string text = "site " + site + ": the last one came at " + std::string(last);
    if (now - *at > silence)
        return {severity::warning, "webhooks", text,
                "if that is unusual, see in Chargify whether the endpoint is paused or disabled"};
    return {severity::ok, "webhooks", text, {}};
}

finding judge_year(std::chrono::sys_seconds now)
{
    const std::chrono::year_month_day today(std::chrono::floor<std::chrono::days>(now));
    constexpr std::chrono::year first{2025};
    constexpr std::chrono::year last{2100};
    if (today.year() < first || today.year() > last)
        return {severity::problem, "clock", "it is " + format_utc(now) + " here", "set the clock"};
    return {severity::ok, "clock", "it is " + format_utc(now), {}};
}

} // namespace chargifyd::ctl
