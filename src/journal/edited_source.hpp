#pragma once

#include "journal/scan.hpp"
#include "journal/source.hpp"

#include "chargifyd/journal/journal.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace chargifyd::journal {

/// A sealed segment as it would be with other bodies: same length, same place for everything, other
/// checksums. Read in ascending order only. File and editor outlive it. errc::corrupt: what is edited is
/// damaged.
class edited_source final : public source {
public:
    /// `from` has a header and a seal, and was not read before.
    edited_source(const segment_file& from, const body_editor& edit);

    result<std::size_t> read(std::span<char> into, std::uint64_t offset) override;
    /// Reads all of it and returns how many bodies are changed.
    result<std::size_t> count();

private:
    /// Makes the next bytes. False: there are no more.
    result<bool> fill();
    result<void> edit_records(std::string_view payload);

    const segment_file& from_;
    const body_editor& edit_;
    scanner scan_;
    std::string body_;
    std::vector<char> ready_;
    std::uint64_t ready_offset_ = 0; ///< where ready_ stands in the segment
    std::size_t changed_ = 0;
    bool ended_ = false;
};

} // namespace chargifyd::journal
