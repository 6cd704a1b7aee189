#include "chargifyd/simulate/sender.hpp"

#include "simulate/connection.hpp"
#include "simulate/request.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>

namespace chargifyd::simulate {

namespace {

using steady = std::chrono::steady_clock;

attempt make_attempt(const reply& r, const endpoint& where, steady::time_point began)
{
    attempt out;
    out.status = r.status;
    out.took = std::chrono::duration_cast<std::chrono::microseconds>(steady::now() - began);
    if (r.status == 0)
        out.failure = describe(r, where);
    return out;
}

} // namespace

struct sender::implementation {
    implementation(const target& with, destination where)
        : to(std::move(where))
        , writer(to.where, with.shared_key, true)
        , timeout(with.timeout)
        , line(context.get_executor(), to)
    {}

    attempt post(const webhook& what);
    reply run_until(steady::time_point deadline);

    net::io_context context{1};
    destination to;
    request_writer writer;
    std::chrono::milliseconds timeout;
    connection line;
    std::string request;
};

/// Posts `request`; at the deadline the connection is closed under it.
reply sender::implementation::run_until(steady::time_point deadline)
{
    reply out;
    std::exception_ptr failure;
    net::basic_waitable_timer<steady, net::wait_traits<steady>, executor> timer(context, deadline);
    timer.async_wait([this](const boost::system::error_code& ec) {
        if (!ec)
            line.abort();
    });
    net::co_spawn(context.get_executor(), line.post(request),
                  [&out, &failure, &timer](std::exception_ptr e, reply r) {
                      failure = e;
                      out = r;
                      timer.cancel();
                  });
    context.restart();
    context.run();
    if (failure)
        std::rethrow_exception(failure);
    return out;
}

attempt sender::implementation::post(const webhook& what)
{
    const auto began = steady::now();
    if (to.addresses.empty()) {
        auto found = resolve(to.where);
        if (!found) {
            attempt out;
            out.failure = found.error().message;
            return out;
        }
        to.addresses = std::move(*found);
    }
    writer.write(request, what.id, what.body);
    const reply r = run_until(began + timeout);
    if (r.failed == phase::connect)
        to.addresses.clear(); // the name may mean another address by now
    return make_attempt(r, to.where, began);
}

sender::sender(std::unique_ptr<implementation> impl) noexcept
    : impl_(std::move(impl))
{}
sender::~sender() = default;
sender::sender(sender&&) noexcept = default;
sender& sender::operator=(sender&&) noexcept = default;

result<sender> sender::make(target to)
{
    auto where = parse_endpoint(to.url);
    if (!where)
        return where.error();
    auto tls = make_tls_context(to, *where);
    if (!tls)
        return tls.error();
    destination goal;
    goal.where = std::move(*where);
    goal.tls = std::move(*tls);
    return sender(std::make_unique<implementation>(to, std::move(goal)));
}

attempt sender::post(const webhook& what)
{
    return impl_->post(what);
}

} // namespace chargifyd::simulate
