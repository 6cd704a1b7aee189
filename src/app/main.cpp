#include "daemon.hpp"

#include "chargifyd/base/log.hpp"
#include "chargifyd/config/settings.hpp"
#include "chargifyd/ingress/record_memory.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <exception>
#include <string>

int main(int argc, char** argv)
{
    using namespace chargifyd;
    ingress::record_memory::serve_openssl();
    CLI::App cli("Receives Chargify webhooks, keeps them, and maintains their state in SQLite.", "chargifyd");
    std::string file = config::default_path;
    cli.add_option("--config", file, "Configuration file")->capture_default_str();
    cli.set_version_flag("--version", "chargifyd " CHARGIFYD_VERSION);
    cli.footer("Runs in the foreground and logs to stderr. Exit status: 0 stopped by a signal, 1 failed, "
               "2 mistake in the configuration or the arguments.\nSee also: chargifyctl config check");
    try {
        cli.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
        return cli.exit(e) == 0 ? 0 : 2;
    }
    try {
        config::loaded read = config::load(file);
        for (const config::mistake& m : read.mistakes)
            std::fprintf(stderr, "%s\n", config::format_mistake(file, m).c_str());
        if (!read.mistakes.empty())
            return 2;
        log::configure(read.value.log.level, read.value.log.format);
        for (const config::mistake& w : read.warnings)
            log::warning("configuration", {{"warning", config::format_mistake(file, w)}});
        return app::run_daemon(file, std::move(read.value));
    } catch (const std::exception& e) {
        std::fprintf(stderr, "chargifyd: %s\n", e.what());
        return 1;
    }
}
