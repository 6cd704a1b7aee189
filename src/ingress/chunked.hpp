#pragma once

#include "ingress/gate.hpp"

#include <cstddef>
#include <span>

namespace chargifyd::ingress {

/// Reads a chunked body where it lies: the data of the chunks is moved together at its beginning.
///
/// Only the plainest form is taken: sizes of one to eight hex digits, no extensions, no trailers, CRLF
/// everywhere. Whatever a proxy might read in another way is refused.
class chunk_reader {
public:
    enum class outcome { more, complete, refused };

    explicit chunk_reader(std::size_t max_body_bytes) noexcept
        : max_body_bytes_(max_body_bytes)
    {}

    /// `bytes`: everything received so far behind the head. They may have moved since the last call, but
    /// those before `received()` must be as this left them.
    outcome read(std::span<char> bytes) noexcept;

    std::size_t body_bytes() const noexcept { return body_; }
    /// Bytes used up, framing and data.
    std::size_t received() const noexcept { return received_; }
    /// Why it was refused.
    refusal reason() const noexcept { return reason_; }

private:
    enum class place { size, size_lf, data, data_cr, data_lf, end_cr, end_lf };

    outcome refuse(refusal why) noexcept;
    bool take_framing(char c) noexcept;

    const std::size_t max_body_bytes_;
    place place_ = place::size;
    std::size_t left_ = 0; ///< of the chunk
    unsigned digits_ = 0;
    std::size_t body_ = 0;
    std::size_t received_ = 0;
    bool complete_ = false;
    refusal reason_ = refusal::bad_request;
};

} // namespace chargifyd::ingress
