#include "daemon.hpp"

#include "passed_sockets.hpp"

#include "chargifyd/admin/admin.hpp"
#include "chargifyd/base/log.hpp"
#include "chargifyd/base/metrics.hpp"
#include "chargifyd/chargify/sha256.hpp"
#include "chargifyd/ingress/operator_server.hpp"
#include "chargifyd/ingress/webhook_server.hpp"
#include "chargifyd/journal/directory_lock.hpp"
#include "chargifyd/journal/journal.hpp"
#include "chargifyd/pipeline/pipeline.hpp"
#include "chargifyd/pipeline/rebuild.hpp"
#include "chargifyd/quarantine/quarantine.hpp"
#include "chargifyd/state/sqlite_store.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <systemd/sd-daemon.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <thread>
#include <utility>

namespace chargifyd::app {

namespace {

namespace net = boost::asio;
using namespace std::chrono_literals;

/// How long requests under way may take at the end. Below TimeoutStopSec of the unit.
constexpr auto drain_grace = 20s;
/// The same after a storage failure: nothing can be acknowledged any more.
constexpr auto failure_grace = 1s;
/// How long the rest of the journal may be applied at the end; what is left is applied at the next start.
constexpr auto apply_grace = 5s;

/// What the process must not do: leave webhooks in core files or make files that others can read.
void restrict_process()
{
    ::umask(0027);
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
    rlimit files{};
    if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        ::setrlimit(RLIMIT_NOFILE, &files);
    }
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); // the sanitizers' leak check has to attach to the process
#endif
    std::signal(SIGPIPE, SIG_IGN);
}

/// Has the service manager wait for a start that goes on for long.
void ask_for_time(const std::stop_token& stop)
{
    std::mutex mutex;
    std::condition_variable_any ended;
    std::unique_lock hold(mutex);
    while (!ended.wait_for(hold, stop, 10s, [] { return false; }) && !stop.stop_requested())
        ::sd_notify(0, "EXTEND_TIMEOUT_USEC=60000000\nSTATUS=opening journal and state");
}

/// As many connections as leave the journal and the state the descriptors they need: strangers must not be
/// able to take those.
std::size_t affordable_connections(std::size_t wanted)
{
    constexpr std::size_t kept_descriptors = 512; // of which the operator's port may use half
    rlimit files{};
    if (::getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur == RLIM_INFINITY)
        return wanted;
    const std::size_t all = files.rlim_cur;
    const std::size_t left = all > 2 * kept_descriptors ? all - kept_descriptors : all / 2;
    if (left < wanted)
        log::warning("fewer connections than configured, for want of file descriptors",
                     {{"descriptors", all}, {"connections", left}});
    return std::min(left, wanted);
}

std::string join(const std::vector<std::string>& words)
{
    std::string all;
    for (const std::string& w : words)
        all += all.empty() ? w : "," + w;
    return all;
}

/// The composition root: everything the daemon is made of, in the order in which it depends on one another.
class daemon {
public:
    daemon(std::filesystem::path config_file, config::settings with)
        : config_file_(std::move(config_file))
        , with_(std::move(with))
    {}

