#include "ctl/context.hpp"

#include "ctl/text.hpp"

#include <ostream>
#include <unistd.h>

namespace chargifyd::ctl {

namespace {

form form_of(const common_options& common, bool terminal) noexcept
{
    if (common.csv)
        return form::csv;
    if (common.table)
        return form::table;
    return common.json || !terminal ? form::json : form::table;
}

} // namespace

output& context::out()
{
    if (!out_)
        out_.emplace(streams_.out, form_of(common, streams_.terminal), streams_.terminal, streams_.colour);
    return *out_;
}

void context::note(std::string_view line)
{
    streams_.err << printable(line) << '\n' << std::flush;
}

std::filesystem::path context::config_file() const
{
    return common.config.empty() ? std::filesystem::path(config::default_path) : common.config;
}

bool context::has_config_file() const
{
    return !common.config.empty() || ::access(config::default_path, R_OK) == 0;
}

const config::settings& context::settings()
{
    if (settings_)
        return *settings_;
    config::loaded read = config::load(config_file());
    for (const config::mistake& m : read.mistakes)
        note(config::format_mistake(config_file(), m));
    if (!read.mistakes.empty())
        throw failure(exit_code::usage, "the configuration cannot be used");
    settings_ = std::move(read.value);
    return *settings_;
}

std::filesystem::path context::state_directory()
{
    if (!common.state_directory.empty())
        return common.state_directory;
    if (!has_config_file())
        return config::settings().state_directory;
    return settings().state_directory;
}

void context::schedule(work what)
{
    if (!work_)
        work_ = std::move(what);
}

exit_code context::run()
{
    try {
        const exit_code code = work_(*this);
        out().flush();
        return code;
    } catch (const failure&) {
        out().flush(); // what was found before the failure
        throw;
    }
}

} // namespace chargifyd::ctl
