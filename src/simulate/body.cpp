#include "chargifyd/simulate/body.hpp"

#include <array>
#include <charconv>

namespace chargifyd::simulate {

namespace {

bool is_bare(char c) noexcept
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-._!'()").find(c) != std::string_view::npos;
}

void append_encoded(std::string& out, std::string_view text, std::string_view also_bare = {})
{
    static constexpr char digits[] = "0123456789ABCDEF";
    for (const char c : text) {
        if (is_bare(c) || also_bare.find(c) != std::string_view::npos) {
            out += c;
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        out += '%';
        out += digits[byte >> 4];
        out += digits[byte & 15];
    }
}

template <class T>
void append_number(std::string& out, T number)
{
    std::array<char, 20> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    out.append(digits.data(), end);
}

} // namespace

body_writer& body_writer::add(std::string_view key, std::string_view value)
{
    if (!out_.empty())
        out_ += '&';
    append_encoded(out_, key, "[]");
    out_ += '=';
    append_encoded(out_, value);
    return *this;
}

body_writer& body_writer::add(std::string_view key, std::int64_t value)
{
    std::string digits;
    append_number(digits, value);
    return add(key, digits);
}

webhook test_webhook(std::int64_t id)
{
    body_writer out;
    out.add("id", id).add("event", "test").add("payload[chargify]", "testing");
    return {id, "test", out.str(), {}};
}

} // namespace chargifyd::simulate
