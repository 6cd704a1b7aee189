#include "fuzz.hpp"
#include "ingress/proxy_header.hpp"

#include <boost/asio/ip/address.hpp>

#include <arpa/inet.h>
#include <optional>
#include <string>
#include <vector>

/// The input is what a trusted proxy's connection begins with. Promises: a header is taken exactly when a
/// plain reading finds one, and says the same; it ends where that ends; a verdict on a beginning is final, so
/// how the bytes are cut makes no difference.
namespace chargifyd::ingress {
namespace {

using fuzz::require;
using outcome = proxy_header::outcome;

struct plain_header {
    std::size_t bytes = 0;
    std::string source; ///< empty: nobody else
};

std::vector<std::string> words_of(const std::string& line)
{
    std::vector<std::string> words(1);
    for (const char c : line) {
        if (c == ' ')
            words.emplace_back();
        else
            words.back().push_back(c);
    }
    return words;
}

/// As written by hand: digits only, and the same when it is printed again.
bool is_plain_port(const std::string& word)
{
    if (word.empty() || word.size() > 5 || word.find_first_not_of("0123456789") != std::string::npos)
        return false;
    const int value = std::atoi(word.c_str());
    return value <= 65535 && std::to_string(value) == word;
}

/// The address as the library writes it, empty when it is none of that family.
std::string plain_address(const std::string& word, bool v6)
{
    boost::system::error_code ec;
    // A C string would end early, and scopes are for one machine only.
    if (word.find('\0') != std::string::npos || word.find('%') != std::string::npos)
        return {};
    const auto address = boost::asio::ip::make_address(word, ec);
    return !ec && address.is_v6() == v6 ? address.to_string() : std::string();
}

std::optional<plain_header> plain_line(const std::string& input)
{
    const auto end = input.find("\r\n");
    if (end == std::string::npos || end + 2 > 107 || input.substr(0, end).find('\n') != std::string::npos)
        return std::nullopt;
    const std::string line = input.substr(0, end);
    const auto words = words_of(line);
    if (words.size() < 2 || words[0] != "PROXY")
        return std::nullopt;
    if (words[1] == "UNKNOWN") {
        for (const char c : line)
            if (c < 0x20 || c > 0x7E)
                return std::nullopt;
        return plain_header{end + 2, {}};
    }
    const bool v6 = words[1] == "TCP6";
    if ((words[1] != "TCP4" && !v6) || words.size() != 6 || !is_plain_port(words[4]) ||
        !is_plain_port(words[5]))
        return std::nullopt;
    const std::string source = plain_address(words[2], v6);
    if (source.empty() || plain_address(words[3], v6).empty())
        return std::nullopt;
    return plain_header{end + 2, source};
}

std::optional<plain_header> plain_block(const std::string& input)
{
    const auto at = [&input](std::size_t i) {
        return static_cast<unsigned>(static_cast<unsigned char>(input[i]));
    };
    if (input.size() < 16 || input.substr(0, 12) != std::string("\r\n\r\n\0\r\nQUIT\n", 12))
        return std::nullopt;
    const std::size_t length = at(14) * 256 + at(15);
    const std::size_t end = 16 + length;
    if ((at(12) != 0x20 && at(12) != 0x21) || length > 1024 || input.size() < end)
        return std::nullopt;
    if (at(12) == 0x20 || at(13) == 0x00)
        return plain_header{end, {}};
    const bool v6 = at(13) == 0x21;
    if (at(13) != 0x11 && !v6)
        return std::nullopt;
    std::size_t next = 16 + std::size_t{v6 ? 36U : 12U};
    while (next + 3 <= end)
        next += 3 + at(next + 1) * 256 + at(next + 2);
    if (next != end)
        return std::nullopt;
    char text[INET6_ADDRSTRLEN] = {};
    ::inet_ntop(v6 ? AF_INET6 : AF_INET, input.data() + 16, text, sizeof text);
    return plain_header{end, plain_address(text, v6)};
}

bool same(const proxy_header& a, const proxy_header& b)
{
    return a.result == b.result && a.length == b.length && a.source == b.source;
}

void fuzz_one(std::string_view input)
{
    input = input.substr(0, 2 * max_proxy_header_bytes);
    const proxy_header whole = read_proxy_header(input);
    const std::string bytes(input);
    auto plain = plain_line(bytes);
    if (!plain)
        plain = plain_block(bytes);
    require((whole.result == outcome::complete) == plain.has_value(),
            "a plain header is taken, and nothing else");
    if (plain) {
        require(whole.length == plain->bytes, "a header ends where it ends");
        require(whole.length <= max_proxy_header_bytes, "a header is within its limit");
        require((whole.source ? whole.source->to_string() : std::string()) == plain->source,
                "a header names whom it names");
    }
    require(whole.result != outcome::more || input.size() < max_proxy_header_bytes,
            "a header comes to an end");
    for (std::size_t size = 0; size < input.size(); ++size) {
        const std::string piece = bytes.substr(0, size); // in memory that ends where it ends
        const proxy_header found = read_proxy_header(piece);
        require(found.result == outcome::more || same(found, whole), "a verdict is final");
        require(found.result != outcome::complete || found.length <= size,
                "a header is there when it is taken");
        if (whole.result == outcome::complete)
            require((found.result == outcome::more) == (size < whole.length),
                    "a header is whole at its last byte");
    }
}

} // namespace
} // namespace chargifyd::ingress

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    chargifyd::ingress::fuzz_one(chargifyd::fuzz::text_of(data, size));
    return 0;
}
