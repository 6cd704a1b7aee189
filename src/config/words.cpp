#include "config/words.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <numeric>
#include <vector>

namespace chargifyd::config {

namespace {

/// Keys are shorter; a longer word is near to none of them.
constexpr std::size_t longest_compared = 64;

} // namespace

std::string in_quotes(std::string_view text, std::size_t limit)
{
    std::string out = "\"";
    for (const char c : text.substr(0, limit)) {
        if (c == '"' || c == '\\')
            out += '\\';
        if (c < ' ' || c > '~')
            out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
        else
            out += c;
    }
    out += text.size() > limit ? "…\"" : "\"";
    return out;
}

std::string in_brackets(std::span<const std::string> texts)
{
    std::string out = "[";
    for (const std::string& text : texts) {
        if (out.size() > 1)
            out += ", ";
        out += in_quotes(text, std::string::npos);
    }
    return out + "]";
}

std::size_t edit_distance(std::string_view a, std::string_view b)
{
    std::vector<std::size_t> before_last(b.size() + 1);
    std::vector<std::size_t> last(b.size() + 1);
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(last.begin(), last.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            row[j] = std::min({replaced, last[j] + 1, row[j - 1] + 1});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = std::min(row[j], before_last[j - 2] + 1);
        }
        before_last.swap(last);
        last.swap(row);
    }
    return last[b.size()];
}

std::string_view nearest(std::string_view word, std::span<const std::string> candidates)
{
    if (word.size() > longest_compared)
        return {};
    // A third of the letters may differ: more, and the suggestion is a guess.
    std::size_t best = std::max<std::size_t>(1, word.size() / 3) + 1;
    std::string_view found;
    for (const std::string& candidate : candidates) {
        const std::size_t distance = edit_distance(word, candidate);
        if (distance < best) {
            best = distance;
            found = candidate;
        }
    }
    return found;
}

} // namespace chargifyd::config
