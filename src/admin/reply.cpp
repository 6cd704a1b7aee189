#include "admin/reply.hpp"

namespace chargifyd::admin {

using ingress::operator_reply;
using nlohmann::ordered_json;

operator_reply json_reply(unsigned status, const ordered_json& body)
{
    operator_reply reply;
    reply.status = status;
    reply.body = body.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
    return reply;
}

operator_reply text_reply(unsigned status, std::string text)
{
    operator_reply reply;
    reply.status = status;
    reply.content_type = "text/plain; charset=utf-8";
    reply.body = std::move(text);
    return reply;
}

operator_reply refusal(unsigned status, const std::string& why)
{
    return json_reply(status, {{"error", why}});
}

operator_reply failure_reply(const error& e)
{
    switch (e.code) {
    case errc::not_found:
        return refusal(404, e.message);
    case errc::invalid:
        return refusal(400, e.message);
    case errc::busy:
    case errc::unavailable:
        return refusal(503, e.message);
    case errc::corrupt:
    case errc::io:
        return refusal(500, e.message);
    }
    return refusal(500, e.message);
}

} // namespace chargifyd::admin
