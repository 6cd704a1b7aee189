#include "ingress/connection.hpp"

#include <boost/asio/post.hpp>

#include <utility>

namespace chargifyd::ingress {
namespace {

using namespace std::chrono_literals;

constexpr auto linger_time = 1000ms;
constexpr std::size_t linger_bytes = 1024 * 1024;
/// So many reads may succeed at once before the other connections of the thread get their turn.
constexpr unsigned reads_in_a_row = 16;

} // namespace

connection::connection(stream_socket accepted, tls_session session)
    : socket_(std::move(accepted))
    , timer_(socket_.get_executor())
    , transport_(socket_.native_handle(), std::move(session))
{
    error_code ignored;
    socket_.native_non_blocking(true, ignored);
}

void connection::set_deadline(std::chrono::milliseconds from_now)
{
    late_ = false;
    due_ = monotonic::now() + from_now;
    if (!armed_ || due_ < timer_.expiry())
        arm();
}

void connection::arm()
{
    timer_.expires_at(due_);
    armed_ = true;
    timer_.async_wait([self = shared_from_this()](error_code ec) {
        if (!ec)
            self->on_timer();
    });
}

void connection::on_timer()
{
    armed_ = false;
    if (due_ == monotonic::time_point::max() || !socket_.is_open())
        return;
    if (monotonic::now() < due_) {
        arm();
        return;
    }
    late_ = true;
    error_code ignored;
    socket_.cancel(ignored);
}

task<step> connection::wait_for(transport::outcome what)
{
    if (what == transport::outcome::closed)
        co_return step::closed;
    if (stopped_)
        co_return step::stopped;
    if (late_)
        co_return step::late;
    const auto kind =
        what == transport::outcome::want_write ? stream_socket::wait_write : stream_socket::wait_read;
    const auto [ec] = co_await socket_.async_wait(kind, as_result);
    if (stopped_)
        co_return step::stopped;
    if (late_)
        co_return step::late;
    co_return ec ? step::closed : step::done;
}

task<step> connection::read_introduction(proxy_header& into)
{
    using outcome = proxy_header::outcome;
    input_.reserve(max_proxy_header_bytes);
    // Nothing has been asked yet, so a server that ends need not wait for it.
    idle_ = true;
    step waited = step::done;
    while (waited == step::done) {
        const auto seen = transport_.peek(input_.space());
        if (seen.result != transport::outcome::done) {
            waited = co_await wait_for(seen.result);
            continue;
        }
        const auto taken = input_.view().size();
        into = read_proxy_header({input_.view().data(), taken + seen.bytes});
        if (into.result == outcome::refused)
            break;
        // Without its end, all that is there belongs to the header. Taken away, it does not wake us again.
        const auto wanted = into.result == outcome::complete ? into.length - taken : seen.bytes;
        input_.commit(transport_.take(input_.space().first(wanted)).bytes);
        if (into.result == outcome::complete && input_.view().size() == into.length)
            break;
        if (late_)
            waited = step::late;
    }
    if (waited != step::done) {
        into = proxy_header();
        into.length = input_.view().size();
    }
    input_.consume(input_.view().size());
    input_.release_if_empty();
    idle_ = false;
    co_return waited;
}

task<step> connection::handshake()
{
    // Nothing has been asked yet, so a server that ends need not wait for it.
    idle_ = true;
    step waited = step::done;
    while (waited == step::done) {
        const auto outcome = transport_.handshake();
        if (outcome == transport::outcome::done)
            break;
        waited = co_await wait_for(outcome);
    }
    idle_ = false;
    co_return waited;
}

task<step> connection::readable()
{
    input_.release_if_empty();
    idle_ = true;
    const auto waited = co_await wait_for(transport::outcome::want_read);
    idle_ = false;
    co_return waited;
}

task<step> connection::read()
{
    for (;;) {
        const auto got = transport_.read(input_.space());
        if (got.result == transport::outcome::done) {
            input_.commit(got.bytes);
            if (++reads_ % reads_in_a_row == 0)
                co_await net::post(socket_.get_executor(), in_task);
            // Deadlines are noticed in between, so a peer that always has a byte ready cannot outrun its own.
            co_return late_ ? step::late : step::done;
        }
        const auto waited = co_await wait_for(got.result);
        if (waited != step::done)
            co_return waited;
    }
}

task<void> connection::give_way()
{
    co_await net::post(socket_.get_executor(), in_task);
}

task<step> connection::write(std::string_view bytes)
{
    while (!bytes.empty()) {
        const auto put = transport_.write(bytes);
        if (put.result == transport::outcome::done) {
            bytes.remove_prefix(put.bytes);
            continue;
        }
        const auto waited = co_await wait_for(put.result);
        if (waited != step::done)
            co_return waited;
    }
    co_return step::done;
}

task<void> connection::close(bool linger)
{
    transport_.say_farewell();
    error_code ignored;
    socket_.shutdown(stream_socket::shutdown_send, ignored);
    if (linger)
        set_deadline(linger_time);
    for (std::size_t taken = 0; linger && taken < linger_bytes;) {
        const auto got = transport_.discard();
        taken += got.bytes;
        if (got.result == transport::outcome::done)
            continue;
        if (co_await wait_for(got.result) != step::done)
            break;
    }
    abandon();
}

void connection::abandon()
{
    clear_deadline();
    timer_.cancel();
    error_code ignored;
    socket_.close(ignored);
}

void connection::hurry(std::chrono::milliseconds patience)
{
    if (idle_ && monotonic::now() + patience < due_)
        set_deadline(patience);
}

void connection::stop()
{
    stopped_ = true;
    error_code ignored;
    socket_.cancel(ignored);
}

} // namespace chargifyd::ingress
