#include "chargifyd/chargify/form.hpp"

#include "key_index.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <system_error>
#include <utility>

namespace chargifyd::chargify {

namespace {

/// So few branches are found faster by looking at each than by hashing; real bodies have about ten.
constexpr std::size_t few_branches = 16;

int hex_value(char c) noexcept
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/// The end of the pair that starts at `begin`: the next `&`, or the end of the body.
std::size_t pair_end(std::string_view body, std::size_t begin) noexcept
{
    const std::size_t found = body.find('&', begin);
    return found == std::string_view::npos ? body.size() : found;
}

/// The first bracket at `at` or after it, else the key's length.
std::size_t next_bracket(std::string_view key, std::size_t at) noexcept
{
    while (at < key.size() && key[at] != '[' && key[at] != ']')
        ++at;
    return at;
}

/// Splits `name[part][part]…`; a key of any other form is one plain name.
void split_key(std::string_view key, std::vector<std::string_view>& parts)
{
    const std::size_t open = next_bracket(key, 0);
    parts.assign(1, key.substr(0, open));
    for (std::size_t at = open; at < key.size();) {
        const std::size_t close = next_bracket(key, at + 1);
        if (open == 0 || key[at] != '[' || close == key.size() || key[close] != ']') {
            parts.assign(1, key);
            return;
        }
        parts.push_back(key.substr(at + 1, close - at - 1));
        at = close + 1;
    }
}

/// Where the last opening bracket of an undecoded key ends; there is one. A percent sign always begins an
/// escape.
std::size_t end_of_last_opening(std::string_view raw_key) noexcept
{
    std::size_t end = raw_key.size();
    while (raw_key[end - 1] != '[' && !raw_key.substr(0, end).ends_with("%5B") &&
           !raw_key.substr(0, end).ends_with("%5b"))
        --end;
    return end;
}

/// One pass over a body. Decodes into `storage_`, which is as long as the body and so never moves.
class form_parser {
public:
    form_parser(std::string_view body, const form_limits& limits, std::vector<form::node>& nodes,
                std::vector<char>& storage)
        : body_(body)
        , limits_(limits)
        , nodes_(nodes)
        , storage_(storage)
        , index_(nodes)
    {}

    bool run()
    {
        if (body_.size() >= form::none)
            return fail("the body is longer than 4 GiB");
        std::size_t pairs = 0;
        for (std::size_t at = 0; at < body_.size();) {
            const std::size_t end = pair_end(body_, at);
            pairs += end > at ? 1 : 0;
            at = end + 1;
        }
        if (pairs > limits_.max_pairs)
            return fail("more than " + std::to_string(limits_.max_pairs) + " pairs");

        storage_.resize(body_.size());
        out_ = storage_.data();
        nodes_.reserve(pairs + pairs / 8 + few_branches);
        for (std::size_t at = 0; at < body_.size();) {
            const std::size_t end = pair_end(body_, at);
            if (end > at && !take_pair(at, end))
                return false;
            at = end + 1;
        }
        return true;
    }

    std::string take_problem() { return std::move(problem_); }

private:
    bool fail(std::string problem)
    {
        problem_ = std::move(problem);
        return false;
    }

    bool fail_at(std::size_t at, const std::string& problem)
    {
        return fail(problem + " at byte " + std::to_string(at));
    }

    bool take_pair(std::size_t begin, std::size_t end)
    {
        const std::size_t equals = begin + std::min(body_.substr(begin, end - begin).find('='), end - begin);
        const std::string_view raw_key = body_.substr(begin, equals - begin);
        const std::optional<std::string_view> part = part_after_stem(raw_key);
        std::string_view key;
        if (!part && !decode(begin, equals, key))
            return false;
        const std::size_t key_bytes = part ? stem_.decoded_bytes + part->size() + 1 : key.size();
        if (key_bytes > limits_.max_key_bytes)
            return fail_at(begin, "a key of more than " + std::to_string(limits_.max_key_bytes) + " bytes");
        const std::string_view name = part ? keep(*part) : std::string_view();
        std::string_view value;
        if (equals < end && !decode(equals + 1, end, value))
            return false;
        if (value.size() > limits_.max_value_bytes)
            return fail_at(equals + 1,
                           "a value of more than " + std::to_string(limits_.max_value_bytes) + " bytes");
        if (part) {
            nodes_[add_node(stem_.parent, name)].value = value;
            return true;
        }
        split_key(key, parts_);
        if (parts_.size() - 1 > limits_.max_depth)
            return fail_at(begin,
                           "a key of more than " + std::to_string(limits_.max_depth) + " bracketed parts");
        const form::index parent = last_branch();
        nodes_[add_node(parent, parts_.back())].value = value;
        if (parts_.size() > 1)
            stem_ = {raw_key.substr(0, end_of_last_opening(raw_key)), key.size() - parts_.back().size() - 1,
                     parent};
        return true;
    }

    /// The last part of a key that goes on after the stem with one plain part and a closing bracket.
    std::optional<std::string_view> part_after_stem(std::string_view raw_key) const noexcept
    {
        if (stem_.raw.empty() || !raw_key.starts_with(stem_.raw))
            return std::nullopt;
        const std::string_view rest = raw_key.substr(stem_.raw.size());
        const auto end =
            std::ranges::find_if(rest, [](char c) { return c == '%' || c == ']' || c == '+' || c == '['; });
        const auto length = static_cast<std::size_t>(end - rest.begin());
        const std::string_view closing = rest.substr(length);
        if (closing != "%5D" && closing != "]" && closing != "%5d")
            return std::nullopt;
        return rest.substr(0, length);
    }

