#include "ingress/gate.hpp"

#include "chargifyd/chargify/signature.hpp"

#include <boost/beast/core/string.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/field.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

namespace chargifyd::ingress {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;

constexpr bool is_digit(char c) noexcept
{
    return c >= '0' && c <= '9';
}

constexpr bool is_letter(char c) noexcept
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// A set of characters: every byte of every head is looked up in one.
class character_set {
public:
    template <class F>
    explicit consteval character_set(F accepts)
    {
        for (unsigned c = 0; c < accepted_.size(); ++c)
            accepted_[c] = accepts(static_cast<char>(c));
    }

    constexpr bool has(char c) const noexcept { return accepted_[static_cast<unsigned char>(c)]; }
    constexpr bool has_all(std::string_view text) const noexcept
    {
        return std::ranges::all_of(text, [this](char c) { return has(c); });
    }

private:
    std::array<bool, 256> accepted_{};
};

constexpr character_set digits([](char c) { return is_digit(c); });
constexpr character_set token_characters([](char c) {
    return is_digit(c) || is_letter(c) ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
});
/// Visible ASCII without `#`: a fragment never goes over the wire.
constexpr character_set target_characters([](char c) { return c > ' ' && c < '\x7F' && c != '#'; });
/// Visible characters, blanks and bytes beyond ASCII; no control character.
constexpr character_set value_characters([](char c) {
    return c == '\t' || static_cast<unsigned char>(c) >= 0x80 || (c >= ' ' && c < '\x7F');
});
constexpr character_set name_characters([](char c) {
    return is_letter(c) || is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~';
});

bool good_request_line(std::string_view line) noexcept
{
    const auto first = line.find(' ');
    const auto second = first == std::string_view::npos ? first : line.find(' ', first + 1);
    if (second == std::string_view::npos)
        return false;
    const auto method = line.substr(0, first);
    const auto target = line.substr(first + 1, second - first - 1);
    const auto version = line.substr(second + 1);
    return !method.empty() && token_characters.has_all(method) && target.starts_with('/') &&
           target_characters.has_all(target) && (version == "HTTP/1.1" || version == "HTTP/1.0");
}

/// A line that begins with a blank (a folded line) has no name and fails here, as has a blank before the
/// colon.
bool good_field_line(std::string_view line) noexcept
{
    const auto colon = line.find(':');
    return colon != std::string_view::npos && colon > 0 && token_characters.has_all(line.substr(0, colon)) &&
           value_characters.has_all(line.substr(colon + 1));
}

/// The grammar, line by line. CR and LF are only found together, at the ends of lines: the scanner saw to the
/// LFs, and a CR inside a line is no character of any part of it.
std::optional<refusal> judge_lines(std::string_view head, std::size_t max_fields) noexcept
{
    std::size_t lines = 0;
    while (!head.starts_with("\r\n")) {
        const auto end = head.find("\r\n");
        if (end == std::string_view::npos)
            return refusal::bad_request;
        const auto line = head.substr(0, end);
        if (lines == 0 ? !good_request_line(line) : !good_field_line(line))
            return refusal::bad_request;
        if (lines++ > max_fields)
            return refusal::header_too_large;
        head.remove_prefix(end + 2);
    }
    return lines > 0 && head.size() == 2 ? std::nullopt : std::optional(refusal::bad_request);
}

/// A field that may stand once.
struct single_field {
    std::string_view value;
    unsigned count = 0;

    void take(std::string_view found) noexcept
    {
        if (count++ == 0)
            value = found;
    }
};

/// Beast's parser, told to keep views of the fields that decide something and nothing else.
class head_parser final : public http::basic_parser<true> {
public:
    explicit head_parser(request_head& into)
        : head_(into)
    {
        // Both are judged here, with a status of their own.
        header_limit(std::numeric_limits<std::uint32_t>::max());
        body_limit(boost::none);
    }

    single_field host, length, coding, expect, content_encoding, authorization, request_id;
    int version = 0;

private:
    static std::string_view view(beast::string_view text) noexcept { return {text.data(), text.size()}; }

    void on_request_impl(http::verb, beast::string_view method, beast::string_view target, int http_version,
                         beast::error_code&) override
    {
        version = http_version;
        head_.method = view(method);
        const auto whole = view(target);
        const auto mark = whole.find('?');
        head_.path = whole.substr(0, mark);
        head_.query = mark == std::string_view::npos ? std::string_view() : whole.substr(mark + 1);
    }

    void on_field_impl(http::field known, beast::string_view name, beast::string_view text,
                       beast::error_code&) override
    {
        const auto value = view(text);
        if (known == http::field::host)
            host.take(value);
        else if (known == http::field::content_length)
            length.take(value);
        else if (known == http::field::transfer_encoding)
            coding.take(value);
        else if (known == http::field::expect)
            expect.take(value);
        else if (known == http::field::content_encoding)
            content_encoding.take(value);
        else if (known == http::field::authorization)
            authorization.take(value);
        else if (beast::iequals(name, "X-Forwarded-For"))
            head_.forwarded_for.push_back(value);
        else if (beast::iequals(name, "X-Request-Id"))
            request_id.take(value);
        else if (beast::iequals(name,
                                {chargify::signature_header.data(), chargify::signature_header.size()})) {
            if (head_.signatures++ == 0)
                head_.signature = value;
        }
    }

