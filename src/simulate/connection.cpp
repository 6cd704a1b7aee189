#include "simulate/connection.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/error.hpp>
#include <openssl/x509v3.h>

#include <cstring>

namespace chargifyd::simulate {

namespace {

namespace ssl = net::ssl;
using boost::system::error_code;

constexpr auto as_result = net::as_tuple(net::use_awaitable_t<executor>{});

/// Whom the certificate must name, and whom to ask for (SNI). False: OpenSSL refuses the name.
bool expect_host(SSL* handle, const endpoint& where, bool verify)
{
    if (!where.numeric_host &&
        SSL_ctrl(handle, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                 const_cast<char*>(where.host.c_str())) != 1) // SSL_set_tlsext_host_name without its C cast
        return false;
    if (!verify)
        return true;
    if (where.numeric_host)
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(handle), where.host.c_str()) == 1;
    return SSL_set1_host(handle, where.host.c_str()) == 1;
}

bool is_end(const error_code& ec)
{
    return ec == net::error::eof || ec == ssl::error::stream_truncated;
}

/// The peer has gone, in one of the ways in which that is reported.
bool is_gone(const error_code& ec)
{
    return is_end(ec) || ec == net::error::connection_reset || ec == net::error::broken_pipe;
}

const boost::system::error_category& http_category()
{
    return boost::beast::http::make_error_code(boost::beast::http::error::bad_status).category();
}

} // namespace

result<std::shared_ptr<ssl::context>> make_tls_context(const target& to, const endpoint& where)
{
    if (!where.tls)
        return std::shared_ptr<ssl::context>();
    auto context = std::make_shared<ssl::context>(ssl::context::tls_client);
    context->set_options(ssl::context::default_workarounds | ssl::context::no_tlsv1 |
                         ssl::context::no_tlsv1_1);
    if (to.insecure) {
        context->set_verify_mode(ssl::verify_none);
        return context;
    }
    context->set_verify_mode(ssl::verify_peer);
    error_code ec;
    if (to.ca_file.empty())
        context->set_default_verify_paths(ec);
    else
        context->load_verify_file(to.ca_file.string(), ec);
    if (ec)
        return make_error(errc::invalid,
                          "cannot use the certificates in " + to.ca_file.string() + ": " + ec.message());
    return context;
}

result<std::vector<net::ip::tcp::endpoint>> resolve(const endpoint& where)
{
    net::io_context context;
    net::ip::tcp::resolver resolver(context);
    error_code ec;
    const auto found = resolver.resolve(where.host, where.port, net::ip::resolver_base::numeric_service, ec);
    if (ec)
        return make_error(errc::unavailable,
                          "cannot find the address of " + where.host + ": " + ec.message());
    std::vector<net::ip::tcp::endpoint> out;
    for (const auto& entry : found)
        out.push_back(entry.endpoint());
    return out;
}

std::string describe(const reply& r, const endpoint& where)
{
    const std::string name = where.name();
    if (r.why == net::error::operation_aborted)
        return name + " did not answer in time";
    switch (r.failed) {
    case phase::none:
        return {};
    case phase::connect:
        return "cannot connect to " + name + ": " + r.why.message();
    case phase::handshake:
        if (r.verification != X509_V_OK)
            return "the certificate of " + name +
                   " is not accepted: " + X509_verify_cert_error_string(r.verification);
        if (is_gone(r.why))
            return name + " closed the connection during the TLS handshake";
        return "TLS with " + name + " failed: " + r.why.message();
    case phase::send:
    case phase::receive:
        if (is_gone(r.why) || r.why == boost::beast::http::error::partial_message)
            return name + " closed the connection before it had answered";
        if (r.why.category() == http_category())
            return "the answer of " + name + " is not valid HTTP: " + r.why.message();
        return "the connection to " + name + " failed: " + r.why.message();
    }
    return {};
}

void connection::abort() noexcept
{
    error_code ignored;
    if (plain_)
        plain_->close(ignored);
    if (secure_)
        secure_->lowest_layer().close(ignored);
}

/// The session that the connection leaves behind; the one before when it came to none.
void connection::keep_session() noexcept
{
    SSL* const handle = secure_->native_handle();
    SSL_SESSION* const left = SSL_get1_session(handle);
    if (left != nullptr && SSL_SESSION_is_resumable(left) == 1)
        session_.reset(left);
    else
        SSL_SESSION_free(left);
    // Sessions of connections that end without a farewell are otherwise made useless.
    SSL_set_shutdown(handle, SSL_SENT_SHUTDOWN);
}

