#include "ingress/session.hpp"

#include "ingress/chunked.hpp"

#include <algorithm>
#include <ctime>
#include <string>

namespace chargifyd::ingress {
namespace {

/// Head and body of most webhooks fit, so that one read brings both.
constexpr std::size_t first_read_bytes = 16 * 1024;

/// What follows a request on its connection.
enum class next { request, close, abandon };

class session {
public:
    session(connection& c, const session_limits& limits, request_handler& handler, session_home& home)
        : connection_(c)
        , limits_(limits)
        , handler_(handler)
        , home_(home)
    {}

    task<void> run();

private:
    task<bool> shake_hands();
    task<next> serve_request();
    task<std::optional<refusal>> receive_head();
    task<std::optional<refusal>> receive_body();
    task<std::optional<refusal>> receive_chunks();
    task<std::optional<refusal>> receive_more();
    task<bool> say_continue();
    task<next> send(const answer& what, bool with_body);
    task<next> refuse(refusal reason);

    connection& connection_;
    const session_limits& limits_;
    request_handler& handler_;
    session_home& home_;
    std::string out_;

    // The request under way.
    std::size_t head_bytes_ = 0;
    std::size_t body_bytes_ = 0;
    std::size_t total_bytes_ = 0; ///< head and body with its framing
    bool chunked_ = false;
    bool is_head_ = false; ///< the method is HEAD
    bool keep_alive_ = false;
    bool expects_continue_ = false;
    bool gone_ = false; ///< the peer went away, or the server wants to end: no answer
};

task<void> session::run()
{
    bool linger = false;
    if (co_await shake_hands()) {
        for (;;) {
            if (!connection_.has_input()) {
                connection_.set_deadline(home_.draining ? std::min(drain_patience, limits_.idle_timeout)
                                                        : limits_.idle_timeout);
                if (co_await connection_.readable() != step::done)
                    break;
            }
            const next then = co_await serve_request();
            if (then == next::request) {
                // Requests sent ahead wait until the other connections of the thread had their turn.
                if (connection_.has_input())
                    co_await connection_.give_way();
                continue;
            }
            linger = then == next::close;
            break;
        }
    }
    co_await connection_.close(linger);
}

task<bool> session::shake_hands()
{
    if (!connection_.encrypted())
        co_return true;
    connection_.set_deadline(limits_.handshake_timeout);
    const step outcome = co_await connection_.handshake();
    if (outcome == step::closed || outcome == step::late)
        handler_.handshake_failed();
    co_return outcome == step::done;
}

task<next> session::serve_request()
{
    handler_.begin();
    gone_ = false;
    keep_alive_ = false;
    is_head_ = false;
    connection_.set_deadline(limits_.header_timeout);
    auto refused = co_await receive_head();
    if (gone_)
        co_return next::abandon;

    std::optional<answer> reply;
    if (!refused) {
        request_head head;
        refused = read_head(connection_.input().view().substr(0, head_bytes_), limits_.gate, head);
        is_head_ = connection_.input().view().starts_with("HEAD ");
        if (!refused) {
            keep_alive_ = head.keep_alive;
            expects_continue_ = head.expects_continue;
            chunked_ = head.chunked;
            body_bytes_ = static_cast<std::size_t>(head.content_length);
            total_bytes_ = head_bytes_ + body_bytes_;
            reply = handler_.judge(head);
        }
    }
    if (refused)
        co_return co_await refuse(*refused);
    if (reply) {
        // The next request begins behind a body that nobody is going to read.
        keep_alive_ = keep_alive_ && total_bytes_ == head_bytes_ && !chunked_;
        co_return co_await send(*reply, !is_head_);
    }

    if (chunked_)
        refused = co_await receive_chunks();
    else
        refused = co_await receive_body();
    if (gone_)
        co_return next::abandon;
    if (refused)
        co_return co_await refuse(*refused);
    connection_.clear_deadline();
    const auto body = connection_.input().view().substr(head_bytes_, body_bytes_);
    const answer made = co_await handler_.handle(body);
    const next then = co_await send(made, !is_head_);
    if (then != next::abandon)
        handler_.answered();
    co_return then;
}

task<std::optional<refusal>> session::receive_head()
{
    auto& input = connection_.input();
    head_scanner scanner;
    for (;;) {
        const auto found = scanner.scan(input.view());
        if (found == head_scanner::outcome::malformed)
            co_return refusal::bad_request;
        const bool complete = found == head_scanner::outcome::complete;
        if (complete ? scanner.length() > limits_.max_header_bytes
                     : input.view().size() >= limits_.max_header_bytes)
            co_return refusal::header_too_large;
        if (complete)
            break;
        // A head that outgrows the first read gets the whole of what is allowed.
        input.reserve(input.view().size() < std::min(first_read_bytes, limits_.max_header_bytes)
                          ? first_read_bytes
                          : limits_.max_header_bytes);
        const step outcome = co_await connection_.read();
        if (outcome == step::late && !input.empty())
            co_return refusal::slow;
        if (outcome != step::done) {
            gone_ = true;
            co_return std::nullopt;
        }
    }
    head_bytes_ = scanner.length();
    co_return std::nullopt;
}

task<std::optional<refusal>> session::receive_body()
{
    auto& input = connection_.input();
    if (input.view().size() >= total_bytes_)
        co_return std::nullopt;
    connection_.set_deadline(limits_.body_timeout);
    input.reserve(total_bytes_);
    if (!co_await say_continue())
        co_return std::nullopt;
    while (input.view().size() < total_bytes_ && !gone_) {
        const auto refused = co_await receive_more();
        if (refused)
            co_return refused;
    }
    co_return std::nullopt;
}

/// A body without a declared length: the buffer grows with what really comes.
task<std::optional<refusal>> session::receive_chunks()
{
    auto& input = connection_.input();
    chunk_reader reader(limits_.gate.max_body_bytes);
    connection_.set_deadline(limits_.body_timeout);
    if (!co_await say_continue())
        co_return std::nullopt;
    while (!gone_) {
        const auto found = reader.read(input.bytes().subspan(head_bytes_));
        if (found == chunk_reader::outcome::refused)
            co_return reader.reason();
        if (found == chunk_reader::outcome::complete) {
            body_bytes_ = reader.body_bytes();
            total_bytes_ = head_bytes_ + reader.received();
            break;
        }
        input.reserve(std::max(first_read_bytes, 2 * input.view().size()));
        const auto refused = co_await receive_more();
        if (refused)
            co_return refused;
    }
    co_return std::nullopt;
}

/// Reads what comes next of a body; sets `gone_` when nothing will.
task<std::optional<refusal>> session::receive_more()
{
    const step outcome = co_await connection_.read();
    if (outcome == step::late)
        co_return refusal::slow;
    gone_ = outcome != step::done;
    co_return std::nullopt;
}

/// Tells a client that waits for it that its body is wanted. False: it has gone.
task<bool> session::say_continue()
{
    if (expects_continue_ && connection_.input().view().size() == head_bytes_)
        gone_ = co_await connection_.write("HTTP/1.1 100 Continue\r\n\r\n") != step::done;
    co_return !gone_;
}

task<next> session::send(const answer& what, bool with_body)
{
    const bool stay = keep_alive_ && !what.close && !home_.draining;
    home_.writer.render(what, stay, with_body, std::time(nullptr), out_);
    connection_.set_deadline(limits_.write_timeout);
    if (co_await connection_.write(out_) != step::done)
        co_return next::abandon;
    if (!stay)
        co_return next::close;
    connection_.input().consume(total_bytes_);
    co_return next::request;
}

task<next> session::refuse(refusal reason)
{
    const answer made = handler_.refuse(reason);
    co_return co_await send(made, !is_head_);
}

} // namespace

task<void> serve(connection& c, const session_limits& limits, request_handler& handler, session_home& home)
{
    session one(c, limits, handler, home);
    co_await one.run();
}

} // namespace chargifyd::ingress
