#pragma once

#include "ingress/gate.hpp"

#include <ctime>
#include <string>
#include <string_view>

namespace chargifyd::ingress {

/// What is said to a request. Views must live until it is written.
struct answer {
    unsigned status = 200;
    std::string_view body; ///< never anything the sender sent
    std::string_view content_type = "text/plain";
    std::string_view extra; ///< whole header lines, each with CRLF
    bool close = false;     ///< the connection ends after this answer
};

/// The answer to a request that is not served, before the headers that only the route knows (Allow). Closes.
answer answer_to(refusal reason) noexcept;

/// The standard phrase, empty for statuses this server never sends.
std::string_view reason_phrase(unsigned status) noexcept;

/// Writes answers as bytes. Belongs to one thread, and remembers the date for a second.
class answer_writer {
public:
    /// Replaces `into`. Without `with_body` (HEAD) only the head, with the length of the body all the same.
    void render(const answer& what, bool keep_alive, bool with_body, std::time_t now, std::string& into);

private:
    std::time_t second_ = 0;
    std::string date_;
};

} // namespace chargifyd::ingress
