#include "simulate/request.hpp"

#include "chargifyd/chargify/signature.hpp"

#include <algorithm>
#include <charconv>

namespace chargifyd::simulate {

namespace {

template <class Integer>
void append_number(std::string& out, Integer value)
{
    char digits[24];
    const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    out.append(digits, end);
}

} // namespace

request_writer::request_writer(const endpoint& to, secret key, bool keep_alive)
    : key_(std::move(key))
{
    add_path("POST " + to.path);
    headers_ = " HTTP/1.1\r\nHost: " + to.host_header +
               "\r\nAccept: */*; q=0.5, application/xml"
               "\r\nAccept-Encoding: gzip, deflate"
               "\r\nContent-Type: application/x-www-form-urlencoded\r\n";
    if (!keep_alive)
        headers_ += "Connection: close\r\n";
    headers_.append(chargify::webhook_id_header).append(": ");
}

void request_writer::add_path(std::string_view path)
{
    while (!path.empty()) {
        const auto hmac = path.find(hmac_placeholder);
        const auto md5 = path.find(md5_placeholder);
        const auto next = std::min({hmac, md5, path.size()});
        piece p;
        p.text = path.substr(0, next);
        if (next == path.size()) {
            path = {};
        } else if (next == hmac) {
            p.then = signature_kind::hmac;
            path.remove_prefix(next + hmac_placeholder.size());
        } else {
            p.then = signature_kind::md5;
            path.remove_prefix(next + md5_placeholder.size());
        }
        line_.push_back(std::move(p));
    }
}

std::string request_writer::signature(signature_kind kind, std::string_view body) const
{
    if (key_.empty())
        return {};
    switch (kind) {
    case signature_kind::none:
        return {};
    case signature_kind::hmac:
        return to_hex(chargify::hmac_sha256(key_.reveal(), body));
    case signature_kind::md5:
        return chargify::legacy_md5_signature(key_.reveal(), body);
    }
    return {};
}

void request_writer::write(std::string& into, std::int64_t id, std::string_view body) const
{
    const std::string hmac = signature(signature_kind::hmac, body);
    into.clear();
    for (const piece& p : line_) {
        into += p.text;
        into += p.then == signature_kind::hmac ? hmac : signature(p.then, body);
    }
    into += headers_;
    append_number(into, id);
    if (!hmac.empty())
        into.append("\r\n").append(chargify::signature_header).append(": ").append(hmac);
    into += "\r\nContent-Length: ";
    append_number(into, body.size());
    into += "\r\n\r\n";
    into += body;
}

} // namespace chargifyd::simulate
