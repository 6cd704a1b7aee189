#include "ingress/chunked.hpp"

#include <algorithm>
#include <cstring>

namespace chargifyd::ingress {

namespace {

/// More framing than this around a body is an attack: a chunk costs at least five bytes.
constexpr std::size_t most_framing_bytes = 64 * 1024;
constexpr unsigned most_digits = 8;

int hex_value(char c) noexcept
{
    if (c >= '0' && c <= '9')
        return c - '0';
    const char lower = static_cast<char>(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

} // namespace

chunk_reader::outcome chunk_reader::refuse(refusal why) noexcept
{
    reason_ = why;
    return outcome::refused;
}

/// One byte that is no data. False: it may not stand here.
bool chunk_reader::take_framing(char c) noexcept
{
    switch (place_) {
    case place::size:
        if (const int digit = hex_value(c); digit >= 0) {
            left_ = left_ * 16 + static_cast<std::size_t>(digit);
            return ++digits_ <= most_digits;
        }
        place_ = place::size_lf;
        return c == '\r' && digits_ > 0;
    case place::size_lf:
        place_ = left_ > 0 ? place::data : place::end_cr;
        digits_ = 0;
        return c == '\n';
    case place::data_cr:
        place_ = place::data_lf;
        return c == '\r';
    case place::data_lf:
        place_ = place::size;
        return c == '\n';
    case place::end_cr:
        place_ = place::end_lf;
        return c == '\r';
    case place::end_lf:
        complete_ = true;
        return c == '\n';
    case place::data:
        break;
    }
    return false;
}

chunk_reader::outcome chunk_reader::read(std::span<char> bytes) noexcept
{
    while (received_ < bytes.size() && !complete_) {
        if (place_ != place::data) {
            if (!take_framing(bytes[received_++]) || received_ - body_ > most_framing_bytes)
                return refuse(refusal::bad_request);
            if (left_ > max_body_bytes_ - body_)
                return refuse(refusal::too_large);
            continue;
        }
        const std::size_t taken = std::min(left_, bytes.size() - received_);
        std::memmove(bytes.data() + body_, bytes.data() + received_, taken);
        body_ += taken;
        received_ += taken;
        left_ -= taken;
        if (left_ == 0)
            place_ = place::data_cr;
    }
    return complete_ ? outcome::complete : outcome::more;
}

} // namespace chargifyd::ingress
