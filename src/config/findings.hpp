#pragma once

#include "chargifyd/config/settings.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace chargifyd::config {

/// A key by its table; the table is empty for the top of the file.
struct key_name {
    std::string table;
    std::string key;

    std::string full() const { return table.empty() ? key : table + "." + key; }
};

/// What reading a file brings to light, gathered until the whole of it is read.
class findings {
public:
    void mistake(std::size_t line, std::string text);
    void warning(std::size_t line, std::string text);
    /// A line of settings::effective.
    void effective(const std::string& full_key, const std::string& value, bool set_by_file);

    /// A key the program knows; each once.
    void known(std::string_view table, std::string_view key);
    /// A key or table of the file that `table` does not have.
    void unknown(std::string_view table, std::string_view key, std::size_t line, bool is_table);

    /// Mistakes so far, unknown keys apart.
    std::size_t count() const noexcept { return mistakes_.size(); }

    /// Judges the unknown keys, sorts, and moves all into `out`.
    void finish(loaded& out) &&;

private:
    std::string suggestion(const key_name& unknown) const;

    struct unknown_key {
        key_name name;
        std::size_t line;
        bool is_table;
    };
    std::vector<config::mistake> mistakes_;
    std::vector<config::mistake> warnings_;
    std::vector<std::string> effective_;
    std::vector<key_name> known_;
    std::vector<unknown_key> unknown_;
};

} // namespace chargifyd::config