    // The body is not the parser's: it ends where the head ends.
    void on_response_impl(int, beast::string_view, int, beast::error_code&) override {}
    void on_header_impl(beast::error_code&) override {}
    void on_body_init_impl(const boost::optional<std::uint64_t>&, beast::error_code&) override {}
    std::size_t on_body_impl(beast::string_view body, beast::error_code&) override { return body.size(); }
    void on_chunk_header_impl(std::uint64_t, beast::string_view, beast::error_code&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view body, beast::error_code&) override
    {
        return body.size();
    }
    void on_finish_impl(beast::error_code&) override {}

    request_head& head_;
};

bool iequals(std::string_view a, std::string_view b)
{
    return beast::iequals({a.data(), a.size()}, {b.data(), b.size()});
}

/// host [":" port]: a name, an IPv4 address, or an IPv6 address in brackets.
bool good_host(std::string_view value) noexcept
{
    const auto name_end = value.starts_with('[') ? value.find(']') : value.find(':');
    auto name = value.substr(0, name_end);
    auto port = name_end == std::string_view::npos ? std::string_view() : value.substr(name_end);
    if (name.starts_with('[')) {
        const auto inside = name.substr(1);
        if (name_end == std::string_view::npos || inside.find(':') == std::string_view::npos ||
            inside.find_first_not_of("0123456789abcdefABCDEF:.") != std::string_view::npos)
            return false;
        port.remove_prefix(1);
    } else if (name.empty() || !name_characters.has_all(name)) {
        return false;
    }
    return port.empty() || (port.starts_with(':') && port.size() <= 6 && digits.has_all(port.substr(1)));
}

/// A body is delimited by one length, or is chunked and nothing else; all else with a coding is ambiguous.
std::optional<refusal> judge_length(const head_parser& fields, bool version_11, const gate_limits& limits,
                                    request_head& head)
{
    const bool has_body = head.method != "GET" && head.method != "HEAD";
    if (fields.coding.count > 0) {
        head.chunked = fields.coding.count == 1 && iequals(fields.coding.value, "chunked") && version_11 &&
                       has_body && fields.length.count == 0;
        return head.chunked ? std::nullopt : std::optional(refusal::bad_request);
    }
    if (fields.length.count == 0)
        return head.method == "POST" ? std::optional(refusal::no_length) : std::nullopt;
    const auto text = fields.length.value;
    if (fields.length.count > 1 || text.empty() || !digits.has_all(text))
        return refusal::bad_request;
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), head.content_length);
    if (!has_body && (fault != std::errc() || head.content_length > 0))
        return refusal::bad_request;
    if (fault != std::errc() || head.content_length > limits.max_body_bytes)
        return refusal::too_large;
    return std::nullopt;
}

std::optional<refusal> judge_fields(const head_parser& fields, bool version_11, const gate_limits& limits,
                                    request_head& head)
{
    if (fields.host.count > 1 || fields.authorization.count > 1 || fields.expect.count > 1 ||
        fields.content_encoding.count > 1)
        return refusal::bad_request;
    if ((version_11 || fields.host.count > 0) && !good_host(fields.host.value))
        return refusal::bad_request;
    if (const auto refused = judge_length(fields, version_11, limits, head))
        return refused;
    if (fields.content_encoding.count > 0 && !iequals(fields.content_encoding.value, "identity"))
        return refusal::encoding;
    // HTTP/1.0 knows no expectations and has to ignore them.
    if (fields.expect.count > 0 && version_11) {
        if (!iequals(fields.expect.value, "100-continue"))
            return refusal::expectation;
        head.expects_continue = true;
    }
    head.host = fields.host.value;
    head.authorization = fields.authorization.value;
    if (fields.request_id.count == 1)
        head.request_id = fields.request_id.value;
    return std::nullopt;
}

} // namespace

std::string_view name_of(refusal reason) noexcept
{
    switch (reason) {
    case refusal::bad_request:
        return "bad_request";
    case refusal::too_large:
        return "too_large";
    case refusal::header_too_large:
        return "header_too_large";
    case refusal::no_length:
        return "no_length";
    case refusal::slow:
        return "slow";
    case refusal::not_found:
        return "not_found";
    case refusal::method:
        return "method";
    case refusal::encoding:
        return "encoding";
    case refusal::expectation:
        return "expectation";
    }
    return "bad_request";
}

head_scanner::outcome head_scanner::scan(std::string_view bytes) noexcept
{
    // A method begins with a letter or another token character; TLS, PROXY v2 and empty lines do not.
    if (scanned_ == 0 && !bytes.empty() && !token_characters.has(bytes[0]))
        return outcome::malformed;
    while (scanned_ < bytes.size()) {
        const auto lf = bytes.find('\n', scanned_);
        if (lf == std::string_view::npos) {
            scanned_ = bytes.size();
            break;
        }
        scanned_ = lf + 1;
        if (lf == 0 || bytes[lf - 1] != '\r')
            return outcome::malformed;
        const bool empty_line = lf - line_start_ == 1;
        line_start_ = lf + 1;
        if (empty_line)
            return outcome::complete;
    }
    return outcome::more;
}

std::optional<refusal> read_head(std::string_view head, const gate_limits& limits, request_head& into)
{
    into = {};
    if (const auto refused = judge_lines(head, limits.max_header_fields))
        return refused;

    head_parser parser(into);
    beast::error_code ec;
    const std::size_t used = parser.put(boost::asio::const_buffer(head.data(), head.size()), ec);
    if (ec || used != head.size() || !parser.is_header_done())
        return refusal::bad_request;
    into.keep_alive = parser.keep_alive();
    return judge_fields(parser, parser.version == 11, limits, into);
}

} // namespace chargifyd::ingress
