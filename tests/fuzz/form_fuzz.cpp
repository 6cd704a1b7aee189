#include "fuzz.hpp"

#include "chargifyd/chargify/form.hpp"

#include <nlohmann/json.hpp>

#include <charconv>
#include <optional>
#include <string>
#include <vector>

/// The input is a body; `!` and four bytes before it set small limits. Promises: the tree is the one that a
/// plain reading of the rules gives, and so is its JSON; what is written from a tree gives the same tree;
/// nothing beyond a limit is read, nothing within them is refused; size is linear in the body.
namespace chargifyd::chargify {
namespace {

using fuzz::require;

struct plain_node {
    std::string key;
    std::string value;
    bool is_branch = false;
    std::vector<plain_node> children;
};

std::vector<std::string_view> split(std::string_view text, char at)
{
    std::vector<std::string_view> parts;
    for (;;) {
        const std::size_t end = text.find(at);
        parts.push_back(text.substr(0, end));
        if (end == std::string_view::npos)
            return parts;
        text.remove_prefix(end + 1);
    }
}

std::optional<std::string> decoded(std::string_view text)
{
    std::string out;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] != '%') {
            out += text[at] == '+' ? ' ' : text[at];
            continue;
        }
        const std::string_view digits = text.substr(at + 1, 2);
        unsigned value = 0;
        const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
        if (digits.size() < 2 || read.ptr != digits.data() + 2)
            return std::nullopt;
        out += static_cast<char>(value);
        at += 2;
    }
    return out;
}

/// `name[part][part]…`, or one plain name.
std::vector<std::string> parts_of(const std::string& key)
{
    std::vector<std::string> parts;
    std::string left = key;
    const std::size_t name = left.find_first_of("[]");
    parts.push_back(left.substr(0, name));
    left.erase(0, parts.front().size());
    while (!left.empty()) {
        const std::size_t next = left.find_first_of("[]", 1);
        if (parts.front().empty() || left.front() != '[' || next == std::string::npos || left[next] != ']')
            return {key};
        parts.push_back(left.substr(1, next - 1));
        left.erase(0, next + 1);
    }
    return parts;
}

plain_node& branch_of(plain_node& parent, const std::string& key)
{
    for (plain_node& child : parent.children)
        if (child.is_branch && child.key == key)
            return child;
    parent.children.push_back({key, "", true, {}});
    return parent.children.back();
}

/// The rules of form.hpp, without a thought for speed. Nothing: refused.
std::optional<plain_node> plain_reading(std::string_view body, const form_limits& limits)
{
    plain_node root;
    root.is_branch = true;
    std::size_t pairs = 0;
    for (const std::string_view pair : split(body, '&')) {
        if (pair.empty())
            continue;
        const std::size_t equals = std::min(pair.find('='), pair.size());
        const auto key = decoded(pair.substr(0, equals));
        const auto value = decoded(pair.substr(std::min(equals + 1, pair.size())));
        if (++pairs > limits.max_pairs || !key || !value || key->size() > limits.max_key_bytes ||
            value->size() > limits.max_value_bytes)
            return std::nullopt;
        const std::vector<std::string> parts = parts_of(*key);
        if (parts.size() - 1 > limits.max_depth)
            return std::nullopt;
        plain_node* parent = &root;
        for (std::size_t i = 0; i + 1 < parts.size(); ++i)
            parent = &branch_of(*parent, parts[i]);
        parent->children.push_back({parts.back(), *value, false, {}});
    }
    return root;
}

std::size_t require_same(const plain_node& plain, const form& tree, form::index at)
{
    require(tree.at(at).is_branch == plain.is_branch, "branches and leaves are told apart");
    require(tree.at(at).key == plain.key, "keys are kept");
    require(tree.at(at).value == plain.value, "values are kept");
    std::size_t nodes = 1;
    form::index i = tree.at(at).first_child;
    for (const plain_node& child : plain.children) {
        require(i != form::none && tree.at(i).parent == at, "no child is lost");
        nodes += require_same(child, tree, i);
        if (&child == &plain.children.back())
            require(tree.at(at).last_child == i, "the last child is known");
        i = tree.at(i).next_sibling;
    }
    require(i == form::none, "no child is added");
    return nodes;
}

void encode(std::string_view text, fuzz::decisions& how, std::string& out)
{
    for (const char c : text) {
        const bool reserved = std::string_view("&=+%").find(c) != std::string_view::npos;
        if (c == ' ' && how.byte() % 2 == 0) {
            out += '+';
        } else if (!reserved && how.byte() % 2 == 0) {
            out += c;
        } else {
            const bool upper = how.byte() % 2 == 0;
            const char* const digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
            const auto byte = static_cast<unsigned char>(c);
            out += {'%', digits[byte >> 4], digits[byte & 15]};
        }
    }
}

