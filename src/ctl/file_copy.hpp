#pragma once

#include "chargifyd/base/digest.hpp"
#include "chargifyd/journal/file_system.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

/// Copies of files that are made durable. Failures end the command and name the file.
namespace chargifyd::ctl {

/// Called with the bytes that were copied since the last call.
using copied_fn = std::function<void(std::uint64_t bytes)>;

/// Null when there is no such file.
std::unique_ptr<journal::file> open_for_reading(const std::filesystem::path& path);

/// Writes what is in `from` into a new file, 0600, and syncs it.
void copy_into(const journal::file& from, const std::filesystem::path& from_path,
               const std::filesystem::path& to, const copied_fn& copied);
/// The same of a file that grows while it is copied, where what was written once does not change: the copy is
/// the file as of one moment at the beginning, so that nothing in it can be newer than something missing.
/// Behind that it holds zeros, as the file did.
void copy_growing(const journal::file& from, const std::filesystem::path& from_path,
                  const std::filesystem::path& to, const copied_fn& copied);
/// Makes a new file, 0600, and syncs it.
void write_new(const std::filesystem::path& to, std::string_view content);

void make_directory(const std::filesystem::path& path);
void sync_directory(const std::filesystem::path& path);
void rename_durably(const std::filesystem::path& from, const std::filesystem::path& to);

/// SHA-256 of a file that nobody writes to. `done` is called with the bytes that were read since the last
/// call.
digest256 digest_of(const std::filesystem::path& path, const copied_fn& done = {});

/// "cannot ACTION FILE: No space left on device", as a failure.
[[noreturn]] void fail(int errno_value, std::string_view action, const std::filesystem::path& path);

} // namespace chargifyd::ctl
