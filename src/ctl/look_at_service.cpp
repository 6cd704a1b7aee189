#include "ctl/judgement.hpp"
#include "ctl/listening.hpp"
#include "ctl/soundness.hpp"

#include "chargifyd/base/file.hpp"
#include "chargifyd/simulate/probe.hpp"
#include "chargifyd/state/queries.hpp"
#include "chargifyd/state/sqlite_store.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <map>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>

namespace chargifyd::ctl {

namespace {

namespace fs = std::filesystem;

constexpr const char* as_root = "run it as root or as the daemon's user";

std::chrono::sys_seconds now()
{
    return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

void look_at_answer(const std::string& address, const result<simulate::probed>& answer, findings& into)
{
    if (!answer)
        into.problem("listening", answer.error().message,
                     "is that the daemon with this configuration? addresses change with a restart only");
    else if (answer->status == 200)
        into.ok("listening", address + " answers " + answer->body);
    else
        into.problem("listening", address + " answers " + std::to_string(answer->status) + " " + answer->body,
                     "see operations.md, \"When something fails\"");
}

/// With and without TLS, and where a PROXY header may be needed, with and without that: whatever answers.
void knock(const patient& of, const std::string& address, bool tls_first, findings& into)
{
    std::optional<result<simulate::probed>> first;
    for (const bool proxy_header : {false, true}) {
        if (proxy_header && !of.settings.ingress.proxy_protocol)
            break;
        for (const bool tls : {tls_first, !tls_first}) {
            simulate::probe_options with;
            with.tls = tls;
            with.proxy_header = proxy_header; // the loopback address is a trusted proxy
            auto answer = simulate::probe(address, with);
            // A port for TLS may tell those who come without that this is wrong.
            if (answer && (answer->status == 200 || answer->status == 503))
                return look_at_answer(address, answer, into);
            if (!first)
                first = std::move(answer);
        }
    }
    look_at_answer(address, *first, into);
}

void bind_once(const std::string& address, findings& into)
{
    const auto bound = simulate::try_to_bind(address);
    if (bound)
        into.ok("listening", address + " is free; no daemon runs");
    else if (bound.error().code == errc::unavailable)
        into.warning("listening", bound.error().message, "this user may not; the socket unit may");
    else
        into.problem("listening", bound.error().message,
                     bound.error().code == errc::busy ? "another program listens there: stop it ('ss -ltnp')"
                                                      : "name an address of this machine");
}

/// systemd holds the ports of the socket units that are enabled, also while no daemon runs.
bool systemd_holds(const std::string& kind)
{
    for (const char* folder : {"/etc/systemd/system", "/run/systemd/system", "/usr/lib/systemd/system"}) {
        std::error_code missing;
        if (fs::exists(fs::path(folder) / "sockets.target.wants" / ("chargifyd-" + kind + ".socket"),
                       missing))
            return true;
    }
    return false;
}

void look_at_configured(const patient& of, const std::vector<std::string>& addresses, bool tls,
                        findings& into)
{
    const std::string kind = tls ? "https" : "http";
    if (systemd_holds(kind)) {
        into.ok("listening", "chargifyd-" + kind + ".socket takes the place of ingress." + kind +
                                 ": see systemctl list-sockets");
        return;
    }
    for (const std::string& address : addresses) {
        if (address.ends_with(":0"))
            into.ok("listening", address + " means any free port; it is not known here");
        else if (of.daemon != 0)
            knock(of, address, tls, into);
        else
            bind_once(address, into);
    }
}

/// The last time for each site from which something was received.
std::map<std::string, std::string> last_webhooks(state::state_reader& state)
{
    std::map<std::string, std::string> last;
    const auto done = state.run({"SELECT site, last_received_at FROM sites", {}}, {},
                                [&last](std::span<const state::value> row) {
                                    const auto* site = std::get_if<std::string>(&row[0]);
                                    const auto* at = std::get_if<std::string>(&row[1]);
                                    if (site != nullptr)
                                        last[*site] = at != nullptr ? *at : "";
                                    return true;
                                });
    if (!done)
        throw failure(done.error());
    return last;
}

void look_at_sites(const patient& of, findings& into)
{
    auto state = value_or_fail(state::state_reader::open(of.directory / state::state_file_name));
    std::map<std::string, std::string> last = last_webhooks(state);
    if (of.configured)
        std::erase_if(last, [&of](const auto& site) {
            return std::ranges::find(of.settings.sites, site.first, &config::site_settings::name) ==
                   of.settings.sites.end();
        });
    for (const config::site_settings& site : of.settings.sites)
        last.try_emplace(site.name);
    for (const auto& [site, at] : last)
        into.add(judge_last_webhook(site, at, now()));
}

/// "Max open files            1024                 524288               files"
std::optional<std::uint64_t> read_file_limit(pid_t process)
{
    constexpr std::string_view name = "Max open files";
    std::ifstream from("/proc/" + std::to_string(process) + "/limits");
    for (std::string line; std::getline(from, line);) {
        if (!line.starts_with(name))
            continue;
        const auto digits = line.find_first_not_of(' ', name.size());
        std::uint64_t limit = 0;
        if (digits != std::string::npos &&
            std::from_chars(line.data() + digits, line.data() + line.size(), limit).ec == std::errc())
            return limit;
    }
    return std::nullopt;
}

} // namespace

void look_at_certificate(const patient& of, findings& into)
{
    if (!of.configured)
        return;
    if (of.settings.ingress.tls.certificate.empty()) {
        into.ok("certificate", "none is configured");
        return;
    }
    const auto chain = read_small_file(of.settings.ingress.tls.certificate);
    const auto key = read_small_file(of.settings.ingress.tls.private_key);
    if (!chain || !key) {
        into.warning("certificate", (chain ? key : chain).error().message, as_root);
        return;
    }
    const auto facts = simulate::read_certificate(*chain, *key);
    if (facts)
        judge_certificate(*facts, now(), into);
    else
        into.problem("certificate",
                     of.settings.ingress.tls.certificate.string() + ": " + facts.error().message,
                     "set ingress.certificate and ingress.private_key to PEM files");
}

void look_at_addresses(const patient& of, findings& into)
{
    // What the kernel says, for sockets that the daemon was given stand in no configuration.
    const std::vector<std::string> open =
        of.daemon != 0 ? listening_addresses(of.daemon) : std::vector<std::string>();
    const std::vector<std::string>& https = of.settings.ingress.https;
    for (const std::string& address : open)
        knock(of, address, address.ends_with(":443") || std::ranges::find(https, address) != https.end(),
              into);
    if (!open.empty())
        return;
    look_at_configured(of, https, true, into);
    look_at_configured(of, of.settings.ingress.http, false, into);
}

void look_at_file_limit(const patient& of, findings& into)
{
    if (of.daemon == 0)
        return;
    if (const auto limit = read_file_limit(of.daemon))
        into.add(judge_file_limit(*limit, of.settings.ingress.max_connections));
    else
        into.warning("files", "cannot tell how many files the daemon may open", as_root);
}

void look_at_content(const patient& of, findings& into)
{
    std::error_code missing;
    if (!fs::exists(of.directory, missing))
        return; // which was said already
    try {
        if (::access((of.directory / "journal").c_str(), R_OK | X_OK) != 0 && errno == EACCES) {
            into.warning("content", "the journal cannot be read by this user", as_root);
        } else {
            const soundness found = examine(of.directory, false);
            for (const std::string& p : found.problems)
                into.problem("content", p, "see operations.md, \"When something fails\"");
            if (found.problems.empty())
                into.ok("content",
                        "journal and state agree at a glance; 'chargifyctl check' reads every byte");
        }
        look_at_sites(of, into);
    } catch (const failure& f) {
        if (f.code() == exit_code::not_found)
            into.warning("content", f.what(), "has chargifyd run with this state directory?");
        else
            into.problem("content", f.what(), "see operations.md, \"When something fails\"");
    }
}

} // namespace chargifyd::ctl
