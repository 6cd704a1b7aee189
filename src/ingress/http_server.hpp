#pragma once

#include "ingress/io.hpp"
#include "ingress/session.hpp"
#include "ingress/tls.hpp"

#include "chargifyd/base/error.hpp"
#include "chargifyd/base/heartbeat.hpp"

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <filesystem>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace chargifyd::ingress {

/// One thread with an io_context of its own, and the connections that live on it. Members are used on that
/// thread, except `context`, to which anyone may post.
struct io_thread {
    explicit io_thread(std::size_t number)
        : busy(net::make_work_guard(context))
        , index(number)
    {}

    net::io_context context{1}; ///< one thread runs it
    net::executor_work_guard<executor> busy;
    const std::size_t index;
    session_home home;
    std::list<connection*> open;
    heartbeat pulse; ///< beats while a question whether the thread gets on waits for its answer
    std::thread thread;
};

/// Where a connection came from.
struct origin {
    net::ip::address address; ///< unspecified for a unix socket
    bool secure = false;      ///< TLS
    bool local = false;       ///< a unix socket
};

/// Why a PROXY header that had to come did not. The closed set of the metric `proxy_header_errors_total`.
enum class introduction_failure {
    malformed,
    cut_off, ///< the peer closed in the middle
    slow,
};

/// What stands on a server. Called on its threads.
class application {
public:
    /// Whether connections from there begin with a PROXY header, which then says where they come from.
    virtual bool is_introduced(const origin&) const { return false; }
    /// The connection is closed without an answer.
    virtual void introduction_failed(const origin&, introduction_failure) {}
    virtual std::unique_ptr<request_handler> make_handler(io_thread& on, const origin& from) = 0;
    /// For a new connection with TLS.
    virtual tls_context current_tls() = 0;
    virtual void connection_opened() {}
    virtual void connection_closed() {}

protected:
    ~application() = default;
};

struct server_limits {
    session_limits session;
    std::size_t max_connections = 10000; ///< above: accepting pauses, the rest waits in the backlog
};

/// Listeners, threads and connections: what the webhook server and the operator server have in common.
/// Listen, start, drain, from one thread at a time.
class http_server {
public:
    /// `name` names the threads. `user` outlives this.
    http_server(std::string name, std::size_t threads, const server_limits& limits, application& user);
    ~http_server();

    /// Binds; accepting begins with `start`. Gives the address bound, with the real port when it was 0.
    result<std::string> listen(const std::string& address, bool secure);
    /// The same with a socket that listens already, which this takes over. errc::invalid: it is none of TCP
    /// that listens.
    result<std::string> listen_on(int socket, bool secure);
    /// A unix socket with mode 0600. A stale one is replaced; errc::busy when someone listens on it.
    result<void> listen_local(const std::filesystem::path& path);

    void start();
    /// Listeners close, idle connections after drain_patience; requests under way get their answer. What is
    /// left after `grace` is cut off, except that handlers at work are always waited for. Then the threads
    /// end. Idempotent.
    void drain(std::chrono::milliseconds grace);

    /// For how long the slowest thread has not got round to a question; each call asks anew. From one thread
    /// at a time, while it runs.
    heartbeat::clock::duration stalled();

    std::size_t connections() const noexcept { return connections_; }
    std::size_t threads() const noexcept { return threads_.size(); }
    io_thread& thread(std::size_t index) noexcept { return *threads_[index]; }

private:
    using tcp_acceptor = net::basic_socket_acceptor<net::ip::tcp, executor>;
    using local_acceptor = net::basic_socket_acceptor<net::local::stream_protocol, executor>;
    struct tcp_listener {
        tcp_acceptor acceptor;
        bool secure;
    };
    class presence;

    template <class Acceptor>
    task<void> accept(Acceptor& acceptor, bool secure, presence here);
    template <class Acceptor>
    task<void> accept_one(Acceptor& acceptor, bool secure, error_code& ec);
    task<void> converse(io_thread& on, stream_socket accepted, origin from, presence here);
    task<bool> learn_origin(const io_thread& on, connection& c, origin& from);
    bool wait_until_alone(std::chrono::milliseconds at_most);
    template <class F>
    void on_every_thread(F what);

    const std::string name_;
    const server_limits limits_;
    application& user_;

    std::vector<std::unique_ptr<io_thread>> threads_; ///< before the acceptors, which live on the first
    std::list<tcp_listener> tcp_;
    std::list<local_acceptor> local_;
    std::filesystem::path local_path_;
    std::size_t next_thread_ = 0; ///< first thread only
    bool running_ = false;

    std::atomic<std::size_t> connections_{0};
    std::mutex mutex_;
    std::condition_variable alone_;
    std::size_t present_ = 0; ///< coroutines that are not over
};

} // namespace chargifyd::ingress
