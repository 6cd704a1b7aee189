#include "chargifyd/ingress/operator_server.hpp"

#include "ingress/http_server.hpp"

#include "chargifyd/base/log.hpp"
#include "chargifyd/base/thread.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <cstddef>
#include <thread>
#include <utility>
#include <vector>

namespace chargifyd::ingress {
namespace {

constexpr std::size_t handler_threads = 2;
constexpr std::size_t max_body_bytes = 64 * 1024;
constexpr std::size_t max_connections = 256;
constexpr std::chrono::seconds grace{1};

std::optional<unsigned> hex_digit(char c) noexcept
{
    if (c >= '0' && c <= '9')
        return static_cast<unsigned>(c - '0');
    if (c >= 'a' && c <= 'f')
        return static_cast<unsigned>(c - 'a' + 10);
    if (c >= 'A' && c <= 'F')
        return static_cast<unsigned>(c - 'A' + 10);
    return std::nullopt;
}

/// Nothing when an escape is incomplete or hides a control character.
std::optional<std::string> percent_decoded(std::string_view path)
{
    std::string decoded;
    decoded.reserve(path.size());
    for (std::size_t i = 0; i < path.size(); ++i) {
        if (path[i] != '%') {
            decoded.push_back(path[i]);
            continue;
        }
        const auto high = i + 2 < path.size() ? hex_digit(path[i + 1]) : std::nullopt;
        const auto low = high ? hex_digit(path[i + 2]) : std::nullopt;
        if (!low)
            return std::nullopt;
        const unsigned byte = *high * 16 + *low;
        if (byte < 0x20 || byte == 0x7F)
            return std::nullopt;
        decoded.push_back(static_cast<char>(byte));
        i += 2;
    }
    return decoded;
}

operator_reply run_handler(const operator_handler& handler, const operator_request& request) noexcept
{
    operator_reply failed;
    try {
        return handler(request);
    } catch (const std::exception& e) {
        log::error("an operator's request failed", {{"path", request.path}, {"error", e.what()}});
    } catch (...) {
        log::error("an operator's request failed", {{"path", request.path}});
    }
    failed.status = 500;
    failed.content_type = "text/plain";
    failed.body = "internal error\n";
    return failed;
}

/// Something that cannot end a header line, whatever a handler says.
bool is_printable(std::string_view text) noexcept
{
    for (const char c : text)
        if (c < ' ' || c == '\x7F')
            return false;
    return true;
}

/// The threads that handlers run on. net::thread_pool waits for ever when it cannot make all of its own.
class handler_pool {
public:
    explicit handler_pool(std::size_t threads)
    {
        try {
            for (std::size_t i = 0; i < threads; ++i)
                threads_.emplace_back([this] {
                    give_way_to_answers(work_kind::asking);
                    context_.run();
                });
        } catch (...) {
            join();
            throw;
        }
    }
    ~handler_pool() { join(); }
    handler_pool(const handler_pool&) = delete;
    handler_pool& operator=(const handler_pool&) = delete;

    net::io_context& context() noexcept { return context_; }
    /// Ends when everything posted is done. Idempotent.
    void join()
    {
        busy_.reset();
        for (std::thread& t : threads_)
            t.join();
        threads_.clear();
    }

private:
    net::io_context context_;
    net::executor_work_guard<net::io_context::executor_type> busy_ = net::make_work_guard(context_);
    std::vector<std::thread> threads_;
};

class operator_service final : public application {
public:
    explicit operator_service(operator_handler handler)
        : handler_(std::move(handler))
    {}

    std::unique_ptr<request_handler> make_handler(io_thread& on, const origin& from) override;
    tls_context current_tls() override { return {}; }

    const operator_handler& handler() const noexcept { return handler_; }
    handler_pool& pool() noexcept { return pool_; }

private:
    const operator_handler handler_;
    handler_pool pool_{handler_threads};
};

class operator_session final : public request_handler {
public:
    operator_session(operator_service& service, io_thread& on, bool local)
        : service_(service)
        , home_(on)
        , local_(local)
    {}

