#pragma once

/// Which of the daemon's threads go first when there is not enough CPU for all: those that answer Chargify,
/// then those that apply, rebuild and tidy up, then those that answer operators.
namespace chargifyd {

enum class work_kind {
    applying = 5, ///< the nice values
    asking = 10,
};

/// Puts the calling thread, and those it makes, behind all that answer Chargify. Where that is not allowed
/// nothing changes.
void give_way_to_answers(work_kind kind) noexcept;

} // namespace chargifyd
