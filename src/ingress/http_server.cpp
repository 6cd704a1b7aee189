#include "ingress/http_server.hpp"

#include "ingress/address.hpp"

#include "chargifyd/base/log.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>

#include <csignal>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <type_traits>
#include <unistd.h>
#include <utility>

namespace chargifyd::ingress {
namespace {

using namespace std::chrono_literals;

constexpr int backlog = 4096;
/// After a failed accept (no descriptors left): let some be closed instead of trying again at once.
constexpr auto accept_pause = 100ms;
/// How soon a full server notices that there is room again.
constexpr auto full_pause = 20ms;

void log_end(std::exception_ptr failure)
{
    if (!failure)
        return;
    try {
        std::rethrow_exception(failure);
    } catch (const std::exception& e) {
        log::error("a connection was ended by a failure inside the server", {{"error", e.what()}});
    }
}

void run(net::io_context& context, const std::string& name)
{
    ::pthread_setname_np(::pthread_self(), name.substr(0, 15).c_str());
    sigset_t pipe;
    ::sigemptyset(&pipe);
    ::sigaddset(&pipe, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
    for (;;) {
        try {
            context.run();
            return;
        } catch (const std::exception& e) {
            log::error("a handler failed", {{"thread", name}, {"error", e.what()}});
        }
    }
}

net::ip::address address_of(const net::ip::tcp::endpoint& peer)
{
    return peer.address();
}

net::ip::address address_of(const net::local::stream_protocol::endpoint&)
{
    return {};
}

/// Whether someone accepts connections on the unix socket.
bool is_listened_on(const net::local::stream_protocol::endpoint& where)
{
    net::io_context context;
    net::local::stream_protocol::socket probe(context);
    error_code ec;
    probe.connect(where, ec);
    return !ec || ec == net::error::try_again;
}

result<void> remove_stale(const std::filesystem::path& path,
                          const net::local::stream_protocol::endpoint& where)
{
    struct stat found {};
    if (::lstat(path.c_str(), &found) != 0)
        return errno == ENOENT ? result<void>() : system_error(errno, path.string());
    if (!S_ISSOCK(found.st_mode))
        return make_error(errc::invalid, path.string() + ": exists and is no socket");
    if (is_listened_on(where))
        return make_error(errc::busy, path.string() + ": another process listens on this socket");
    if (::unlink(path.c_str()) != 0)
        return system_error(errno, path.string());
    return {};
}

} // namespace

/// Counts a coroutine as long as it exists.
class http_server::presence {
public:
    presence(http_server& server, bool connection)
        : server_(&server)
        , connection_(connection)
    {
        const std::lock_guard hold(server.mutex_);
        ++server.present_;
        if (connection) {
            ++server.connections_;
            server.user_.connection_opened();
        }
    }
    presence(presence&& other) noexcept
        : server_(std::exchange(other.server_, nullptr))
        , connection_(other.connection_)
    {}
    presence& operator=(presence&&) = delete;
    ~presence()
    {
        if (server_ == nullptr)
            return;
        const std::lock_guard hold(server_->mutex_);
        if (connection_) {
            --server_->connections_;
            server_->user_.connection_closed();
        }
        if (--server_->present_ == 0)
            server_->alone_.notify_all();
    }

private:
    http_server* server_;
    bool connection_;
};

http_server::http_server(std::string name, std::size_t threads, const server_limits& limits,
                         application& user)
    : name_(std::move(name))
    , limits_(limits)
    , user_(user)
{
    for (std::size_t i = 0; i < threads; ++i)
        threads_.push_back(std::make_unique<io_thread>(i));
}

http_server::~http_server()
{
    drain(0ms);
    if (!local_path_.empty())
        ::unlink(local_path_.c_str());
}

result<std::string> http_server::listen(const std::string& address, bool secure)
{
    const auto where = parse_endpoint(address);
    if (!where)
        return where.error();
    error_code ec;
    tcp_acceptor acceptor(threads_.front()->context.get_executor());
    acceptor.open(where->protocol(), ec);
    if (!ec)
        acceptor.set_option(net::socket_base::reuse_address(true), ec);
    if (!ec && where->address().is_v6())
        acceptor.set_option(net::ip::v6_only(!where->address().is_unspecified()), ec);
    if (!ec)
        acceptor.bind(*where, ec);
    if (!ec)
        acceptor.listen(backlog, ec);
    net::ip::tcp::endpoint bound;
    if (!ec)
        bound = acceptor.local_endpoint(ec);
    if (ec)
        return system_error(ec.value(), "cannot listen on " + address);
    tcp_.push_back({std::move(acceptor), secure});
    return to_text(bound);
}

result<std::string> http_server::listen_on(int socket, bool secure)
{
    const auto option = [socket](int name) {
        int value = 0;
        socklen_t size = sizeof value;
        return ::getsockopt(socket, SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
    };
    const int family = option(SO_DOMAIN);
    if (option(SO_TYPE) != SOCK_STREAM || option(SO_ACCEPTCONN) != 1 ||
        (family != AF_INET && family != AF_INET6))
        return make_error(errc::invalid, "descriptor " + std::to_string(socket) +
                                             " from the service manager is no TCP socket that listens");
    error_code ec;
    tcp_acceptor acceptor(threads_.front()->context.get_executor());
    acceptor.assign(family == AF_INET ? net::ip::tcp::v4() : net::ip::tcp::v6(), socket, ec);
    net::ip::tcp::endpoint bound;
    if (!ec)
        bound = acceptor.local_endpoint(ec);
    if (ec)
        return system_error(ec.value(), "cannot use descriptor " + std::to_string(socket));
    tcp_.push_back({std::move(acceptor), secure});
    return to_text(bound);
}

result<void> http_server::listen_local(const std::filesystem::path& path)
{
    if (path.native().size() >= sizeof(sockaddr_un::sun_path))
        return make_error(errc::invalid,
                          path.string() + ": longer than the path of a unix socket may be (107)");
    const net::local::stream_protocol::endpoint where(path.native());
    if (auto removed = remove_stale(path, where); !removed)
        return removed.error();
    error_code ec;
    local_acceptor acceptor(threads_.front()->context.get_executor());
    acceptor.open(where.protocol(), ec);
    if (!ec)
        acceptor.bind(where, ec);
    if (ec)
        return system_error(ec.value(), "cannot listen on " + path.string());
    local_path_ = path;
    // Nobody can connect before listen(), so there is no moment at which the mode is another.
    if (::chmod(path.c_str(), S_IRUSR | S_IWUSR) != 0)
        return system_error(errno, path.string());
    acceptor.listen(backlog, ec);
    if (ec)
        return system_error(ec.value(), "cannot listen on " + path.string());
    local_.push_back(std::move(acceptor));
    return {};
}

void http_server::start()
{
    running_ = true;
    auto on = threads_.front()->context.get_executor();
    for (auto& l : tcp_)
        net::co_spawn(on, accept(l.acceptor, l.secure, presence(*this, false)), log_end);
    for (auto& acceptor : local_)
        net::co_spawn(on, accept(acceptor, false, presence(*this, false)), log_end);
    for (auto& t : threads_)
        t->thread = std::thread(run, std::ref(t->context), name_ + "-" + std::to_string(t->index));
}

template <class Acceptor>
task<void> http_server::accept(Acceptor& acceptor, bool secure, presence here)
{
    static_cast<void>(here);
    timer pause(acceptor.get_executor());
    while (acceptor.is_open()) {
        if (connections_ >= limits_.max_connections) {
            pause.expires_after(full_pause);
            co_await pause.async_wait(as_result);
            continue;
        }
        error_code ec;
        try {
            co_await accept_one(acceptor, secure, ec);
        } catch (const std::exception& e) {
            ec = net::error::no_memory;
            log::error("a connection could not be taken", {{"error", e.what()}});
        }
        if (ec && acceptor.is_open()) {
            pause.expires_after(accept_pause);
            co_await pause.async_wait(as_result);
        }
    }
}

template <class Acceptor>
task<void> http_server::accept_one(Acceptor& acceptor, bool secure, error_code& ec)
{
    using protocol = typename Acceptor::protocol_type;
    io_thread& on = *threads_[next_thread_++ % threads_.size()];
    typename protocol::endpoint peer;
    auto accepted =
        co_await acceptor.async_accept(on.context.get_executor(), peer, net::redirect_error(in_task, ec));
    if (ec)
        co_return;
    if constexpr (std::is_same_v<protocol, net::ip::tcp>) {
        error_code ignored;
        accepted.set_option(net::ip::tcp::no_delay(true), ignored);
    }
    origin from;
    from.address = address_of(peer);
    from.secure = secure;
    from.local = !std::is_same_v<protocol, net::ip::tcp>;
    net::co_spawn(on.context, converse(on, stream_socket(std::move(accepted)), from, presence(*this, true)),
                  log_end);
}

task<void> http_server::converse(io_thread& on, stream_socket accepted, origin from, presence here)
{
    static_cast<void>(here);
    tls_session session;
    if (from.secure) {
        session.reset(SSL_new(user_.current_tls().get()));
        if (!session)
            throw std::bad_alloc();
    }
    const auto c = std::make_shared<connection>(std::move(accepted), std::move(session));
    if (!c->ok())
        co_return;
    const auto listed = on.open.insert(on.open.end(), c.get());
    std::exception_ptr failure;
    try {
        bool known = true;
        if (user_.is_introduced(from))
            known = co_await learn_origin(on, *c, from);
        if (known) {
            const auto handler = user_.make_handler(on, from);
            co_await serve(*c, limits_.session, *handler, on.home);
        }
    } catch (...) {
        failure = std::current_exception();
    }
    on.open.erase(listed);
    c->abandon();
    if (failure)
        std::rethrow_exception(failure);
}

/// Lets a proxy say on whose behalf it connects. False: the connection is to be closed.
task<bool> http_server::learn_origin(const io_thread& on, connection& c, origin& from)
{
    c.set_deadline(limits_.session.handshake_timeout);
    proxy_header header;
    const step outcome = co_await c.read_introduction(header);
    if (outcome != step::done) {
        // Silence is no fault: some only look whether the port is open, some wait for their client's first
        // byte.
        if (header.length > 0 && outcome != step::stopped && !on.home.draining)
            user_.introduction_failed(from, outcome == step::late ? introduction_failure::slow
                                                                  : introduction_failure::cut_off);
        co_return false;
    }
    if (header.result == proxy_header::outcome::refused) {
        user_.introduction_failed(from, introduction_failure::malformed);
        co_return false;
    }
    if (header.source)
        from.address = *header.source;
    co_return true;
}

heartbeat::clock::duration http_server::stalled()
{
    auto longest = heartbeat::clock::duration::zero();
    for (auto& t : threads_) {
        const auto here = t->pulse.stalled();
        longest = std::max(longest, here);
        if (here == heartbeat::clock::duration::zero()) {
            t->pulse.beat();
            net::post(t->context, [&pulse = t->pulse] { pulse.rest(); });
        }
    }
    return longest;
}

bool http_server::wait_until_alone(std::chrono::milliseconds at_most)
{
    std::unique_lock hold(mutex_);
    return alone_.wait_for(hold, at_most, [this] { return present_ == 0; });
}

template <class F>
void http_server::on_every_thread(F what)
{
    for (auto& t : threads_)
        net::post(t->context, [&thread = *t, what] { what(thread); });
}

void http_server::drain(std::chrono::milliseconds grace)
{
    if (!std::exchange(running_, false))
        return;
    net::post(threads_.front()->context, [this] {
        error_code ignored;
        for (auto& l : tcp_)
            l.acceptor.close(ignored);
        for (auto& acceptor : local_)
            acceptor.close(ignored);
    });
    on_every_thread([](io_thread& t) {
        t.home.draining = true;
        for (auto* c : t.open)
            c->hurry(drain_patience);
    });
    if (!wait_until_alone(grace)) {
        on_every_thread([](io_thread& t) {
            for (auto* c : t.open)
                c->stop();
        });
        while (!wait_until_alone(1h)) {
        }
    }
    for (auto& t : threads_)
        t->busy.reset();
    for (auto& t : threads_)
        t->thread.join();
}

} // namespace chargifyd::ingress
