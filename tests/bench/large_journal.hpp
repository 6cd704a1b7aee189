#pragma once

#include <cstdint>
#include <filesystem>

namespace chargifyd::bench {

/// Makes a state directory whose journal holds so many webhooks of about 4 KiB, all applied. The newest
/// segments are real, more than is read when a journal is opened; the older ones have their header, their
/// seal and their length, and a hole between.
void make_large_journal(const std::filesystem::path& state_directory, std::uint64_t webhooks);

} // namespace chargifyd::bench
