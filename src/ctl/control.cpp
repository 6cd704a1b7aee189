#include "ctl/control.hpp"

#include "chargifyd/admin/admin.hpp"
#include "chargifyd/ingress/operator_server.hpp"

namespace chargifyd::ctl {

result<std::string> call_daemon(context& ctx, const std::string& method, const std::string& target)
{
    auto reply = ingress::call_operator(ctx.state_directory() / admin::control_socket_name, method, target);
    if (!reply)
        return reply.error();
    if (reply->status == 404)
        return make_error(errc::not_found, "the daemon answers: " + reply->body);
    if (reply->status >= 400 && reply->status != 503)
        return make_error(errc::io, "the daemon refused: " + reply->body);
    return std::move(reply->body);
}

} // namespace chargifyd::ctl
