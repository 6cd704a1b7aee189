#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

/// Judges the head of a request (request line and headers) before anything is done with it: pure functions
/// over bytes.
///
/// The parser of Beast 1.81 lets through what request smuggling is made of: folded lines, transfer codings
/// next to a length, repeated lengths and hosts; and it takes trailers for headers, so no chunked body is
/// given to it. So the bytes are judged first, the parser reads what is left of the language, and the fields
/// that decide something must stand exactly as often as they may.
namespace chargifyd::ingress {

/// Why a request is not served. The closed set of the metric `http_refused_total`.
enum class refusal {
    bad_request,      ///< 400
    too_large,        ///< 413
    header_too_large, ///< 431
    no_length,        ///< 411
    slow,             ///< 408
    not_found,        ///< 404
    method,           ///< 405
    encoding,         ///< 415
    expectation,      ///< 417
};
inline constexpr refusal all_refusals[] = {
    refusal::bad_request, refusal::too_large, refusal::header_too_large, refusal::no_length,  refusal::slow,
    refusal::not_found,   refusal::method,    refusal::encoding,         refusal::expectation};
/// The metric's label.
std::string_view name_of(refusal reason) noexcept;

/// Finds the end of a head that arrives in pieces, and what can be no head as early as it can be told.
class head_scanner {
public:
    enum class outcome { more, complete, malformed };

    /// `bytes`: everything received so far, from the first byte of the request.
    outcome scan(std::string_view bytes) noexcept;
    /// Length of the head with its empty line, once complete.
    std::size_t length() const noexcept { return scanned_; }

private:
    std::size_t scanned_ = 0;    ///< everything before was judged
    std::size_t line_start_ = 0; ///< where the line that is not complete yet begins
};

struct gate_limits {
    std::size_t max_header_fields = 100;
    std::size_t max_body_bytes = 1024 * 1024;
};

/// What a head says. Every view points into the bytes it was read from.
struct request_head {
    std::string_view method; ///< as sent; methods are case-sensitive
    std::string_view path;   ///< as sent: begins with `/`, percent-encoding untouched
    std::string_view query;  ///< as sent, without `?`
    std::string_view host;
    std::string_view authorization;              ///< empty when missing
    std::string_view signature;                  ///< the first one
    unsigned signatures = 0;                     ///< how many signature headers there are
    std::vector<std::string_view> forwarded_for; ///< X-Forwarded-For, in order
    std::string_view request_id;                 ///< X-Request-Id; empty when it stands twice
    std::uint64_t content_length = 0;            ///< 0 when it is missing
    bool chunked = false;                        ///< the body is; there is no content length then
    bool keep_alive = false;
    bool expects_continue = false;
};

/// Judges a complete head. On a refusal `into` is in no particular state.
std::optional<refusal> read_head(std::string_view head, const gate_limits& limits, request_head& into);

} // namespace chargifyd::ingress
