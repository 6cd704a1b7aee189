#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace chargifyd::ctl {

/// Text as it may stand anywhere in a manual page: characters that groff reads as markup, or prints as others
/// than they are, are written as escapes.
std::string roff_text(std::string_view text);

/// Writes a page of the `man` macros, in lines of at most 80 bytes.
class roff_page {
public:
    /// `date` as YYYY-MM-DD.
    roff_page(std::string_view name, int section, std::string_view date, std::string_view source);

    void section(std::string_view heading);
    void subsection(std::string_view heading);
    void paragraph(std::string_view text);
    /// Names with words for their values (`--limit`, `N`), and what it is.
    void item(const std::vector<std::string>& names, std::string_view value, std::string_view text);
    /// Lines as they are, in the typewriter's letters.
    void verbatim(const std::vector<std::string>& lines);
    /// A command line, filled, its continuation indented.
    void synopsis(std::string_view name, std::string_view rest);

    const std::string& text() const noexcept { return out_; }

private:
    void line(std::string_view roff);
    void begin_paragraph();
    void filled(std::string_view plain);

    std::string out_;
    bool after_heading_ = false; ///< a paragraph begins by itself
};

} // namespace chargifyd::ctl
