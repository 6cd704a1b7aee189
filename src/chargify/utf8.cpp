#include "utf8.hpp"

#include "chargifyd/chargify/form.hpp"

#include <algorithm>

namespace chargifyd::chargify {

namespace {

/// What may follow a lead byte (the Unicode Standard, table 3-7).
struct lead {
    std::size_t more = 0;           ///< continuation bytes
    unsigned char first_low = 0x80; ///< the narrower range of the first of them
    unsigned char first_high = 0xbf;
};

lead classify(unsigned char byte) noexcept
{
    if (byte >= 0xc2 && byte <= 0xdf)
        return {1};
    if (byte == 0xe0)
        return {2, 0xa0};
    if (byte == 0xed)
        return {2, 0x80, 0x9f};
    if (byte >= 0xe1 && byte <= 0xef)
        return {2};
    if (byte == 0xf0)
        return {3, 0x90};
    if (byte == 0xf4)
        return {3, 0x80, 0x8f};
    if (byte >= 0xf1 && byte <= 0xf3)
        return {3};
    return {};
}

} // namespace

utf8_step read_utf8(std::string_view text, std::size_t at) noexcept
{
    const auto byte_at = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    if (byte_at(at) < 0x80)
        return {1, true};
    const lead l = classify(byte_at(at));
    std::size_t length = 1;
    unsigned char low = l.first_low;
    unsigned char high = l.first_high;
    while (length <= l.more && at + length < text.size()) {
        const unsigned char next = byte_at(at + length);
        if (next < low || next > high)
            break;
        low = 0x80;
        high = 0xbf;
        ++length;
    }
    return {length, l.more > 0 && length == l.more + 1};
}

std::string clean_utf8(std::string_view text)
{
    const auto is_clean = [](char c) { return c != '\0' && static_cast<unsigned char>(c) < 0x80; };
    if (std::ranges::all_of(text, is_clean)) // nearly every value
        return std::string(text);
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        const utf8_step step = read_utf8(text, at);
        if (step.valid && text[at] != '\0')
            out.append(text, at, step.length);
        else
            out.append(replacement_character);
        at += step.length;
    }
    return out;
}

} // namespace chargifyd::chargify