    /// Opens everything, so that a mistake is known before the first webhook is taken.
    result<void> open()
    {
        // Reading a journal after a crash and changing a state of an older version take as long as they take.
        const std::jthread patience([](const std::stop_token& stop) { ask_for_time(stop); });
        auto lock = journal::directory_lock::acquire(with_.state_directory);
        if (!lock)
            return lock.error();
        lock_.emplace(std::move(*lock));

        journal::options journal_with = with_.journal;
        journal_with.directory = with_.state_directory / pipeline::journal_directory_name;
        auto inbox = journal::log::open(journal_with, journal::real_file_system(), system_now, instruments_);
        if (!inbox)
            return inbox.error();
        inbox_ = std::move(*inbox);

        auto background = pipeline::pipeline::open(with_.state_directory, with_.pipeline, with_.state,
                                                   *inbox_, instruments_, system_now);
        if (!background)
            return background.error();
        background_ = std::move(*background);

        quarantine::options apart_with = with_.quarantine;
        apart_with.directory = with_.state_directory / quarantine::directory_name;
        auto apart = quarantine::store::open(apart_with, journal::real_file_system(), instruments_);
        if (!apart)
            return apart.error();
        apart_ = std::move(*apart);

        ingress::options ingress_with = with_.ingress;
        ingress_with.max_connections = affordable_connections(with_.ingress.max_connections);
        const auto passed = take_passed_sockets(with_);
        if (!passed)
            return passed.error();
        ingress_with.https_sockets = passed->https;
        ingress_with.http_sockets = passed->http;
        auto traffic = ingress::webhook_server::open(ingress_with, with_.ingress_sites(), *inbox_, *apart_,
                                                     instruments_, system_now);
        if (!traffic)
            return traffic.error();
        traffic_ = std::move(*traffic);

        admin::sources shown;
        shown.health = [server = traffic_.get()] { return server->health(); };
        shown.background = background_.get();
        shown.quarantined = apart_.get();
        shown.release_quarantined = [this] {
            return quarantine::release(*apart_, *inbox_, [this](const quarantine::entry& e) {
                return traffic_->verifies(e.site, e.body, e.signature);
            });
        };
        shown.instruments = &instruments_;
        shown.state_file = with_.state_directory / state::state_file_name;
        shown.journal_directory = journal_with.directory;
        shown.disk_floor_bytes = journal_with.disk_floor_bytes;
        shown.token = with_.admin.token;
        auto operators = ingress::operator_server::open(
            with_.admin.listen, with_.state_directory / admin::control_socket_name,
            admin::make_handler(std::move(shown)), passed->admin.empty() ? -1 : passed->admin.front());
        if (!operators)
            return operators.error();
        operators_ = std::move(*operators);
        return {};
    }

    /// Serves until told to stop.
    int run()
    {
        inbox_->on_failure([this](const error& e) {
            log::error("the journal failed; the daemon ends so that it can be started anew",
                       {{"error", e.message}});
            net::post(context_, [this] { end(failure_grace, 1); });
        });
        wait_for_signals();
        try {
            background_->start();
            traffic_->start();
            operators_->start();
        } catch (const std::exception& e) {
            // Some threads run and some do not; nothing was acknowledged that an orderly end would save.
            log::error("cannot start", {{"error", e.what()}});
            std::_Exit(1);
        }
        log::info("ready", {{"version", CHARGIFYD_VERSION},
                            {"https", join(traffic_->https_addresses())},
                            {"http", join(traffic_->http_addresses())},
                            {"admin", operators_->address()},
                            {"sites", with_.sites.size()},
                            {"sequence", inbox_->durable_sequence()}});
        show_configuration(with_);
        ::sd_notify(0, "READY=1\nSTATUS=taking webhooks");
        watch();
        look_at_certificate();
        context_.run();
        return exit_status_;
    }

private:
    void wait_for_signals()
    {
        signals_.async_wait([this](const boost::system::error_code& failed, int number) {
            if (failed)
                return;
            if (number != SIGHUP) {
                log::info("stopping", {{"signal", number}});
                end(drain_grace, 0);
                return;
            }
            reload();
            wait_for_signals();
        });
    }

    /// Certificate, keys and log level. A file with a mistake in it changes nothing.
    void reload()
    {
        ::sd_notify(0, "RELOADING=1");
        const config::loaded read = config::load(config_file_);
        for (const config::mistake& m : read.mistakes)
            log::error("configuration not reloaded", {{"mistake", config::format_mistake(config_file_, m)}});
        for (const config::mistake& w : read.warnings)
            log::warning("configuration", {{"warning", config::format_mistake(config_file_, w)}});
        if (read.mistakes.empty()) {
            if (const auto done = traffic_->reload(read.value.ingress.tls, read.value.ingress_sites());
                !done) {
                log::error("configuration not reloaded", {{"mistake", done.error().message}});
            } else {
                log::set_level(read.value.log.level);
                show_configuration(read.value);
                log::info("configuration reloaded", {{"sites", read.value.sites.size()}});
            }
        }
        ::sd_notify(0, "READY=1");
    }

