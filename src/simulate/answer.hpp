#pragma once

#include <boost/beast/http/basic_parser.hpp>

#include <cstdint>

namespace chargifyd::simulate {

/// Reads an answer as HTTP/1.1 demands and keeps nothing of it but the status: no field or body byte is
/// stored.
class answer_parser final : public boost::beast::http::basic_parser<false> {
    using base = boost::beast::http::basic_parser<false>;
    using error_code = boost::beast::error_code;
    using string_view = boost::beast::string_view;

public:
    answer_parser()
    {
        eager(true);
        body_limit(1024 * 1024);
    }

    unsigned status() const noexcept { return status_; }

private:
    void on_request_impl(boost::beast::http::verb, string_view, string_view, int, error_code&) override {}
    void on_response_impl(int status, string_view, int, error_code&) override
    {
        status_ = static_cast<unsigned>(status);
    }
    void on_field_impl(boost::beast::http::field, string_view, string_view, error_code&) override {}
    void on_header_impl(error_code&) override {}
    void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
    std::size_t on_body_impl(string_view body, error_code&) override { return body.size(); }
    void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, string_view body, error_code&) override
    {
        return body.size();
    }
    void on_finish_impl(error_code&) override {}

    unsigned status_ = 0;
};

} // namespace chargifyd::simulate
