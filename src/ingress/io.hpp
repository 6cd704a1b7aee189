#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <tuple>

/// The kinds of Asio this room uses. Each io_context is run by one thread, so nothing needs a strand, and
/// executors have their concrete type, so nothing is erased or allocated for them.
namespace chargifyd::ingress {

namespace net = boost::asio;
using boost::system::error_code;

using executor = net::io_context::executor_type;
template <class T>
using task = net::awaitable<T, executor>;

/// TCP or unix.
using stream_socket = net::basic_stream_socket<net::generic::stream_protocol, executor>;
using monotonic = std::chrono::steady_clock;
using timer = net::basic_waitable_timer<monotonic, net::wait_traits<monotonic>, executor>;

inline constexpr net::use_awaitable_t<executor> in_task{};
/// An operation gives a tuple that begins with its error_code, instead of throwing.
inline constexpr net::as_tuple_t<net::use_awaitable_t<executor>> as_result{in_task};

} // namespace chargifyd::ingress
