#pragma once

#include "journal/format.hpp"
#include "journal/recent.hpp"
#include "journal/segment.hpp"

#include "chargifyd/base/error.hpp"
#include "chargifyd/base/time.hpp"
#include "chargifyd/journal/file_system.hpp"
#include "chargifyd/journal/journal.hpp"

#include <cstdint>
#include <memory>
#include <vector>

namespace chargifyd::journal {

/// A journal that is ready to be written.
struct recovered {
    format::journal_id id{};
    std::vector<segment_info> segments;
    std::uint64_t next_sequence = 1;
    std::unique_ptr<active_segment> active; ///< null: the next segment has to be made first
};

/// Makes the directory when it is missing, judges what is in it, and brings it into order: cuts a torn tail,
/// removes what a crash left behind, makes what can be read durable. A new journal gets its first segment.
/// Fills the memory of recent webhooks. errc::corrupt: damage; then nothing was changed.
result<recovered> recover(const options& with, file_system& files, const clock_fn& clock,
                          recent_webhooks& recent);

/// The header of a new segment, with a salt of its own.
format::segment_header make_segment_header(std::uint64_t first_sequence, const format::journal_id& id,
                                           timestamp now);

/// What the list of segments says about one that is being written.
segment_info active_info(const active_segment& segment);

} // namespace chargifyd::journal