    /// A copy of text that needs no decoding.
    std::string_view keep(std::string_view text) noexcept
    {
        const std::string_view kept(out_, text.size());
        out_ = std::ranges::copy(text, out_).out;
        return kept;
    }

    bool decode(std::size_t begin, std::size_t end, std::string_view& decoded)
    {
        const char* at = body_.data() + begin;
        const char* const last = body_.data() + end;
        char* out = out_;
        while (at != last) {
            char c = *at;
            if (c == '+') {
                c = ' ';
            } else if (c == '%') {
                const bool whole = last - at > 2;
                const int high = whole ? hex_value(at[1]) : -1;
                const int low = whole ? hex_value(at[2]) : -1;
                if (high < 0 || low < 0)
                    return fail_at(static_cast<std::size_t>(at - body_.data()), "an invalid percent escape");
                c = static_cast<char>(high * 16 + low);
                at += 2;
            }
            ++at;
            *out++ = c;
        }
        decoded = {out_, static_cast<std::size_t>(out - out_)};
        out_ = out;
        return true;
    }

    /// The branch that the parts lead to: the last part's parent.
    form::index last_branch()
    {
        // Consecutive pairs mostly share their branches: go down the last pair's way for as long as it fits.
        form::index parent = form::root;
        for (std::size_t i = 0; i + 1 < parts_.size(); ++i) {
            if (i == path_.size() || nodes_[path_[i]].key != parts_[i]) {
                path_.resize(i);
                path_.push_back(branch(parent, parts_[i]));
            }
            parent = path_[i];
        }
        return parent;
    }

    /// The branch of that key, made when there is none. A first child is found from its parent and never
    /// indexed, so however deep the keys go, each pair adds at most one branch to the index.
    form::index branch(form::index parent, std::string_view key)
    {
        const form::index first = nodes_[parent].first_child;
        if (first != form::none && nodes_[first].is_branch && nodes_[first].key == key)
            return first;
        const auto next = static_cast<form::index>(nodes_.size());
        const form::index found = first == form::none ? next
                                  : indexed_          ? index_.find_or_put(parent, key, next)
                                                      : find_among_few(parent, key, next);
        if (found == next)
            nodes_[add_node(parent, key)].is_branch = true;
        return found;
    }

    /// `next`, from now on the index of that branch, when there is none.
    form::index find_among_few(form::index parent, std::string_view key, form::index next)
    {
        for (const form::index i : few_)
            if (nodes_[i].parent == parent && nodes_[i].key == key)
                return i;
        if (few_.size() < few_branches) {
            few_.push_back(next);
            return next;
        }
        for (const form::index i : few_)
            index_.put(i);
        indexed_ = true;
        return index_.find_or_put(parent, key, next);
    }

    form::index add_node(form::index parent, std::string_view key)
    {
        const auto added = static_cast<form::index>(nodes_.size());
        form::node n;
        n.key = key;
        n.parent = parent;
        nodes_.push_back(n);
        form::node& above = nodes_[parent];
        if (above.last_child == form::none)
            above.first_child = added;
        else
            nodes_[above.last_child].next_sibling = added;
        above.last_child = added;
        return added;
    }

    std::string_view body_;
    const form_limits& limits_;
    std::vector<form::node>& nodes_;
    std::vector<char>& storage_;
    char* out_ = nullptr;

    /// All of a key but its last part and the bracket that closes it, as `payload%5Bsubscription%5D%5B`. The
    /// keys of one hash share it: what was found out about it holds for all of them.
    struct stem {
        std::string_view raw; // undecoded; empty: none yet
        std::size_t decoded_bytes = 0;
        form::index parent = form::none; // the branch it leads to
    };

    stem stem_;                           // of the last key with brackets that was taken apart
    std::vector<std::string_view> parts_; // of that key
    std::vector<form::index> path_;       // branches gone down last, outermost first
    std::vector<form::index> few_;        // branches that are no first child, while they are few
    key_index index_;                     // and once they are many
    bool indexed_ = false;
    std::string problem_;
};

} // namespace

result<form> form::parse(std::string_view body, const form_limits& limits)
{
    form out;
    form_parser parser(body, limits, out.nodes_, out.storage_);
    if (!parser.run())
        return make_error(errc::invalid, "the body is not a form: " + parser.take_problem());
    return out;
}

std::optional<std::string_view> form::value(index parent, std::string_view key) const noexcept
{
    std::optional<std::string_view> found;
    if (parent == none)
        return found;
    for (index i = nodes_[parent].first_child; i != none; i = nodes_[i].next_sibling)
        if (!nodes_[i].is_branch && nodes_[i].key == key)
            found = nodes_[i].value;
    return found;
}

std::optional<std::string_view> form::text(index parent, std::string_view key) const noexcept
{
    const auto found = value(parent, key);
    return found && !found->empty() ? found : std::nullopt;
}

std::optional<std::int64_t> form::integer(index parent, std::string_view key) const noexcept
{
    auto digits = value(parent, key).value_or(std::string_view());
    if (digits.starts_with('+') && !digits.starts_with("+-"))
        digits.remove_prefix(1);
    std::int64_t number = 0;
    const char* const end = digits.data() + digits.size();
    const auto read = std::from_chars(digits.data(), end, number);
    if (read.ec != std::errc() || read.ptr != end)
        return std::nullopt;
    return number;
}

form::index form::branch(index parent, std::string_view key) const noexcept
{
    if (parent == none)
        return none;
    for (index i = nodes_[parent].first_child; i != none; i = nodes_[i].next_sibling)
        if (nodes_[i].is_branch && nodes_[i].key == key)
            return i;
    return none;
}

} // namespace chargifyd::chargify