void write(const plain_node& node, const std::string& key, fuzz::decisions& how, std::string& out)
{
    for (const plain_node& child : node.children) {
        const std::string path = key.empty() ? child.key : key + "[" + child.key + "]";
        if (child.is_branch) {
            write(child, path, how, out);
            continue;
        }
        if (how.byte() % 8 == 7)
            out += '&';
        encode(path, how, out);
        out += '=';
        encode(child.value, how, out);
        out += '&';
    }
}

std::string json_text(std::string_view text)
{
    std::string out;
    form::append_json_string(out, text);
    return out;
}

/// The JSON of the rules of form::to_json. `splice`: the branch stands in an array of the kind `a[]`.
std::string plain_json(const plain_node& node, bool (*skip)(std::string_view), bool splice)
{
    if (!node.is_branch)
        return node.value.empty() ? "null" : json_text(node.value);
    std::vector<const plain_node*> kept;
    for (const plain_node& child : node.children)
        if (skip == nullptr || !skip(child.key))
            kept.push_back(&child);
    bool empty_keys = !kept.empty();
    bool numbered = !kept.empty();
    for (std::size_t i = 0; i < kept.size(); ++i) {
        empty_keys = empty_keys && kept[i]->key.empty();
        numbered = numbered && kept[i]->key == std::to_string(i);
    }
    std::string out;
    if (empty_keys || numbered) {
        for (const plain_node* const child : kept)
            out += (out.empty() ? "" : ",") + plain_json(*child, skip, empty_keys);
        return "[" + out + "]";
    }
    std::vector<std::string_view> here;
    bool repeated = false;
    for (const plain_node* const child : kept) {
        const bool again = std::find(here.begin(), here.end(), child->key) != here.end();
        repeated = repeated || again;
        if (again)
            here.clear();
        out += again ? "},{" : here.empty() ? "" : ",";
        here.push_back(child->key);
        out += json_text(child->key) + ":" + plain_json(*child, skip, false);
    }
    out = "{" + out + "}";
    return repeated && !splice ? "[" + out + "]" : out;
}

bool starts_with_x(std::string_view key)
{
    return key.starts_with('x');
}

void check_json(const plain_node& plain, const form& tree, std::size_t body_bytes)
{
    const std::string all = tree.to_json(form::root);
    require(nlohmann::json::accept(all), "the JSON is valid");
    require(all == plain_json(plain, nullptr, false), "the JSON is that of the rules");
    require(all.size() <= 9 * body_bytes + 64, "the JSON is linear in the body");
    require(tree.to_json(form::root, starts_with_x) == plain_json(plain, starts_with_x, false),
            "what is to be left out is left out");
}

void check_look_ups(const plain_node& plain, const form& tree)
{
    for (const plain_node& child : plain.children) {
        if (child.is_branch) {
            require(tree.at(tree.branch(form::root, child.key)).key == child.key, "branches are found");
            continue;
        }
        const plain_node* last = nullptr;
        for (const plain_node& other : plain.children)
            if (!other.is_branch && other.key == child.key)
                last = &other;
        require(tree.value(form::root, child.key) == last->value, "the last leaf of a key is its value");
        require(tree.text(form::root, child.key).has_value() == !last->value.empty(), "empty is no text");
        const auto number = tree.integer(form::root, child.key);
        require(!number || std::strtoll(last->value.c_str(), nullptr, 10) == *number,
                "an integer is what its digits say");
    }
}

form_limits take_limits(std::string_view& input)
{
    form_limits limits;
    if (!input.starts_with('!'))
        return limits;
    fuzz::decisions from(input.substr(1));
    limits.max_pairs = from.byte() % 16;
    limits.max_depth = from.byte() % 8;
    limits.max_key_bytes = from.byte() % 32;
    limits.max_value_bytes = from.byte() % 32;
    input = from.rest();
    return limits;
}

void fuzz_one(std::string_view input)
{
    const form_limits limits = take_limits(input);
    const auto read = form::parse(input, limits);
    const auto plain = plain_reading(input, limits);
    require(read.has_value() == plain.has_value(), "what the rules allow is read, and nothing else");
    if (!read) {
        require(read.error().code == errc::invalid, "a refused body is invalid");
        return;
    }
    require(read->size() <= input.size() + 1, "the tree is linear in the body");
    require(require_same(*plain, *read, form::root) == read->size(), "every node is in the tree");
    check_json(*plain, *read, input.size());
    check_look_ups(*plain, *read);

    std::string again;
    fuzz::decisions how(input);
    write(*plain, "", how, again);
    const auto read_again = form::parse(again, limits);
    require(read_again.has_value(), "what is written from a tree is read");
    require_same(*plain, *read_again, form::root);
}

} // namespace
} // namespace chargifyd::chargify

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    chargifyd::chargify::fuzz_one(chargifyd::fuzz::text_of(data, size));
    return 0;
}