    /// As a metric, so that machines that should have the same configuration can be compared.
    void show_configuration(const config::settings& shown)
    {
        std::string all;
        for (const std::string& line : shown.effective)
            all += line + "\n";
        constexpr std::size_t digits = 12;
        const std::string print = to_hex(chargify::sha256(all)).substr(0, digits);
        const auto series = [this](const std::string& fingerprint) {
            return instruments_.make_gauge("config_info",
                                           "1 for the configuration in force, secrets left out.",
                                           {{"fingerprint", fingerprint}});
        };
        if (!fingerprint_.empty())
            series(fingerprint_).set(0);
        fingerprint_ = print;
        series(print).set(1);
        log::info("configuration", {{"fingerprint", print}});
    }

    void look_at_certificate()
    {
        certificate_look_.expires_after(24h);
        certificate_look_.async_wait([this](const boost::system::error_code& cancelled) {
            if (cancelled)
                return;
            traffic_->warn_of_expiry();
            look_at_certificate();
        });
    }

    /// Tells the service manager that all is well, as long as it is: traffic, journal and applying have to
    /// get on, not only this thread.
    void watch()
    {
        std::uint64_t limit_us = 0;
        if (::sd_watchdog_enabled(0, &limit_us) <= 0)
            return;
        const std::chrono::microseconds limit(limit_us);
        const std::pair<const char*, std::chrono::steady_clock::duration> parts[] = {
            {"traffic", traffic_->stalled()},
            {"journal", inbox_->stalled()},
            {"applying", background_->stalled()}};
        const auto* const stuck =
            std::ranges::find_if(parts, [&](const auto& p) { return p.second > limit / 2; });
        if (stuck == std::end(parts))
            ::sd_notify(0, "WATCHDOG=1");
        else
            log::error(
                "no progress; the service manager will end this process",
                {{"part", stuck->first},
                 {"seconds", std::chrono::duration_cast<std::chrono::seconds>(stuck->second).count()}});
        watchdog_.expires_after(limit / 4);
        watchdog_.async_wait([this](const boost::system::error_code& cancelled) {
            if (!cancelled)
                watch();
        });
    }

    void end(std::chrono::milliseconds grace, int status)
    {
        if (std::exchange(ending_, true))
            return;
        exit_status_ = status;
        ::sd_notify(0, "STOPPING=1");
        signals_.cancel();
        traffic_->drain(grace);
        operators_->stop();
        inbox_->close();
        background_->stop(apply_grace);
        const pipeline::status last = background_->now();
        log::info("stopped", {{"journalled", last.durable}, {"applied", last.applied}});
        context_.stop();
    }

    const std::filesystem::path config_file_;
    const config::settings with_;
    metrics::registry instruments_;
    std::optional<journal::directory_lock> lock_;
    std::unique_ptr<journal::log> inbox_;
    std::unique_ptr<pipeline::pipeline> background_;
    std::unique_ptr<quarantine::store> apart_;
    std::unique_ptr<ingress::webhook_server> traffic_;
    std::unique_ptr<ingress::operator_server> operators_;
    net::io_context context_{1};
    net::signal_set signals_{context_, SIGTERM, SIGINT, SIGHUP};
    net::steady_timer watchdog_{context_};
    net::steady_timer certificate_look_{context_};
    std::string fingerprint_;
    bool ending_ = false;
    int exit_status_ = 0;
};

} // namespace

int run_daemon(const std::filesystem::path& config_file, config::settings with)
{
    restrict_process();
    daemon all(config_file, std::move(with));
    if (const auto opened = all.open(); !opened) {
        log::error("cannot start", {{"error", opened.error().message}});
        return 1;
    }
    return all.run();
}

} // namespace chargifyd::app
