#include "ingress/routes.hpp"

namespace chargifyd::ingress {
namespace {

struct parameter {
    std::string_view value;
    unsigned count = 0;
};

/// A parameter of the query as sent: hex digits need no percent-encoding.
parameter find_parameter(std::string_view query, std::string_view name) noexcept
{
    parameter found;
    while (!query.empty()) {
        const auto end = query.find('&');
        const auto pair = query.substr(0, end);
        const auto equals = pair.find('=');
        if (pair.substr(0, equals) == name && found.count++ == 0 && equals != std::string_view::npos)
            found.value = pair.substr(equals + 1);
        query = end == std::string_view::npos ? std::string_view() : query.substr(end + 1);
    }
    return found;
}

given_signature judge(std::string_view value, unsigned count) noexcept
{
    given_signature given;
    given.present = count > 0;
    if (count == 1)
        given.value = parse_digest(value);
    return given;
}

} // namespace

target find_route(std::string_view path) noexcept
{
    constexpr std::string_view webhooks = "/webhooks";
    target found;
    if (path == "/healthz") {
        found.to = route::health;
    } else if (path == webhooks) {
        found.to = route::only_site;
    } else if (path.starts_with("/webhooks/")) {
        found.site = path.substr(webhooks.size() + 1);
        if (!found.site.empty() && found.site.find('/') == std::string_view::npos)
            found.to = route::site;
    }
    return found;
}

given_signature find_signature(const request_head& head) noexcept
{
    if (head.signatures > 0)
        return judge(head.signature, head.signatures);
    for (const std::string_view name : {"signature_hmac_sha_256", "signature"}) {
        const auto found = find_parameter(head.query, name);
        if (found.count > 0)
            return judge(found.value, found.count);
    }
    return {};
}

} // namespace chargifyd::ingress
