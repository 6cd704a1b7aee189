#pragma once

#include "chargifyd/base/error.hpp"
#include "chargifyd/journal/file_system.hpp"
#include "chargifyd/journal/journal.hpp"

#include <filesystem>

namespace chargifyd::journal {

/// Writes the compressed copy of a sealed raw segment, durable under its name, and returns what the list says
/// about it now. The raw file stays; on failure it is still the segment.
result<segment_info> compress_segment(file_system& files, const std::filesystem::path& directory,
                                      const segment_info& segment);

/// Replaces a sealed segment by a compressed copy in which `edit` changed bodies, if it changes any; of a
/// compressed segment no raw file is left when this succeeds. `segment` says what there is, also after a
/// failure. Returns how many bodies were changed.
result<std::size_t> edit_segment(file_system& files, const std::filesystem::path& directory,
                                 segment_info& segment, const body_editor& edit);

} // namespace chargifyd::journal
