#pragma once

#include "ingress/io.hpp"
#include "ingress/proxy_header.hpp"
#include "ingress/read_buffer.hpp"
#include "ingress/transport.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <string_view>

namespace chargifyd::ingress {

/// How a step of a connection ended.
enum class step {
    done,
    closed,  ///< by the peer, or broken
    late,    ///< the deadline has passed; an answer can still be sent
    stopped, ///< the server wants the connection to end
};

/// One accepted socket with its deadline and its bytes. Everything happens on the thread of the socket's
/// io_context. One step at a time. Owned by shared_ptr: a deadline that is being delivered keeps it alive a
/// moment longer.
class connection : public std::enable_shared_from_this<connection> {
public:
    connection(stream_socket accepted, tls_session session);

    bool ok() const noexcept { return transport_.ok(); }
    bool encrypted() const noexcept { return transport_.encrypted(); }
    bool stopped() const noexcept { return stopped_; }
    read_buffer& input() noexcept { return input_; }
    /// Bytes of a next request are here already.
    bool has_input() const noexcept { return !input_.empty() || transport_.has_pending(); }

    /// The moment at which the steps that follow end with `late`, counted from now. Replaces the one before.
    void set_deadline(std::chrono::milliseconds from_now);
    void clear_deadline() noexcept { due_ = monotonic::time_point::max(); }

    /// Takes a PROXY header off the socket and not a byte of what follows it. Before everything else. `into`
    /// says `more` when the step ended before the header was whole, with the number of bytes that had come.
    task<step> read_introduction(proxy_header& into);
    task<step> handshake();
    /// Waits for the first bytes of a request without holding memory for them.
    task<step> readable();
    /// Receives at least one byte into `input()`, which has space.
    task<step> read();
    /// Lets whatever else waits on this thread go first.
    task<void> give_way();
    task<step> write(std::string_view bytes);
    /// Closes. With `linger`, what the peer still sends is taken in for a while, bounded in time and bytes:
    /// closing before would reset the connection, and the peer might never see the answer.
    task<void> close(bool linger);

    /// Closes at once, without a word.
    void abandon();

    /// Gives an idle connection no more time than this to begin a request; one with a request under way is
    /// left alone.
    void hurry(std::chrono::milliseconds patience);
    /// Ends the step under way, and every later one that would have to wait.
    void stop();

private:
    task<step> wait_for(transport::outcome what);
    void arm();
    void on_timer();

    stream_socket socket_;
    timer timer_;
    transport transport_;
    read_buffer input_;
    /// One timer serves all deadlines: it is set anew only when a deadline comes earlier than it, which is
    /// rare.
    monotonic::time_point due_ = monotonic::time_point::max();
    unsigned reads_ = 0;
    bool armed_ = false;
    bool late_ = false;
    bool idle_ = false;
    bool stopped_ = false;
};

} // namespace chargifyd::ingress
