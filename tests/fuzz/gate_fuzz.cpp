#include "fuzz.hpp"
#include "ingress/gate.hpp"

#include <optional>
#include <string>
#include <vector>

/// The input is what a client sends first. Promises: how it is cut into pieces changes no verdict; what is
/// accepted is unambiguous, judged here by a second reading of the same bytes; nothing that makes a head
/// ambiguous can be added to one that is accepted.
namespace chargifyd::ingress {
namespace {

using fuzz::require;
using outcome = head_scanner::outcome;

constexpr gate_limits limits{12, 1000};
constexpr std::size_t most_cuts = 400;

struct verdict {
    outcome found = outcome::more;
    std::size_t length = 0;

    bool operator==(const verdict&) const = default;
};

/// Bytes in memory of their own, so that a look beyond them is seen.
std::vector<char> alone(std::string_view bytes)
{
    return {bytes.begin(), bytes.end()};
}

verdict look(head_scanner& scanner, std::string_view bytes)
{
    const std::vector<char> copy = alone(bytes);
    const outcome found = scanner.scan({copy.data(), copy.size()});
    return {found, found == outcome::complete ? scanner.length() : 0};
}

/// The verdict when bytes arrive up to each of `ends`, and then all.
verdict judge(std::string_view bytes, const std::vector<std::size_t>& ends)
{
    head_scanner scanner;
    for (const std::size_t end : ends) {
        const verdict early = look(scanner, bytes.substr(0, end));
        if (early.found != outcome::more)
            return early;
    }
    return look(scanner, bytes);
}

std::string lower(std::string_view text)
{
    std::string out(text);
    for (char& c : out)
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return out;
}

struct header_field {
    std::string name;
    std::string value;
};

/// A plain reading of an accepted head: lines end with CRLF, names end at the first colon.
struct second_reading {
    explicit second_reading(std::string_view head)
    {
        while (!head.starts_with("\r\n")) {
            const std::size_t end = head.find("\r\n");
            require(end != std::string_view::npos, "an accepted head ends with an empty line");
            take_line(head.substr(0, end));
            head.remove_prefix(end + 2);
        }
        require(head.size() == 2, "nothing follows the empty line");
    }

    void take_line(std::string_view line)
    {
        for (const char c : line)
            require(c == '\t' || (c >= ' ' && c != '\x7f') || static_cast<unsigned char>(c) >= 0x80,
                    "no control character is accepted");
        if (request_line.empty()) {
            request_line = line;
            return;
        }
        const std::size_t colon = line.find(':');
        require(colon != std::string_view::npos && colon > 0, "every field has a name");
        const std::string_view name = line.substr(0, colon);
        require(name.find_first_of(" \t") == std::string_view::npos,
                "no line is folded, no name has a blank");
        std::string_view value = line.substr(colon + 1);
        while (!value.empty() && (value.front() == ' ' || value.front() == '\t'))
            value.remove_prefix(1);
        while (!value.empty() && (value.back() == ' ' || value.back() == '\t'))
            value.remove_suffix(1);
        fields.push_back({lower(name), std::string(value)});
    }

    std::size_t count(std::string_view name) const
    {
        std::size_t n = 0;
        for (const header_field& f : fields)
            n += f.name == name ? 1 : 0;
        return n;
    }

    std::string first(std::string_view name) const
    {
        for (const header_field& f : fields)
            if (f.name == name)
                return f.value;
        return {};
    }