void connection::close() noexcept
{
    if (secure_ && to_.resume)
        keep_session();
    plain_.reset();
    secure_.reset();
    reusable_ = false;
}

void connection::fail(reply& out, phase at, const error_code& why) noexcept
{
    out.failed = at;
    out.why = why;
    reusable_ = false;
}

task<reply> connection::open()
{
    close();
    reply out;
    if (to_.tls)
        secure_.emplace(executor_, *to_.tls);
    else
        plain_.emplace(executor_);
    tcp_socket& socket = to_.tls ? secure_->next_layer() : *plain_;
    auto [ec, chosen] = co_await net::async_connect(socket, to_.addresses, as_result);
    boost::ignore_unused(chosen);
    if (ec) {
        fail(out, phase::connect, ec);
    } else {
        socket.set_option(net::ip::tcp::no_delay(true), ec);
        if (to_.tls)
            co_await shake_hands(out);
    }
    if (out.failed != phase::none)
        close();
    co_return out;
}

task<void> connection::shake_hands(reply& out)
{
    SSL* const handle = secure_->native_handle();
    if (!expect_host(handle, to_.where, SSL_get_verify_mode(handle) != SSL_VERIFY_NONE)) {
        fail(out, phase::handshake, net::error::invalid_argument);
        co_return;
    }
    if (session_)
        SSL_set_session(handle, session_.get());
    auto [ec] = co_await secure_->async_handshake(ssl::stream_base::client, as_result);
    if (!ec) {
        resumed_ += SSL_session_reused(handle) == 1 ? 1U : 0U;
        co_return;
    }
    out.verification = SSL_get_verify_result(handle);
    fail(out, phase::handshake, ec);
}

task<reply> connection::post(std::string_view request)
{
    const bool kept = is_open();
    if (!kept) {
        reply opened = co_await open();
        if (opened.failed != phase::none)
            co_return opened;
    }
    reply out = co_await exchange(request);
    const bool went_stale = kept && out.failed != phase::none && !out.any_byte && is_gone(out.why);
    if (!went_stale)
        co_return out;
    out = co_await open();
    if (out.failed == phase::none)
        out = co_await exchange(request);
    co_return out;
}

task<reply> connection::exchange(std::string_view request)
{
    reply out;
    if (secure_)
        co_await exchange_over(*secure_, request, out);
    else
        co_await exchange_over(*plain_, request, out);
    if (!reusable_)
        close();
    co_return out;
}

template <class Stream>
task<void> connection::exchange_over(Stream& stream, std::string_view request, reply& out)
{
    const auto bytes = net::buffer(request.data(), request.size());
    auto [send_ec, sent] = co_await net::async_write(stream, bytes, as_result);
    boost::ignore_unused(sent);
    if (send_ec == net::error::operation_aborted) {
        fail(out, phase::send, send_ec);
        co_return;
    }
    // A server that refuses early answers and closes before it has read everything: its answer may be
    // waiting.
    co_await receive(stream, out);
    if (send_ec) {
        reusable_ = false;
        if (out.failed != phase::none)
            fail(out, phase::send, send_ec);
    }
}

/// Gives the parser what has come; bytes it has not taken move to the front. Interim answers (1xx) are
/// skipped.
error_code connection::feed(std::optional<answer_parser>& parser, std::size_t& filled)
{
    error_code ec;
    std::size_t taken = 0;
    while (taken < filled && !parser->is_done()) {
        taken += parser->put(net::buffer(buffer_.data() + taken, filled - taken), ec);
        if (ec)
            break;
        if (parser->is_done() && parser->status() / 100 == 1)
            parser.emplace();
    }
    filled -= taken;
    std::memmove(buffer_.data(), buffer_.data() + taken, filled);
    return ec == boost::beast::http::error::need_more ? error_code() : ec;
}

template <class Stream>
task<void> connection::receive(Stream& stream, reply& out)
{
    std::optional<answer_parser> parser(std::in_place);
    std::size_t filled = 0;
    while (!parser->is_done()) {
        const auto space = net::buffer(buffer_.data() + filled, buffer_.size() - filled);
        auto [ec, n] = co_await stream.async_read_some(space, as_result);
        if (is_end(ec) && parser->is_header_done()) {
            ec = {};
            parser->put_eof(ec);
        } else if (!ec) {
            out.any_byte = true;
            filled += n;
            ec = feed(parser, filled);
        }
        if (ec) {
            fail(out, phase::receive, ec);
            co_return;
        }
    }
    out.status = parser->status();
    reusable_ = parser->keep_alive() && filled == 0;
}

} // namespace chargifyd::simulate
