#include "key_index.hpp"
#include "utf8.hpp"

#include "chargifyd/chargify/form.hpp"

#include <charconv>

namespace chargifyd::chargify {

namespace {

enum class json_shape {
    object,
    array,
    objects, ///< an array of objects, cut where a key would stand twice in one
};

/// Whether `key` is `number` as Rails would write it: no sign, no leading zero.
bool is_number(std::string_view key, std::size_t number) noexcept
{
    char digits[20];
    const auto written = std::to_chars(digits, digits + sizeof digits, number);
    return key == std::string_view(digits, static_cast<std::size_t>(written.ptr - digits));
}

void append_escaped(std::string& out, char c)
{
    static constexpr char digits[] = "0123456789abcdef";
    switch (c) {
    case '"':
    case '\\':
        out += '\\';
        out += c;
        return;
    case '\n':
        out += "\\n";
        return;
    case '\r':
        out += "\\r";
        return;
    case '\t':
        out += "\\t";
        return;
    default:
        out += "\\u00";
        out += digits[(c >> 4) & 15];
        out += digits[c & 15];
    }
}

bool is_plain(char c) noexcept
{
    return c >= ' ' && c <= '~' && c != '"' && c != '\\';
}

/// Walks one subtree with a stack of its own.
class form_json_writer {
public:
    form_json_writer(const std::vector<form::node>& nodes, bool (*skip)(std::string_view))
        : nodes_(nodes)
        , skip_(skip)
        , index_(nodes)
    {}

    std::string write(form::index from)
    {
        if (from == form::none)
            append_leaf({});
        else if (!nodes_[from].is_branch)
            append_leaf(nodes_[from].value);
        else
            open(from, false);
        while (!stack_.empty())
            step();
        return std::move(out_);
    }

private:
    struct frame {
        form::index next = form::none;         // the child to write
        form::index object_first = form::none; // the first child of the object begun last
        json_shape shape = json_shape::object;
        bool empty_keys = false; // an array of the kind `a[]`
        bool spliced = false;    // its objects stand directly in the array around it
        bool separate = false;   // something stands before the next child
    };

    form::index kept(form::index i) const
    {
        while (skip_ != nullptr && i != form::none && skip_(nodes_[i].key))
            i = nodes_[i].next_sibling;
        return i;
    }

    frame frame_of(form::index branch)
    {
        frame f;
        f.next = f.object_first = kept(nodes_[branch].first_child);
        f.empty_keys = f.next != form::none;
        bool numbered = f.empty_keys;
        std::size_t count = 0;
        for (form::index i = f.next; i != form::none; i = kept(nodes_[i].next_sibling)) {
            f.empty_keys = f.empty_keys && nodes_[i].key.empty();
            numbered = numbered && is_number(nodes_[i].key, count);
            if (++count > 1 && !f.empty_keys && !numbered)
                break;
        }
        if (f.empty_keys || numbered)
            f.shape = json_shape::array;
        else if (count > 1 && has_repetition(f.next))
            f.shape = json_shape::objects;
        return f;
    }

    bool has_repetition(form::index first)
    {
        for (form::index i = first; i != form::none; i = kept(nodes_[i].next_sibling))
            if (index_.put(i) != form::none)
                return true;
        return false;
    }

    /// Whether the key of `i` stands in the object being written already. What `has_repetition` left in the
    /// index lies outside of `object_first` .. `i` or is `i` itself, and does not disturb.
    bool stands_already(const frame& f, form::index i)
    {
        const form::index before = index_.put(i);
        return before != form::none && before >= f.object_first && before < i;
    }

    void open(form::index branch, bool inside_empty_keys)
    {
        frame f = frame_of(branch);
        f.spliced = inside_empty_keys && f.shape == json_shape::objects;
        if (f.shape == json_shape::array || (f.shape == json_shape::objects && !f.spliced))
            out_ += '[';
        if (f.shape != json_shape::array)
            out_ += '{';
        stack_.push_back(f);
    }

    void close()
    {
        const frame& f = stack_.back();
        if (f.shape != json_shape::array)
            out_ += '}';
        if (f.shape == json_shape::array || (f.shape == json_shape::objects && !f.spliced))
            out_ += ']';
        stack_.pop_back();
    }

    void step()
    {
        frame& f = stack_.back();
        const form::index i = f.next;
        if (i == form::none) {
            close();
            return;
        }
        f.next = kept(nodes_[i].next_sibling);
        if (f.shape == json_shape::objects && stands_already(f, i)) {
            out_ += "},{";
            f.object_first = i;
        } else if (f.separate) {
            out_ += ',';
        }
        f.separate = true;
        if (f.shape != json_shape::array) {
            form::append_json_string(out_, nodes_[i].key);
            out_ += ':';
        }
        if (nodes_[i].is_branch)
            open(i, f.empty_keys);
        else
            append_leaf(nodes_[i].value);
    }

    void append_leaf(std::string_view value)
    {
        if (value.empty())
            out_ += "null";
        else
            form::append_json_string(out_, value);
    }

    const std::vector<form::node>& nodes_;
    bool (*skip_)(std::string_view);
    key_index index_;
    std::vector<frame> stack_;
    std::string out_;
};

} // namespace

std::string form::to_json(index from, bool (*skip)(std::string_view key)) const
{
    return form_json_writer(nodes_, skip).write(from);
}

void form::append_json_string(std::string& out, std::string_view text)
{
    out += '"';
    for (std::size_t at = 0; at < text.size();) {
        std::size_t end = at;
        while (end < text.size() && is_plain(text[end]))
            ++end;
        out.append(text, at, end - at);
        at = end;
        if (at == text.size())
            break;
        const utf8_step step = read_utf8(text, at);
        if (!step.valid || text[at] == '\0')
            out.append(replacement_character);
        else if (step.length == 1)
            append_escaped(out, text[at]);
        else
            out.append(text, at, step.length);
        at += step.length;
    }
    out += '"';
}

} // namespace chargifyd::chargify