    std::string request_line;
    std::vector<header_field> fields;
};

void require_inside(std::string_view part, std::string_view head)
{
    require(part.empty() ||
                (part.data() >= head.data() && part.data() + part.size() <= head.data() + head.size()),
            "views point into the head");
}

void check_request_line(const second_reading& plain, const request_head& head)
{
    std::string target(head.path);
    if (!head.query.empty() || plain.request_line.find('?') != std::string::npos)
        target += "?" + std::string(head.query);
    const std::string start = std::string(head.method) + " " + target + " HTTP/1.";
    require(plain.request_line == start + "1" || plain.request_line == start + "0",
            "the request line is method, target and version");
    require(head.path.starts_with('/'), "the path begins with a slash");
    require(head.path.find('?') == std::string_view::npos, "the query begins at the first question mark");
}

void check_length(const second_reading& plain, const request_head& head, bool version_11)
{
    const bool no_body = head.method == "GET" || head.method == "HEAD";
    require(plain.count("transfer-encoding") == (head.chunked ? 1U : 0U), "a transfer coding stands once");
    require(!head.chunked || (lower(plain.first("transfer-encoding")) == "chunked" && version_11 && !no_body),
            "the only transfer coding is chunked");
    require(plain.count("content-length") <= (head.chunked ? 0U : 1U),
            "a length stands once, or a coding does");
    require(plain.count("content-length") == 1 || head.chunked || head.method != "POST",
            "the body of a POST is delimited");
    const std::string length = plain.first("content-length");
    require(length.find_first_not_of("0123456789") == std::string::npos, "a length is digits");
    require(head.content_length == (length.empty() ? 0 : std::strtoull(length.c_str(), nullptr, 10)),
            "the length is the one that was sent");
    require(head.content_length <= limits.max_body_bytes, "the body is within its limit");
    require(head.content_length == 0 || !no_body, "GET and HEAD have no body");
}

void check_accepted(std::string_view bytes, const request_head& head)
{
    const second_reading plain(bytes);
    const bool version_11 = plain.request_line.ends_with("1");
    check_request_line(plain, head);
    check_length(plain, head, version_11);
    require(plain.fields.size() <= limits.max_header_fields, "the fields are within their limit");
    require(plain.count("host") == 1 || (plain.count("host") == 0 && !version_11), "there is one host");
    require(head.host == plain.first("host"), "the host is the one that was sent");
    require(plain.count("content-encoding") == 0 || lower(plain.first("content-encoding")) == "identity",
            "no encoding is accepted");
    require(head.expects_continue == (version_11 && plain.count("expect") == 1),
            "an expectation is a 100-continue");
    constexpr std::string_view signature = "x-chargify-webhook-signature-hmac-sha-256";
    require(head.signatures == plain.count(signature), "every signature is counted");
    require(head.signature == plain.first(signature), "the first signature is taken");
    require(head.forwarded_for.size() == plain.count("x-forwarded-for"), "every proxy is heard");
    for (const std::string_view part :
         {head.method, head.path, head.query, head.host, head.authorization, head.signature})
        require_inside(part, bytes);
}

std::optional<refusal> read_copy(const std::string& head)
{
    request_head into;
    const std::vector<char> copy = alone(head);
    return read_head({copy.data(), copy.size()}, limits, into);
}

/// Adds one line to an accepted head.
void check_additions(std::string_view bytes, const request_head& head)
{
    const std::string before(bytes.substr(0, bytes.size() - 2));
    const auto refused = [&](std::string_view line) {
        return read_copy(before + std::string(line) + "\r\n\r\n").has_value();
    };
    require(refused("Transfer-Encoding: gzip"), "an unknown transfer coding is refused");
    require(refused(" folded"), "a folded line is refused");
    require(refused("Host : a"), "a blank before the colon is refused");
    require(refused(std::string_view("X: a\0b", 6)), "a NUL is refused");
    require(refused("X: a\nY: b"), "a bare line feed is refused");
    require(refused("X: a\rY: b"), "a bare carriage return is refused");
    if (!head.host.empty())
        require(refused("Host: other"), "a second host is refused");
    if (head.method != "POST")
        return;
    require(refused("Transfer-Encoding: chunked"), "a coding next to a length, or a second one, is refused");
    require(refused("Content-Length: " + std::to_string(head.content_length)),
            "a length next to a coding, or a second one of the same value, is refused");
}

void fuzz_one(std::string_view bytes)
{
    const verdict whole = judge(bytes, {});
    std::vector<std::size_t> every;
    for (std::size_t end = 0; end <= std::min(bytes.size(), most_cuts); ++end) {
        require(judge(bytes, {end}) == whole, "two pieces get the verdict of the whole");
        every.push_back(end);
    }
    require(judge(bytes, every) == whole, "single bytes get the verdict of the whole");
    if (whole.found != outcome::complete)
        return;
    const std::vector<char> copy = alone(bytes.substr(0, whole.length));
    const std::string_view head_bytes(copy.data(), copy.size());
    request_head head;
    if (read_head(head_bytes, limits, head))
        return;
    check_accepted(head_bytes, head);
    check_additions(head_bytes, head);
}

} // namespace
} // namespace chargifyd::ingress

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    chargifyd::ingress::fuzz_one(chargifyd::fuzz::text_of(data, size));
    return 0;
}
