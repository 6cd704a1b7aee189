#include "ctl/roff.hpp"

#include <algorithm>
#include <cctype>
#include <sstream>
#include <utility>

namespace chargifyd::ctl {

namespace {

constexpr std::size_t line_bytes = 79;

std::string upper(std::string_view text)
{
    std::string out(text);
    std::ranges::transform(out, out.begin(), [](char c) {
        return static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    });
    return out;
}

/// In bold (B) or italic (I).
std::string styled(char font, std::string_view text)
{
    return "\\f" + std::string(1, font) + roff_text(text) + "\\fR";
}

} // namespace

std::string roff_text(std::string_view text)
{
    std::string out;
    for (const char c : text) {
        switch (c) {
        case '\\':
            out += "\\e";
            break;
        case '-':
            out += "\\-"; // a plain one is a hyphen, which cannot be pasted into a shell
            break;
        case '\'':
            out += "\\(aq";
            break;
        case '`':
            out += "\\(ga";
            break;
        case '^':
            out += "\\(ha";
            break;
        case '~':
            out += "\\(ti";
            break;
        case '"':
            out += "\\(dq";
            break;
        default:
            out += c;
        }
    }
    // At the start of a line a dot would be a request.
    return out.starts_with('.') ? "\\&" + out : out;
}

roff_page::roff_page(std::string_view name, int section, std::string_view date, std::string_view source)
{
    line(".TH " + upper(name) + " " + std::to_string(section) + " " + std::string(date) + " \"" +
         roff_text(source) + "\"");
}

void roff_page::section(std::string_view heading)
{
    line(".SH " + roff_text(heading));
    after_heading_ = true;
}

void roff_page::subsection(std::string_view heading)
{
    line(".SS " + roff_text(heading));
    after_heading_ = true;
}

void roff_page::begin_paragraph()
{
    if (!after_heading_)
        line(".PP");
    after_heading_ = false;
}

void roff_page::paragraph(std::string_view text)
{
    begin_paragraph();
    filled(text);
}

void roff_page::item(const std::vector<std::string>& names, std::string_view value, std::string_view text)
{
    std::string term;
    for (const std::string& name : names)
        term += (term.empty() ? "" : ", ") + styled('B', name);
    if (!value.empty())
        term += " " + styled('I', value);
    line(".TP");
    line(term);
    filled(text);
    after_heading_ = false;
}

void roff_page::verbatim(const std::vector<std::string>& lines)
{
    begin_paragraph();
    line(".in +4n");
    line(".nf");
    for (const std::string& l : lines)
        line(roff_text(l));
    line(".fi");
    line(".in");
}

void roff_page::synopsis(std::string_view name, std::string_view rest)
{
    line(styled('B', name));
    filled(rest);
    after_heading_ = false;
}

void roff_page::line(std::string_view roff)
{
    out_ += roff;
    out_ += '\n';
}

void roff_page::filled(std::string_view plain)
{
    std::istringstream words{std::string(plain)};
    std::string current;
    for (std::string word; words >> word;) {
        const std::string next = roff_text(word);
        if (!current.empty() && current.size() + 1 + next.size() > line_bytes)
            line(std::exchange(current, {}));
        current += (current.empty() ? "" : " ") + next;
        // A sentence ends a line, so that its space is groff's.
        if (word.size() > 1 && (word.ends_with('.') || word.ends_with('?')))
            line(std::exchange(current, {}));
    }
    if (!current.empty())
        line(current);
}

} // namespace chargifyd::ctl
