#include "ingress/request_id.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <random>

namespace chargifyd::ingress {
namespace {

std::string random_prefix()
{
    std::random_device source;
    std::array<char, 16> text{};
    const int length = std::snprintf(text.data(), text.size(), "%08x%04x-", source(), source() & 0xFFFFU);
    return {text.data(), static_cast<std::size_t>(length)};
}

} // namespace

bool request_id::is_good(std::string_view name) noexcept
{
    return !name.empty() && name.size() <= longest &&
           name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
               std::string_view::npos;
}

void request_id::assign(std::string_view name) noexcept
{
    size_ = std::min(name.size(), longest);
    std::copy_n(name.begin(), size_, text_.begin());
}

request_id_source::request_id_source()
    : prefix_(random_prefix())
{}

void request_id_source::name(request_id& unnamed) noexcept
{
    std::array<char, request_id::longest> text{};
    char* const number = std::copy(prefix_.begin(), prefix_.end(), text.begin());
    const auto end = std::to_chars(number, text.data() + text.size(), next_.fetch_add(1)).ptr;
    unnamed.assign({text.data(), static_cast<std::size_t>(end - text.data())});
}

} // namespace chargifyd::ingress
