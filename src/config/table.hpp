#pragma once

#include "config/findings.hpp"

#include <toml++/toml.h>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chargifyd::config {

/// A text of the file and where it stands.
struct item {
    std::string text;
    std::size_t line = 0;
};

/// One table of the file, read key by key. What is read becomes known; `finish` reports what else stands
/// there. A key that is missing or wrong leaves the default; when it is wrong, that is a mistake.
class table {
public:
    /// `values`: null when the file does not have the table. `name`: as in the file, empty for the top.
    /// Both arguments outlive this.
    table(const toml::table* values, std::string name, findings& to);

    bool has(std::string_view key) const;
    /// Of the key; else of the table; 0 when neither is in the file.
    std::size_t line(std::string_view key) const;

    /// An optional text: nothing when missing or not a text.
    std::optional<item> text(std::string_view key);
    /// A list of texts; the elements that are texts, when some are not.
    std::vector<item> texts(std::string_view key);
    void flag(std::string_view key, bool& into);
    template <std::integral T>
    void number(std::string_view key, T& into, std::int64_t least, std::int64_t most)
    {
        if (const auto given = whole_number(key, least, most))
            into = static_cast<T>(*given);
        note(key, std::to_string(into));
    }
    /// A time limit, 1 s to an hour.
    void seconds(std::string_view key, std::chrono::milliseconds& into);

    /// Adds to settings::effective.
    void note(std::string_view key, const std::string& value);
    /// From now on `note` writes `name` in place of the table's own.
    void show_as(std::string name) { shown_ = std::move(name); }
    /// A mistake at the key: `text` follows its name.
    void wrong(std::string_view key, const std::string& text);
    /// As `wrong`, at a line inside the key's value.
    void wrong_at(std::size_t line, std::string_view key, const std::string& text);
    void warn_at(std::size_t line, std::string_view key, const std::string& text);

    /// The value itself, null when missing.
    const toml::node* take(std::string_view key);
    /// All keys the file has here.
    std::vector<std::string> keys() const;
    /// Reports the keys nobody asked for.
    void finish();

private:
    std::optional<std::int64_t> whole_number(std::string_view key, std::int64_t least, std::int64_t most);
    std::string full(std::string_view key) const;

    const toml::table* values_;
    std::string name_;
    std::string shown_;
    findings& to_;
    std::vector<std::string> taken_;
};

/// "a list", "a whole number": what a value is, in a message.
std::string_view describe(const toml::node& value) noexcept;

} // namespace chargifyd::config