    std::optional<answer> judge(const request_head& head) override;
    task<answer> handle(std::string_view body) override;
    answer refuse(refusal reason) override { return answer_to(reason); }
    void handshake_failed() override {}

private:
    task<void> work();

    operator_service& service_;
    io_thread& home_;
    const bool local_;
    operator_request request_;
    operator_reply reply_;
    std::string link_; ///< the header line
};

std::unique_ptr<request_handler> operator_service::make_handler(io_thread& on, const origin& from)
{
    return std::make_unique<operator_session>(*this, on, from.local);
}

std::optional<answer> operator_session::judge(const request_head& head)
{
    auto path = percent_decoded(head.path);
    if (!path)
        return answer_to(refusal::bad_request);
    // HEAD is GET whose body is not sent: the session sees to that.
    request_.method = head.method == "HEAD" ? std::string_view("GET") : head.method;
    request_.path = std::move(*path);
    request_.query = head.query;
    request_.authorization = head.authorization;
    request_.local = local_;
    request_.host = head.host;
    return std::nullopt;
}

task<answer> operator_session::handle(std::string_view body)
{
    request_.body = body;
    co_await work();
    answer made;
    made.status = reply_.status;
    made.body = reply_.body;
    made.content_type =
        is_printable(reply_.content_type) ? std::string_view(reply_.content_type) : "text/plain";
    if (made.status == 401)
        made.extra = "WWW-Authenticate: Bearer\r\n";
    if (!reply_.link.empty() && is_printable(reply_.link)) {
        link_ = "Link: " + reply_.link + "\r\n";
        made.extra = link_;
    }
    co_return made;
}

/// Runs the handler on the pool and comes back to this connection's thread.
task<void> operator_session::work()
{
    using resumption = net::async_result<net::use_awaitable_t<executor>, void()>::handler_type;
    auto start = [](resumption&& resumes, operator_session* self) {
        net::post(self->service_.pool().context(), [self, resumes = std::move(resumes)]() mutable {
            self->reply_ = run_handler(self->service_.handler(), self->request_);
            net::post(self->home_.context, std::move(resumes));
        });
    };
    auto token = in_task;
    return net::async_initiate<net::use_awaitable_t<executor>, void()>(start, token, this);
}

server_limits operator_limits()
{
    server_limits limits;
    limits.session.gate.max_body_bytes = max_body_bytes;
    limits.max_connections = max_connections;
    return limits;
}

} // namespace

struct operator_server::implementation {
    explicit implementation(operator_handler handler)
        : service(std::move(handler))
        , server("operator", 1, operator_limits(), service)
    {}

    operator_service service;
    http_server server;
    std::string address;
};

operator_server::operator_server(std::unique_ptr<implementation> impl) noexcept
    : impl_(std::move(impl))
{}

operator_server::~operator_server()
{
    stop();
}

result<std::unique_ptr<operator_server>> operator_server::open(const std::string& tcp,
                                                               const std::filesystem::path& socket,
                                                               operator_handler handler, int tcp_socket)
{
    auto impl = std::make_unique<implementation>(std::move(handler));
    if (tcp_socket >= 0 || !tcp.empty()) {
        auto bound =
            tcp_socket >= 0 ? impl->server.listen_on(tcp_socket, false) : impl->server.listen(tcp, false);
        if (!bound)
            return bound.error();
        impl->address = std::move(*bound);
    }
    if (!socket.empty()) {
        if (auto bound = impl->server.listen_local(socket); !bound)
            return bound.error();
    }
    return std::unique_ptr<operator_server>(new operator_server(std::move(impl)));
}

void operator_server::start()
{
    impl_->server.start();
}

void operator_server::stop()
{
    impl_->server.drain(grace);
    // Every connection is over, but a handler's thread may still be on its way out of the server.
    impl_->service.pool().join();
}

std::string operator_server::address() const
{
    return impl_->address;
}

} // namespace chargifyd::ingress
