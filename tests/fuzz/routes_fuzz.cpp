#include "fuzz.hpp"
#include "ingress/routes.hpp"

#include <string>
#include <vector>

/// The first line of the input is a target, the others are signature headers. Promises: a path leads where
/// it says, byte by byte; a signature counts only when it stands once and is 64 hex digits, and the query is
/// looked at only without a header.
namespace chargifyd::ingress {
namespace {

using fuzz::require;

std::vector<std::string> split(std::string_view text, char at)
{
    std::vector<std::string> parts(1);
    for (const char c : text) {
        if (c == at)
            parts.emplace_back();
        else
            parts.back() += c;
    }
    return parts;
}

/// The values of a parameter, empty for one without `=`.
std::vector<std::string> values_of(std::string_view query, std::string_view name)
{
    std::vector<std::string> values;
    for (const std::string& pair : split(query, '&')) {
        const std::size_t equals = pair.find('=');
        if (pair.substr(0, equals) == name)
            values.push_back(equals == std::string::npos ? "" : pair.substr(equals + 1));
    }
    return values;
}

bool is_digest(const std::string& text)
{
    return text.size() == 64 && text.find_first_not_of("0123456789abcdefABCDEF") == std::string::npos;
}

void check_route(std::string_view path)
{
    const target found = find_route(path);
    switch (found.to) {
    case route::site:
        require(path == "/webhooks/" + std::string(found.site), "a site is what follows /webhooks/");
        require(!found.site.empty() && found.site.find('/') == std::string_view::npos,
                "a site is one segment");
        return;
    case route::only_site:
        require(path == "/webhooks", "the only site is /webhooks");
        return;
    case route::health:
        require(path == "/healthz", "the health is /healthz");
        return;
    case route::none:
        require(path != "/healthz" && path != "/webhooks", "known paths are found");
        return;
    }
}

void check_signature(std::string_view query, const std::vector<std::string>& headers)
{
    request_head head;
    head.query = query;
    head.signatures = static_cast<unsigned>(headers.size());
    if (!headers.empty())
        head.signature = headers.front();
    const given_signature given = find_signature(head);

    std::vector<std::string> wanted = headers;
    if (wanted.empty())
        wanted = values_of(query, "signature_hmac_sha_256");
    if (wanted.empty())
        wanted = values_of(query, "signature");
    require(given.present == !wanted.empty(), "a signature is seen when there is one");
    require(given.value.has_value() == (wanted.size() == 1 && is_digest(wanted.front())),
            "a signature stands once and is 64 hex digits");
    if (!given.value)
        return;
    std::string lower = wanted.front();
    for (char& c : lower)
        c = c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
    require(to_hex(*given.value) == lower, "the signature is the one that was given");
}

void fuzz_one(std::string_view input)
{
    std::vector<std::string> lines = split(input, '\n');
    const std::string target = lines.front();
    lines.erase(lines.begin());
    const std::size_t mark = target.find('?');
    check_route(std::string_view(target).substr(0, mark));
    check_signature(
        mark == std::string::npos ? std::string_view() : std::string_view(target).substr(mark + 1), lines);
}

} // namespace
} // namespace chargifyd::ingress

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    chargifyd::ingress::fuzz_one(chargifyd::fuzz::text_of(data, size));
    return 0;
}
