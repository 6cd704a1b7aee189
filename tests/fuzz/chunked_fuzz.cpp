#include "fuzz.hpp"
#include "ingress/chunked.hpp"
#include "plain_chunks.hpp"

#include <optional>
#include <vector>

/// The input is what follows the head of a chunked request. Promises: the body is the one that a plain
/// reading gives, and where it ends too; how it is cut into pieces makes no difference; it never grows beyond
/// its limit.
namespace chargifyd::ingress {
namespace {

using fuzz::require;
using outcome = chunk_reader::outcome;

constexpr std::size_t max_body_bytes = 1000;
constexpr std::size_t most_cuts = 400;

struct verdict {
    outcome found = outcome::more;
    std::size_t received = 0;
    std::string body;

    bool operator==(const verdict&) const = default;
};

/// The verdict when bytes arrive up to each of `ends`, and then all. Each time they lie somewhere else.
verdict judge(std::string_view input, std::vector<std::size_t> ends)
{
    ends.push_back(input.size());
    chunk_reader reader(max_body_bytes);
    std::vector<char> bytes;
    outcome found = outcome::more;
    for (const std::size_t end : ends) {
        std::vector<char> next = bytes;
        next.insert(next.end(), input.begin() + static_cast<std::ptrdiff_t>(bytes.size()),
                    input.begin() + static_cast<std::ptrdiff_t>(end));
        bytes.swap(next);
        found = reader.read(bytes);
        require(reader.body_bytes() <= max_body_bytes, "the body is within its limit");
        require(reader.received() <= bytes.size() && reader.body_bytes() <= reader.received(),
                "nothing is read that is not there");
        if (found != outcome::more)
            break;
    }
    if (found != outcome::complete)
        return {found, 0, {}};
    return {found, reader.received(), std::string(bytes.data(), reader.body_bytes())};
}

void fuzz_one(std::string_view input)
{
    const verdict whole = judge(input, {});
    const auto plain = fuzz::read_chunks(input, max_body_bytes);
    require((whole.found == outcome::complete) == plain.has_value(),
            "what is plain and whole is read, and nothing else");
    if (plain) {
        require(whole.body == plain->body, "the body is the data of its chunks");
        require(whole.received == plain->bytes, "the body ends behind its last chunk");
    }
    std::vector<std::size_t> every;
    for (std::size_t end = 0; end <= std::min(input.size(), most_cuts); ++end) {
        require(judge(input, {end}) == whole, "two pieces get the verdict of the whole");
        every.push_back(end);
    }
    require(judge(input, every) == whole, "single bytes get the verdict of the whole");
}

} // namespace
} // namespace chargifyd::ingress

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    chargifyd::ingress::fuzz_one(chargifyd::fuzz::text_of(data, size));
    return 0;
}
