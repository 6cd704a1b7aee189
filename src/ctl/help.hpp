#pragma once

#include <CLI/CLI.hpp>

#include <string>

namespace chargifyd::ctl {

/// Help that fits 80 columns: an option with the word for its value, and its description in lines of its own
/// column.
class help_formatter final : public CLI::Formatter {
public:
    help_formatter();

    std::string make_option_opts(const CLI::Option* option) const override;
    std::string make_option_desc(const CLI::Option* option) const override;
};

} // namespace chargifyd::ctl
