#pragma once

#include "chargifyd/base/error.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chargifyd::chargify {

/// What one body may hold. A body beyond a limit is refused whole (it becomes a dead letter and stays in the
/// journal).
struct form_limits {
    std::size_t max_pairs = 65536;       ///< a statement with a thousand transactions has about 25,000
    std::size_t max_depth = 32;          ///< bracketed parts of one key
    std::size_t max_key_bytes = 1024;    ///< decoded
    std::size_t max_value_bytes = 65536; ///< decoded
};

/// An `application/x-www-form-urlencoded` body with Rails' bracket keys, as an ordered tree that loses
/// nothing:
///
///   a=1&a=2          two leaves `a`, in order
///   a[b]=1&a[c]=2    one branch `a` with leaves `b`, `c`; a branch stands once, where its first pair stood
///   a[0][x]=1        branch `a`, branch `0`, leaf `x`
///   a[]=1&a[]=2      branch `a` with two leaves whose key is empty
///   a=1&a[b]=2       a leaf `a` and a branch `a`
///
/// Pairs are split at `&`, then at the first `=`; then key and value are percent-decoded (`+` is a space, hex
/// of either case), and the key, whose brackets may have been encoded, is cut into parts. A pair without `=`
/// has an empty value; empty pairs are skipped. Values are bytes: not checked for UTF-8 or NUL.
///
/// A key is cut when it is `name[part][part]…` from end to end: a name of at least one byte, then parts,
/// which may be empty; no bracket inside a name or part, nothing between or after the parts. In a key of any
/// other form (`a[b`, `a]b`, `a[b]c`, `a[b[c]]`, `[a]`) brackets that do not pair up are part of the name: it
/// is one plain name, whole.
///
/// A value type that moves but does not copy; the text it points to is its own and stays where it is when the
/// form moves. Parsing takes time and memory linear in the body, whatever it holds; a look-up walks the
/// siblings under its parent. Const functions may be called from several threads.
class form {
public:
    using index = std::uint32_t;
    static constexpr index none = 0xffffffff;
    static constexpr index root = 0;

    struct node {
        std::string_view key;   ///< decoded
        std::string_view value; ///< decoded; of a leaf
        index parent = none;
        index first_child = none;
        index last_child = none;
        index next_sibling = none;
        bool is_branch = false;
    };

    form()
        : nodes_(1)
    {
        nodes_.front().is_branch = true;
    }
    form(const form&) = delete; // the views would point into the other's text
    form& operator=(const form&) = delete;
    form(form&&) noexcept = default;
    form& operator=(form&&) noexcept = default;

    /// Errors (errc::invalid): a limit passed, or an invalid percent escape; the text names the byte, never
    /// content.
    static result<form> parse(std::string_view body, const form_limits& limits = {});

    const node& at(index i) const noexcept { return nodes_[i]; }
    std::size_t size() const noexcept { return nodes_.size(); }

    /// The last leaf of that key under `parent` (as Rails: the last wins), or nothing. `parent` may be
    /// `none`.
    std::optional<std::string_view> value(index parent, std::string_view key) const noexcept;
    /// As `value`, but an empty value is nothing too: Chargify writes nil as an empty value.
    std::optional<std::string_view> text(index parent, std::string_view key) const noexcept;
    /// `text` read as a decimal integer with optional sign; nothing when it is not one or does not fit.
    std::optional<std::int64_t> integer(index parent, std::string_view key) const noexcept;
    /// The branch of that key under `parent`, or `none`.
    index branch(index parent, std::string_view key) const noexcept;

    /// The subtree as JSON; of a leaf its value, of `none` null. A branch is an object; an array when all its
    /// keys are empty, or are 0, 1, 2, … in order; when a key repeats, as in Chargify's unindexed arrays of
    /// hashes, an array of objects in which a new one begins wherever a key would stand twice (in
    /// `a[][x]=1&a[][x]=2` these objects are the elements of `a`). Leaves are strings, empty ones null. Bytes
    /// that are not UTF-8, and NUL, become U+FFFD. Keys for which `skip` says true are left out at any depth,
    /// before anything else is decided.
    std::string to_json(index from, bool (*skip)(std::string_view key) = nullptr) const;

    /// Appends `text` as a JSON string literal, cleaned as said above.
    static void append_json_string(std::string& out, std::string_view text);

private:
    std::vector<node> nodes_;
    std::vector<char> storage_;
};

/// `text` as valid UTF-8 without NUL: what may be stored in a TEXT column.
std::string clean_utf8(std::string_view text);

} // namespace chargifyd::chargify
