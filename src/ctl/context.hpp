#pragma once

#include "ctl/failure.hpp"
#include "ctl/output.hpp"

#include "chargifyd/config/settings.hpp"

#include <filesystem>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string_view>

namespace chargifyd::ctl {

/// The options every command has, wherever they stand on the line.
struct common_options {
    std::filesystem::path config;          ///< empty: the default file
    std::filesystem::path state_directory; ///< empty: the configuration's
    bool json = false;
    bool csv = false;
    bool table = false;
};

/// The process around a command.
struct streams {
    sink& out;
    std::ostream& err;
    bool terminal = false; ///< `out` is one
    bool colour = false;   ///< it has colours, and the user did not turn them off
};

/// What a command works with. One thread.
class context {
public:
    using work = std::function<exit_code(context&)>;

    explicit context(streams with)
        : streams_(with)
    {}

    common_options common;

    /// Only after the command line was read.
    output& out();
    /// One line for a person, on stderr; escaped.
    void note(std::string_view line);

    std::filesystem::path config_file() const;
    /// Whether --config was given or the default file exists.
    bool has_config_file() const;
    /// The configuration, read when it is first asked for. All its mistakes are noted before the command
    /// fails.
    const config::settings& settings();
    /// --state-directory; else the configuration's; else, without a default configuration file that this user
    /// may read, the default directory.
    std::filesystem::path state_directory();

    /// The work of the command on the line; of nested commands the innermost, which CLI11 reports first, is
    /// kept.
    void schedule(work what);
    exit_code run();

private:
    streams streams_;
    std::optional<output> out_;
    std::optional<config::settings> settings_;
    work work_;
};

} // namespace chargifyd::ctl
