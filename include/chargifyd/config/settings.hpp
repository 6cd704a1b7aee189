#pragma once

#include "chargifyd/base/error.hpp"
#include "chargifyd/base/log.hpp"
#include "chargifyd/base/secret.hpp"
#include "chargifyd/ingress/webhook_server.hpp"
#include "chargifyd/journal/journal.hpp"
#include "chargifyd/pipeline/options.hpp"
#include "chargifyd/quarantine/quarantine.hpp"
#include "chargifyd/state/options.hpp"

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

/// The configuration file (docs/configuration.md): read once, checked whole, handed to the rooms as their
/// options.
namespace chargifyd::config {

inline constexpr const char* default_path = "/etc/chargifyd/chargifyd.toml";

/// One Chargify site, its keys already read from their files.
struct site_settings {
    std::string name;
    std::vector<secret> shared_keys;
    bool quarantines = false; ///< on_bad_signature = "quarantine"
};

struct admin_settings {
    std::string listen = "127.0.0.1:9180"; ///< empty: no TCP
    secret token;                          ///< required when not on loopback
};

struct log_settings {
    log::level level = log::level::info;
    log::format format = log::format::text;
};

struct settings {
    std::filesystem::path state_directory = "/var/lib/chargifyd";
    ingress::options ingress;
    admin_settings admin;
    std::vector<site_settings> sites;
    journal::options journal; ///< without the directory: the caller places it in the state directory
    pipeline::options pipeline;
    quarantine::options quarantine; ///< likewise without the directory
    state::options state;
    log_settings log;
    /// Every key with the value in force, in the order of the documentation: `ingress.threads = 0  #
    /// default`, without the comment when the file set it. Shared keys read `(set)`. Empty when there are
    /// mistakes.
    std::vector<std::string> effective;

    /// The sites as the webhook server takes them.
    std::vector<ingress::site> ingress_sites() const;
};

/// One mistake: what is wrong and how to mend it, without any secret. Line 0: the file as a whole.
struct mistake {
    std::size_t line = 0;
    std::string text;
};

/// The outcome of reading: settings when `mistakes` is empty. Both lists stand in the order of the lines.
struct loaded {
    settings value;
    std::vector<mistake> mistakes;
    /// Taken as written, but someone should look: a key file that everyone may read, a state nobody has
    /// documented.
    std::vector<mistake> warnings;
};

/// Reads and checks the file and every file it names (keys, token, certificate and private key must be
/// readable; that the certificate fits its key is checked when the server opens). Finds all mistakes in one
/// pass, except that a line that is not TOML ends the reading. Relative paths are relative to the file's
/// folder. Reads no environment.
loaded load(const std::filesystem::path& file);
/// As `load`, from text; `file` only names it.
loaded parse(const std::string& text, const std::filesystem::path& file);

/// `FILE:LINE: text`, or `FILE: text`.
std::string format_mistake(const std::filesystem::path& file, const mistake& m);

} // namespace chargifyd::config
