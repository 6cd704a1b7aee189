#pragma once

#include "ctl/findings.hpp"

#include "chargifyd/simulate/certificate.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <sys/types.h>

/// What `doctor` makes of what it measured. Pure.
namespace chargifyd::ctl {

/// `type` as statfs(2) tells it.
finding judge_file_system(std::uint64_t type);
/// Latencies of small writes that were synced.
finding judge_sync(std::chrono::microseconds p50, std::chrono::microseconds p99);
finding judge_space(std::uint64_t free_bytes, std::uint64_t floor_bytes);
/// Whether that version of SQLite can corrupt a database that several connections write and checkpoint.
bool has_wal_reset_fault(std::string_view sqlite_version);
/// Permission bits of a path, of which `allowed` may be set.
finding judge_mode(const std::string& path, mode_t mode, mode_t allowed);
void judge_certificate(const simulate::certificate_facts& facts, std::chrono::sys_seconds now,
                       findings& into);
/// Files that the process may open, against the connections it may be asked to hold.
finding judge_file_limit(std::uint64_t limit, std::uint64_t max_connections);
/// The time of the last webhook, as YYYY-MM-DDTHH:MM:SSZ.
finding judge_last_webhook(const std::string& site, std::string_view last, std::chrono::sys_seconds now);
finding judge_year(std::chrono::sys_seconds now);

} // namespace chargifyd::ctl
