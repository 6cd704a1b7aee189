#pragma once

#include "chargifyd/base/error.hpp"
#include "chargifyd/ingress/operator_server.hpp"

#include <nlohmann/json.hpp>

#include <charconv>
#include <optional>
#include <string>
#include <string_view>

/// Answers of the operator's HTTP.
namespace chargifyd::admin {

ingress::operator_reply json_reply(unsigned status, const nlohmann::ordered_json& body);
ingress::operator_reply text_reply(unsigned status, std::string text);
/// `{"error": why}`
ingress::operator_reply refusal(unsigned status, const std::string& why);
ingress::operator_reply failure_reply(const error& e);

template <class Integer>
std::optional<Integer> parse_integer(std::string_view text)
{
    Integer number{};
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failed != std::errc() || end != text.data() + text.size() || text.empty())
        return std::nullopt;
    return number;
}

} // namespace chargifyd::admin
