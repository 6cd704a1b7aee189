#include "simulate/endpoint.hpp"

#include "simulate/request.hpp"

// The definitions of Boost.URL; no other file of the project includes them.
#include <boost/url/src.hpp>

#include <charconv>
#include <cstdint>

namespace chargifyd::simulate {

namespace {

namespace urls = boost::urls;

std::string text(urls::string_view v)
{
    return {v.data(), v.size()};
}

void replace_all(std::string& in, std::string_view what, std::string_view by)
{
    for (auto at = in.find(what); at != std::string::npos; at = in.find(what, at + by.size()))
        in.replace(at, what.size(), by);
}

bool is_port(const std::string& digits)
{
    std::uint16_t port = 0;
    const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    return ec == std::errc() && end == digits.data() + digits.size() && port != 0;
}

/// Braces are no characters of a URL: the grammar is checked with digits in their place.
std::string without_placeholders(std::string_view url)
{
    std::string plain(url);
    replace_all(plain, hmac_placeholder, "0");
    replace_all(plain, md5_placeholder, "0");
    return plain;
}

std::string path_of(std::string_view url)
{
    const auto authority = url.find("://") + 3;
    const auto end = url.find_first_of("/?", authority);
    if (end == std::string_view::npos)
        return "/";
    return url[end] == '/' ? std::string(url.substr(end)) : "/" + std::string(url.substr(end));
}

} // namespace

result<endpoint> parse_endpoint(std::string_view url)
{
    const std::string plain = without_placeholders(url);
    const auto parsed = urls::parse_uri(plain);
    if (!parsed)
        return make_error(errc::invalid, "not a URL; expected https://HOST[:PORT]/webhooks/SITE");
    const urls::url_view& v = *parsed;
    const bool https = v.scheme_id() == urls::scheme::https;
    if (!https && v.scheme_id() != urls::scheme::http)
        return make_error(errc::invalid, "the URL must begin with http:// or https://");
    if (v.host().empty())
        return make_error(errc::invalid, "the URL names no host");
    if (v.has_userinfo() || v.has_fragment())
        return make_error(errc::invalid, "the URL of a webhook has no user name and no fragment");
    if (v.has_port() && !is_port(text(v.port())))
        return make_error(errc::invalid, "the port in the URL must be between 1 and 65535");

    endpoint out;
    out.tls = https;
    out.numeric_host = v.host_type() != urls::host_type::name;
    out.host = v.host_address();
    out.port = v.has_port() ? text(v.port()) : https ? "443" : "80";
    out.host_header = text(v.encoded_host_and_port());
    out.path = path_of(url);
    return out;
}

} // namespace chargifyd::simulate
