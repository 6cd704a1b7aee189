#include "ingress/answer.hpp"

#include <array>

namespace chargifyd::ingress {
namespace {

/// IMF-fixdate. Not strftime: the names of days and months must not follow the locale.
std::string http_date(std::time_t now)
{
    static constexpr const char* days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                             "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    std::tm utc{};
    ::gmtime_r(&now, &utc);
    std::array<char, 64> text{};
    const int length = std::snprintf(text.data(), text.size(), "%s, %02d %s %04d %02d:%02d:%02d GMT",
                                     days[utc.tm_wday], utc.tm_mday, months[utc.tm_mon], utc.tm_year + 1900,
                                     utc.tm_hour, utc.tm_min, utc.tm_sec);
    return {text.data(), static_cast<std::size_t>(length)};
}

answer refusing(unsigned status, std::string_view body) noexcept
{
    answer made;
    made.status = status;
    made.body = body;
    made.close = true;
    return made;
}

} // namespace

answer answer_to(refusal reason) noexcept
{
    switch (reason) {
    case refusal::bad_request:
        return refusing(400, "bad request\n");
    case refusal::too_large:
        return refusing(413, "body too large\n");
    case refusal::header_too_large:
        return refusing(431, "headers too large\n");
    case refusal::no_length:
        return refusing(411, "Content-Length required\n");
    case refusal::slow:
        return refusing(408, "too slow\n");
    case refusal::not_found:
        return refusing(404, "not found\n");
    case refusal::method:
        return refusing(405, "method not allowed\n");
    case refusal::encoding:
        return refusing(415, "Content-Encoding not supported\n");
    case refusal::expectation:
        return refusing(417, "expectation not supported\n");
    }
    return refusing(400, "bad request\n");
}

std::string_view reason_phrase(unsigned status) noexcept
{
    switch (status) {
    case 200:
        return "OK";
    case 201:
        return "Created";
    case 202:
        return "Accepted";
    case 204:
        return "No Content";
    case 400:
        return "Bad Request";
    case 401:
        return "Unauthorized";
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 408:
        return "Request Timeout";
    case 409:
        return "Conflict";
    case 411:
        return "Length Required";
    case 413:
        return "Content Too Large";
    case 415:
        return "Unsupported Media Type";
    case 417:
        return "Expectation Failed";
    case 422:
        return "Unprocessable Content";
    case 429:
        return "Too Many Requests";
    case 431:
        return "Request Header Fields Too Large";
    case 500:
        return "Internal Server Error";
    case 501:
        return "Not Implemented";
    case 503:
        return "Service Unavailable";
    default:
        return {};
    }
}

void answer_writer::render(const answer& what, bool keep_alive, bool with_body, std::time_t now,
                           std::string& into)
{
    if (now != second_ || date_.empty()) {
        date_ = http_date(now);
        second_ = now;
    }
    into.clear();
    into.append("HTTP/1.1 ").append(std::to_string(what.status)).append(" ");
    into.append(reason_phrase(what.status)).append("\r\nDate: ").append(date_);
    into.append("\r\nConnection: ").append(keep_alive ? "keep-alive" : "close");
    if (what.status != 204) {
        into.append("\r\nContent-Type: ").append(what.content_type);
        into.append("\r\nContent-Length: ").append(std::to_string(what.body.size()));
    }
    into.append("\r\n").append(what.extra).append("\r\n");
    if (with_body && what.status != 204)
        into.append(what.body);
}

} // namespace chargifyd::ingress
