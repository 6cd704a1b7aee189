#pragma once

#include "ctl/failure.hpp"
#include "ctl/output.hpp"

#include "chargifyd/config/settings.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// What `doctor` finds.
namespace chargifyd::ctl {

enum class severity {
    ok,
    warning, ///< works, or could not be looked at
    problem, ///< does not work, or will not for long
};

std::string_view to_string(severity s) noexcept;

struct finding {
    severity how = severity::ok;
    std::string subject; ///< one word
    std::string text;
    std::string advice; ///< what to do; empty: nothing
};

class findings {
public:
    void ok(std::string subject, std::string text)
    {
        all_.push_back({severity::ok, std::move(subject), std::move(text), {}});
    }
    void warning(std::string subject, std::string text, std::string advice)
    {
        all_.push_back({severity::warning, std::move(subject), std::move(text), std::move(advice)});
    }
    void problem(std::string subject, std::string text, std::string advice)
    {
        all_.push_back({severity::problem, std::move(subject), std::move(text), std::move(advice)});
    }
    void add(finding f) { all_.push_back(std::move(f)); }
    const std::vector<finding>& all() const noexcept { return all_; }

private:
    std::vector<finding> all_;
};

/// What there is to look at.
struct patient {
    std::filesystem::path directory; ///< the state directory
    config::settings settings;       ///< defaults when `configured` is false
    bool configured = false;
    pid_t daemon = 0; ///< 0: none runs
};

// Each looks at one side. None throws because of what it finds, or cannot look at.
void look_at_directory(const patient& of, findings& into);
void look_at_disk(const patient& of, findings& into);
void look_at_clock(findings& into);
void look_at_certificate(const patient& of, findings& into);
void look_at_addresses(const patient& of, findings& into);
void look_at_file_limit(const patient& of, findings& into);
void look_at_sqlite(findings& into);
void look_at_content(const patient& of, findings& into);

} // namespace chargifyd::ctl
